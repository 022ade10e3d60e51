package tunnel

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/proxy"

	"orbit/internal/mail/mailtest"
)

// BenchmarkBesideSSH moves the same bytes through an agent and through `ssh -D`, in turns, each with a process of
// its own at the far side. The promise is half of what ssh does, and less than 300 us more for a round trip.
func BenchmarkBesideSSH(b *testing.B) {
	o := newOrbit(b, "one", newBook("agent"))
	o.agentMachine(b, "", o.address, "agent")
	until(b, "the agent connects", o.online(1))
	socks := dynamicForward(b)
	servers := map[string]Request{}
	for _, role := range []string{"source", "sink", "echo"} {
		servers[role] = newMachine(b, "", role, addressVariable+"=127.0.0.1:0").request(b)
	}
	ways := map[string]func(string) net.Conn{
		"orbit": func(role string) net.Conn { return o.dial(b, servers[role]) },
		"ssh":   func(role string) net.Conn { return forwarded(b, socks, servers[role]) },
		"none":  func(role string) net.Conn { return straight(b, servers[role]) },
	}
	took := map[string]time.Duration{}
	trips := map[string][]time.Duration{}
	conns := map[string]net.Conn{}
	for name, dial := range ways {
		for _, role := range []string{"source", "sink", "echo"} {
			conns[name+role] = dial(role)
		}
	}
	for b.Loop() {
		for name := range ways {
			took[name+" down"] += timed(func() { moveDown(b, conns[name+"source"]) })
			took[name+" up"] += timed(func() { moveUp(b, conns[name+"sink"]) })
			for range 300 {
				trips[name] = append(trips[name], timed(func() {
					if err := exchange(conns[name+"echo"], "a001 NOOP\r\n"); err != nil {
						b.Fatal(err)
					}
				}))
			}
		}
	}
	for _, direction := range []string{"down", "up"} {
		for name := range ways {
			b.ReportMetric(float64(b.N)*moved/took[name+" "+direction].Seconds()/1e6, name+"-"+direction+"-MB/s")
		}
		percent := 100 * took["ssh "+direction].Seconds() / took["orbit "+direction].Seconds()
		b.ReportMetric(percent, direction+"-%-of-ssh")
		if percent < 50 {
			b.Errorf("%s: %.0f %% of ssh, promised are 50", direction, percent)
		}
	}
	added := median(trips["orbit"]) - median(trips["none"])
	b.ReportMetric(float64(added.Nanoseconds())/1000, "added-us-p50")
	b.ReportMetric(float64((median(trips["ssh"])-median(trips["none"])).Nanoseconds())/1000, "ssh-added-us-p50")
	b.ReportMetric(0, "ns/op")
	if added > 300*time.Microsecond {
		b.Errorf("a round trip takes %s more, promised are 300 us", added)
	}
}

const moved = 64 << 20

func moveDown(b *testing.B, conn net.Conn) {
	b.Helper()
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(conn, moved), make([]byte, 32<<10)); err != nil {
		b.Fatal(err)
	}
}

func moveUp(b *testing.B, conn net.Conn) {
	b.Helper()
	data := make([]byte, 32<<10)
	for range moved / len(data) {
		if _, err := conn.Write(data); err != nil {
			b.Fatal(err)
		}
	}
}

func timed(do func()) time.Duration {
	started := time.Now()
	do()
	return time.Since(started)
}

func straight(b *testing.B, r Request) net.Conn {
	b.Helper()
	conn, err := plainDial(b.Context(), r, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

// dynamicForward runs ssh -D and returns the address of its SOCKS5 proxy.
func dynamicForward(b *testing.B) string {
	b.Helper()
	client, err := exec.LookPath("ssh")
	if err != nil {
		b.Skip("ssh is missing: apt-get install openssh-client")
	}
	server := mailtest.SSHD(b)
	dir := b.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(server.PrivateKey), 0o600); err != nil {
		b.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	cmd := exec.Command(client, "-F", "none", "-N", "-D", address, "-i", key, "-p", strconv.Itoa(server.Port), "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile="+filepath.Join(dir, "known"), "-o", "ExitOnForwardFailure=yes", server.Username+"@127.0.0.1")
	cmd.Stderr = b.Output()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	until(b, "ssh forwards", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return address
}

func forwarded(b *testing.B, socks string, r Request) net.Conn {
	b.Helper()
	dialer, err := proxy.SOCKS5("tcp", socks, nil, proxy.Direct)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := dialer.(proxy.ContextDialer).DialContext(context.WithoutCancel(b.Context()), "tcp", net.JoinHostPort(r.Host, itoa(r.Port)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}
