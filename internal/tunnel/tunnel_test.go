package tunnel

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pair is a process with one agent.
func pair(t testing.TB) *orbit {
	t.Helper()
	o := newOrbit(t, "one", newBook("a"))
	runAgent(t, agentOptions(t, "a", o))
	until(t, "the agent connects", o.online(1))
	return o
}

func TestATunnelCarriesBothWays(t *testing.T) {
	t.Parallel()
	o, far := pair(t), server(t, echo)
	var steps []Progress
	conn, err := o.Dial(t.Context(), far, func(p Progress) { steps = append(steps, p) })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	swap(t, conn, "hello")
	if got := conn.RemoteAddr().String(); got != net.JoinHostPort(far.Host, itoa(far.Port)) {
		t.Errorf("remote address %s", got)
	}
	if len(steps) != 1 || steps[0].Step != TakenUp {
		t.Errorf("steps %+v", steps)
	}
}

func TestALargeTransferArrivesWhole(t *testing.T) {
	t.Parallel()
	o := pair(t)
	data := make([]byte, 8<<20)
	_, _ = rand.Read(data)
	far := server(t, func(conn net.Conn) {
		sum := sha256.New()
		_, _ = io.Copy(sum, conn) // until the half-close
		_, _ = conn.Write(sum.Sum(nil))
		_, _ = conn.Write(data)
		_ = conn.(*net.TCPConn).CloseWrite()
	})
	conn := o.dial(t, far)
	if _, err := conn.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(conn)
	want := sha256.Sum256(data)
	if err != nil || len(back) != len(want)+len(data) || !bytes.Equal(back[:len(want)], want[:]) || !bytes.Equal(back[len(want):], data) {
		t.Errorf("%d bytes came back, %v", len(back), err)
	}
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after the half-close: %v", err)
	}
}

func TestWhatWasWrittenBeforeCloseArrives(t *testing.T) {
	t.Parallel()
	o := pair(t)
	got := make(chan string, 1)
	far := server(t, func(conn net.Conn) {
		_, _ = conn.Write(make([]byte, 1<<20)) // that nobody reads
		all, _ := io.ReadAll(conn)
		got <- string(all)
	})
	conn := o.dial(t, far)
	if _, err := io.WriteString(conn, "QUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-got:
		if text != "QUIT\r\n" {
			t.Errorf("the server got %q", text)
		}
	case <-time.After(patience):
		t.Error("the far connection stays open")
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
}

func TestAResetIsNoOrderlyEnd(t *testing.T) {
	t.Parallel()
	o := pair(t)
	far := server(t, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 2))
		_, _ = conn.Write([]byte("ok"))
		_, _ = io.ReadFull(conn, make([]byte, 2))
		_ = conn.(*net.TCPConn).SetLinger(0)
	})
	conn := o.dial(t, far)
	_, _ = io.WriteString(conn, "go")
	if _, err := io.ReadFull(conn, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "go")
	_, err := conn.Read(make([]byte, 1))
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %v, want a reset", err)
	}
}

func TestBackPressureReachesTheWriter(t *testing.T) {
	t.Parallel()
	o := pair(t)
	release := make(chan struct{})
	far := server(t, func(conn net.Conn) { <-release })
	defer close(release)
	conn, other := o.dial(t, far), o.dial(t, server(t, echo))
	_ = conn.SetWriteDeadline(time.Now().Add(700 * time.Millisecond))
	written := 0
	for {
		n, err := conn.Write(make([]byte, 64<<10))
		written += n
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write %v, want a deadline", err)
			}
			break
		}
		if written > 64<<20 {
			t.Fatal("nobody reads and everything is taken")
		}
	}
	swap(t, other, "the other tunnels go on")
}

func TestFailuresAreTyped(t *testing.T) {
	t.Parallel()
	o := pair(t)
	closed := server(t, echo)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Port = listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	_, err = o.Dial(t.Context(), closed, func(Progress) {})
	var f *Failure
	if !errors.As(err, &f) || f.Code != Refused || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	unknown := closed
	unknown.Host = "no-such-host.invalid"
	_, err = o.Dial(t.Context(), unknown, func(Progress) {})
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		t.Errorf("unknown name: %v", err)
	}
	unknown.Host = "two words"
	if _, err = o.Dial(t.Context(), unknown, func(Progress) {}); !errors.As(err, &f) || f.Code != Other {
		t.Errorf("no host: %v", err)
	}
	closed.Connector = 2
	if _, err = o.Dial(t.Context(), closed, func(Progress) {}); !errors.Is(err, ErrNoAgent) {
		t.Errorf("another connector: %v", err)
	}
}

func TestCancelReachesTheAgent(t *testing.T) {
	t.Parallel()
	dialling, ended := make(chan struct{}), make(chan error, 1)
	o := newOrbit(t, "one", newBook("a"))
	options := agentOptions(t, "a", o)
	options.Dial = func(ctx context.Context, _ Request, _ func(Progress)) (Dialled, error) {
		close(dialling)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}
	runAgent(t, options)
	until(t, "the agent connects", o.online(1))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-dialling; cancel() }()
	_, err := o.Dial(ctx, Request{Host: "x", Port: 25, Timeout: time.Minute, Connector: 1}, func(Progress) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("dial: %v", err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the agent ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the agent goes on dialling")
	}
}

func TestDeadlinesInTheTunnel(t *testing.T) {
	t.Parallel()
	conn := pair(t).dial(t, server(t, echo))
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	_ = conn.SetDeadline(time.Time{})
	swap(t, conn, "and goes on")
}

func TestManyTunnelsAtOnce(t *testing.T) {
	t.Parallel()
	o, far := pair(t), server(t, echo)
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			conn, err := o.Dial(context.WithoutCancel(t.Context()), far, func(Progress) {})
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for range 5 {
				if err := exchange(conn, "some words of a mail"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	until(t, "all tunnels end", func() bool { return o.Links()[0].Tunnels == 0 })
}
