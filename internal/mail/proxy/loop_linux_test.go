package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// looped relays between two pairs of connections and returns the outer ends.
func looped(t *testing.T, change func(*relay)) (r *relay, client, server net.Conn, ended chan error) {
	t.Helper()
	l, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	client, near := tcpPair(t)
	server, far := tcpPair(t)
	side := func(conn net.Conn) end {
		w := newWire(conn)
		return end{wire: w, conn: w}
	}
	ended = make(chan error, 1)
	r = &relay{client: side(near), server: side(far), ended: func(err error) { ended <- err }, panicked: func(any) {}}
	if change != nil {
		change(r)
	}
	r.start(l)
	if r.client.wire.taken == nil {
		t.Fatal("no loop has the session")
	}
	t.Cleanup(func() {
		_, _ = client.Close(), server.Close()
		select {
		case err := <-ended:
			_ = err // however it ends
		case <-time.After(patient):
			t.Error("the session has not ended")
		}
		l.stop()
	})
	return r, client, server, ended
}

// What a server says before it closes arrives, however slowly it is read; then so does the end.
func TestLoopDeliversEverythingBeforeTheEnd(t *testing.T) {
	t.Parallel()
	_, client, server, _ := looped(t, nil)
	const size = 32 << 20 // more than the kernel takes
	_, _ = client.SetDeadline(time.Now().Add(patient)), server.SetDeadline(time.Now().Add(patient))
	go func() {
		_, _ = server.Write(bytes.Repeat([]byte("x"), size))
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	n, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{client}, make([]byte, 1<<10))
	if n != size || err != nil {
		t.Fatalf("%d of %d bytes, %v", n, size, err)
	}
	if _, err := client.Write([]byte("still here")); err != nil {
		t.Error(err)
	}
	heard := make([]byte, len("still here"))
	if _, err := io.ReadFull(server, heard); err != nil || string(heard) != "still here" {
		t.Errorf("heard %q, %v", heard, err)
	}
}

// The last words and the end may come in one event.
func TestLoopHearsTheEndWithTheLastWords(t *testing.T) {
	t.Parallel()
	for range 50 {
		_, client, server, _ := looped(t, nil)
		_, _ = server.Write([]byte("* BYE\r\n"))
		_ = server.Close()
		_ = client.SetDeadline(time.Now().Add(patient))
		if text, err := io.ReadAll(client); err != nil || string(text) != "* BYE\r\n" {
			t.Fatalf("heard %q, %v", text, err)
		}
	}
}

func TestLoopKeepsAPanicToItsSession(t *testing.T) {
	t.Parallel()
	faults := make(chan any, 1)
	_, client, _, ended := looped(t, func(r *relay) {
		broken := new(atomic.Bool)
		broken.Store(true)
		r.server.conn = panicky{r.server.conn, broken}
		r.panicked = func(fault any) { faults <- fault }
	})
	_, _ = client.Write([]byte("hello"))
	if err := <-ended; !errors.Is(err, errPanic) {
		t.Error(err)
	}
	if fault := <-faults; fault != "boom" {
		t.Errorf("told of %v", fault)
	}
	ended <- nil // for the clean-up
}

// A cut from outside ends a session although nobody reads.
func TestLoopIsCutWhileASideIsStalled(t *testing.T) {
	t.Parallel()
	r, _, server, ended := looped(t, nil)
	block := make([]byte, 1<<20)
	_ = server.SetWriteDeadline(time.Now().Add(time.Second / 2))
	for {
		if _, err := server.Write(block); err != nil {
			break // nothing moves any more
		}
	}
	r.cut(errIdle)
	if err := <-ended; !errors.Is(err, errIdle) {
		t.Error(err)
	}
	ended <- nil
}

// A server that makes TLS answer again and again, and does not read, can't fill the memory.
func TestUnsentIsBounded(t *testing.T) {
	t.Parallel()
	near, _ := tcpPair(t)
	fd, err := duplicate(newWire(near).raw)
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{fd: fd, loop: new(loop)}
	defer s.close()
	for range 1 << 20 {
		if _, err = s.Write(make([]byte, 1<<10)); err != nil {
			break
		}
	}
	if !errors.Is(err, errUnread) || len(s.unsent) > maxUnsent {
		t.Errorf("%v with %d bytes unsent", err, len(s.unsent))
	}
}

// A server far away must not cost a wait for each command.
func TestLingeringBacksOff(t *testing.T) {
	t.Parallel()
	l, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	defer l.stop()
	quiet := &loop{epoll: l.epoll} // the loop's own habits are for its goroutine
	waited := 0
	for range 3000 {
		quiet.habits.last = new(relay)
		if quiet.habits.of[0].skip == 0 {
			waited++
		}
		quiet.linger()
	}
	if several && (waited < 2 || waited > 20) {
		t.Errorf("lingered %d times of 3000", waited)
	}
}

// A session may be over before the loop has taken in its second side: words of the client wait, and the server is
// gone. Nothing of it stays behind for whoever gets its descriptors next.
func TestLoopForgetsSessionsThatEndAtOnce(t *testing.T) {
	t.Parallel()
	l, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	const sessions = 500
	ended := make(chan error, sessions)
	for range sessions {
		client, near := tcpPair(t)
		server, far := tcpPair(t)
		if _, err := client.Write([]byte("a NOOP\r\n")); err != nil {
			t.Fatal(err)
		}
		_ = server.(*net.TCPConn).SetLinger(0)
		_ = server.Close()
		c, s := newWire(near), newWire(far)
		r := &relay{client: end{wire: c, conn: c}, server: end{wire: s, conn: s}, ended: func(err error) { ended <- err }, panicked: func(any) {}}
		r.start(l)
		t.Cleanup(func() { _ = client.Close() })
	}
	for range sessions {
		select {
		case err := <-ended:
			_ = err // however it ends
		case <-time.After(patient):
			t.Fatal("a session has not ended")
		}
	}
	l.mu.Lock()
	left := len(l.sockets)
	l.mu.Unlock()
	l.stop()
	if left > 0 {
		t.Errorf("%d sockets are left", left)
	}
}
