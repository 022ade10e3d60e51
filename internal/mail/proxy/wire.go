package proxy

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// wire is the lowest connection of one side: a TCP connection, or a connector's tunnel. TLS may run above.
//
// While a session is relayed its reads can be told not to wait. TLS then hands errNotReady up to the relay,
// which gives its buffer back and waits with nothing in hand. That is why 10,000 idle sessions are cheap.
type wire struct {
	net.Conn
	raw     syscall.RawConn // nil where waiting is only possible inside a read
	in, out step            // what Read and Write are doing; each has one caller at a time
	now     bool            // reads don't wait: whenReady is running
	fd      int             // the descriptor, while now
	store   *buffer         // what was read ahead for TLS, while now: it asks for records, servers send many at once
	ahead   []byte          // the part of store that TLS has not taken
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

// Read reads as usual, or without waiting inside whenReady.
func (w *wire) Read(p []byte) (int, error) {
	switch {
	case w.raw == nil:
		return w.Conn.Read(p)
	case !w.now:
		return w.in.do(w.raw.Read, p)
	case w.store == nil:
		return readNow(w.fd, p)
	case len(w.ahead) == 0:
		n, err := readNow(w.fd, w.store[:])
		if err != nil {
			return 0, err
		}
		w.ahead = w.store[:n]
	}
	n := copy(p, w.ahead)
	w.ahead = w.ahead[n:]
	return n, nil
}

// Write writes everything and waits for room where it must.
func (w *wire) Write(p []byte) (int, error) {
	if w.raw == nil {
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

// whenReady calls step each time bytes are waiting, until it reports that it is done. Reads inside step
// don't wait, so step ends with errNotReady when everything is taken; between the calls the goroutine
// sleeps with a short stack and without a buffer. Layered says that TLS does the reading.
func (w *wire) whenReady(layered bool, step func() (done bool)) error {
	return w.raw.Read(func(fd uintptr) bool {
		w.now, w.fd = true, int(fd)
		if layered {
			w.store = buffers.Get().(*buffer)
			defer buffers.Put(w.store)
		}
		defer func() { w.now, w.store, w.ahead = false, nil, nil }()
		return step()
	})
}

// CloseWrite sends the end of our bytes.
func (w *wire) CloseWrite() error {
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
