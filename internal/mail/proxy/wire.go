package proxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// wire is the lowest connection of one side: a TCP connection, or a connector's tunnel. TLS may run above.
type wire struct {
	net.Conn
	raw     syscall.RawConn // nil where waiting is only possible inside a read
	in, out step            // what Read and Write are doing; each has one caller at a time
	mu      sync.Mutex      // for taking over and closing
	taken   descriptor      // a loop has the connection, and Conn is closed
}

// descriptor is a connection that a loop has taken over. Its reads don't wait: TLS hands errNotReady up to the
// loop, which holds no buffer while a session rests. That is why 10,000 idle sessions are cheap.
type descriptor interface {
	io.ReadWriter
	closeWrite() error
	hangUp() error
}

// step is one read or write. It lives in the wire, because a closure for each call would be garbage.
type step struct {
	run  func(fd uintptr) (done bool)
	left []byte
	n    int
	err  error
}

// newWire takes the connections whose bytes come straight from the descriptor. Others may keep bytes of
// their own in front of it, so a type that merely has SyscallConn is not enough.
func newWire(conn net.Conn) *wire {
	w := &wire{Conn: conn}
	if tcp, ok := conn.(*net.TCPConn); ok && readsNow {
		w.raw, _ = tcp.SyscallConn()
		w.in.run, w.out.run = w.readStep, w.writeStep
	}
	return w
}

// errNotReady says that a read would wait. It is temporary, so that crypto/tls keeps what it has read of a
// record and goes on with the next call, as it does after a deadline.
var errNotReady net.Error = notReady{}

type notReady struct{}

func (notReady) Error() string   { return "no bytes are waiting" }
func (notReady) Timeout() bool   { return true }
func (notReady) Temporary() bool { return true }

func (w *wire) Read(p []byte) (int, error) {
	switch {
	case w.taken != nil:
		return w.taken.Read(p)
	case w.raw == nil:
		return w.Conn.Read(p)
	}
	return w.in.do(w.raw.Read, p)
}

// Write takes everything. It waits for room, or the loop does.
func (w *wire) Write(p []byte) (int, error) {
	switch {
	case w.taken != nil:
		return w.taken.Write(p)
	case w.raw == nil:
		return w.Conn.Write(p)
	}
	return w.out.do(w.raw.Write, p)
}

// do runs the step until it is done, waiting for the descriptor between its attempts.
func (s *step) do(wait func(func(uintptr) bool) error, p []byte) (int, error) {
	s.left, s.n, s.err = p, 0, nil
	err := wait(s.run)
	s.left = nil
	if err == nil {
		err = s.err
	}
	return s.n, err
}

func (w *wire) readStep(fd uintptr) bool {
	w.in.n, w.in.err = readNow(int(fd), w.in.left)
	return !errors.Is(w.in.err, errNotReady)
}

func (w *wire) writeStep(fd uintptr) bool {
	s := &w.out
	for len(s.left) > 0 {
		n, err := writeNow(int(fd), s.left)
		s.left = s.left[n:]
		s.n += n
		if err != nil {
			s.err = err
			return !errors.Is(err, errNotReady)
		}
	}
	s.err = nil
	return true
}

// become hands the connection over: d has a descriptor of its own for it, which Go's poller does not watch.
func (w *wire) become(d descriptor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = d
	_ = w.Conn.Close()
}

// Close closes. What a loop has is only ended, and the loop closes it.
func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken != nil {
		return w.taken.hangUp()
	}
	return w.Conn.Close()
}

// CloseWrite sends the end of our bytes.
func (w *wire) CloseWrite() error {
	if w.taken != nil {
		return w.taken.closeWrite()
	}
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return w.Close()
}

// longAgo as a deadline ends a read that is under way.
var longAgo = time.Unix(1, 0)

// hangsUp waits until the peer closes, and returns false when it sends something or the read deadline passes.
func (w *wire) hangsUp() bool {
	gone := false
	err := w.raw.Read(func(fd uintptr) bool {
		var known bool
		gone, known = hungUp(int(fd))
		return known
	})
	return err == nil && gone
}
