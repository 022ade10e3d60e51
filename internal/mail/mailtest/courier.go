package mailtest

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// courierRoot is where scripts/install-tools.sh unpacks Courier: its package cannot be installed beside Dovecot's.
const courierRoot = "/usr/local/lib/orbit-test/courier"

// CourierServer is Courier's IMAP server behind a door of ours, which believes everybody. It has no TLS.
type CourierServer struct {
	Port int
	dir  string
}

// Courier starts one; it ends with the test.
func Courier(t testing.TB) *CourierServer {
	t.Helper()
	program := filepath.Join(courierRoot, "usr/bin/imapd")
	if _, err := os.Stat(program); err != nil {
		t.Skip("Courier is not here: run scripts/install-tools.sh test")
	}
	s := &CourierServer{dir: t.TempDir()}
	for _, name := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(s.dir, "Maildir", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = listener.Addr().(*net.TCPAddr).Port
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(ctx, program, conn)
		}
	}()
	return s
}

// Deliver puts a message into the inbox, as a mail server would.
func (s *CourierServer) Deliver(t testing.TB, name string, message []byte) {
	t.Helper()
	writeFile(t, filepath.Join(s.dir, "Maildir", "new", "1000."+name+".localhost"), string(message), 0o600)
}

const courierOffers = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE"

// serve greets, waits for the sign-in and leaves the rest to Courier.
func (s *CourierServer) serve(ctx context.Context, program string, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	_, _ = conn.Write([]byte("* OK [CAPABILITY " + courierOffers + "] Courier-IMAP ready.\r\n"))
	line, err := in.ReadString('\n')
	tag, command, _ := strings.Cut(line, " ")
	if err != nil || !strings.HasPrefix(strings.ToUpper(command), "LOGIN ") {
		return
	}
	cmd := exec.CommandContext(ctx, program, "Maildir")
	cmd.Dir = s.dir
	libraries := filepath.Join(courierRoot, "usr/lib")
	cmd.Env = []string{
		"HOME=" + s.dir, "PATH=/usr/bin:/bin", "PROTOCOL=IMAP", "AUTHENTICATED=somebody", "AUTHADDR=somebody", "IMAPLOGINTAG=" + tag,
		"TCPREMOTEIP=127.0.0.1", "TCPREMOTEPORT=1", "IMAP_CAPABILITY=" + courierOffers,
		"LD_LIBRARY_PATH=" + libraries + "/x86_64-linux-gnu:" + libraries + "/aarch64-linux-gnu:" + libraries + "/courier-authlib",
	}
	cmd.Stdin, cmd.Stdout = conn, conn
	_ = cmd.Run()
}
