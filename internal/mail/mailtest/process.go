package mailtest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program finds a program in PATH and where Debian keeps daemons; without it the test is skipped.
func program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path := filepath.Join(dir, name); exec.Command("test", "-x", path).Run() == nil {
			return path
		}
	}
	t.Skipf("%s is not installed; install it with: apt-get install %s", name, debianPackage)
	return ""
}

// needRoot skips a test whose server has to change users.
func needRoot(t testing.TB, what string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skipf("%s changes users and needs root; run the tests as root to include it", what)
	}
}

// openDir makes a directory that other users may enter, with a path short enough for sockets. t.TempDir is neither.
func openDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "orbit-mail-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Ports for servers that cannot choose one themselves lie below those that the kernel hands out: there some other test
// takes what was just found free.
const (
	firstPort = 10240
	lastPort  = 32767
)

// freePorts finds ports that nobody listens on. Another test process may take one before the server does; start tries
// again then.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		port := firstPort + rand.IntN(lastPort-firstPort+1) //nolint:gosec // nobody guesses it
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			defer ln.Close() // after the loop, so that no port comes twice
			ports = append(ports, port)
		} else if tries > 1000 {
			t.Fatal(err)
		}
	}
	return ports
}

// attempts is how often a server is started with other ports.
const attempts = 3

// start runs a server until the test ends. configure writes the configuration for the given ports and returns the
// command; start returns the ports once all accept connections.
func start(t testing.TB, ports int, configure func(ports []int) *exec.Cmd) []int {
	t.Helper()
	var last error
	for range attempts {
		chosen := freePorts(t, ports)
		if last = run(t, configure(chosen), chosen); last == nil {
			return chosen
		}
	}
	t.Fatal(last)
	return nil
}

func run(t testing.TB, cmd *exec.Cmd, ports []int) error {
	t.Helper()
	var output lockedBuffer
	cmd.Stdout, cmd.Stderr = &output, &output
	ended := launch(cmd)
	stop := func() {
		if cmd.Process != nil {
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
		<-ended
	}
	deadline, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, port := range ports {
		if err := waitPort(deadline, port, ended); err != nil {
			stop()
			return fmt.Errorf("start %s: %w\n%s", cmd.Path, err, output.String())
		}
	}
	select {
	case <-ended: // whoever answers there is somebody else
		return fmt.Errorf("start %s: it has ended\n%s", cmd.Path, output.String())
	default:
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd.Path, output.String())
		}
	})
	return nil
}

// launch starts a command that dies with this process, even when the tests are killed. The kernel ties that to the
// thread, so the thread waits too. The channel is closed when the command has ended.
func launch(cmd *exec.Cmd) <-chan struct{} {
	started, ended := make(chan struct{}), make(chan struct{})
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.WaitDelay = 5 * time.Second // children may hold the output open
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		close(started)
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	<-started
	return ended
}

// waitPort returns when something accepts connections.
func waitPort(ctx context.Context, port int, ended <-chan struct{}) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended before port %d was open", port)
		case <-ctx.Done():
			return fmt.Errorf("port %d did not open: %w", port, err)
		case <-tick.C:
		}
	}
}

// lockedBuffer keeps a server's output while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
