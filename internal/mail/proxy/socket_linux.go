package proxy

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// socket is a TCP connection that a loop has taken over. It never waits, and but for its end it belongs to the
// loop's goroutine.
type socket struct {
	fd      int
	loop    *loop
	relay   *relay
	lane    *lane   // takes what is read here to the other
	other   *socket // the session's other side
	layered bool    // TLS does the reading
	news    uint32  // the event that is being handled
	dry     bool    // read empty, and no event since
	hup     bool    // the peer has ended, or all is broken: reads tell, also after what they find
	fin     bool    // our end follows what is unsent
	quota   int     // reads left in this turn
	store   *buffer // what was read ahead for TLS: it asks for records, servers send many at once
	ahead   []byte  // the part of store that TLS has not taken
	unsent  []byte  // what there was no room for; nothing is read for this side until it is gone
	kept    *buffer // has unsent, as long as it fits
	posted  bool    // unsent goes out at the end of the round, together with that of others

	mu     sync.Mutex
	closed bool
}

// Limits of a socket.
const (
	turnReads = 8         // of one socket before others have their turn
	maxUnsent = 256 << 10 // far more than one Write: a server that makes TLS answer, and does not read, ends here
)

var (
	errNoRoom = errors.New("the other side has no room")
	errUnread = errors.New("the peer does not read")
)

// duplicate returns a descriptor of its own, which Go's poller does not know.
func duplicate(raw syscall.RawConn) (fd int, err error) {
	controlErr := raw.Control(func(old uintptr) {
		n, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
		if fd = int(n); errno != 0 {
			err = errno
		}
	})
	return fd, errors.Join(controlErr, err)
}

// heed learns from an event.
func (s *socket) heed() {
	const over = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	s.hup = s.hup || s.news&over != 0
	s.dry = s.dry && s.news&(syscall.EPOLLIN|over) == 0
}

// guard moves what there is and keeps a panic from other sessions. It reports whether there is more.
func (s *socket) guard() (more bool) {
	defer func() {
		if fault := recover(); fault != nil {
			s.relay.panicked(fault)
			s.relay.cut(errPanic)
			more = false
		}
	}()
	if s.lane.over.Load() || s.relay.failure.Load() != nil || !s.other.room() {
		return false
	}
	s.quota = turnReads
	err := s.move()
	s.settle()
	switch {
	case errors.Is(err, errNoRoom):
		return false
	case errors.Is(err, errNotReady):
		return !s.dry
	}
	s.lane.finish(err)
	return false
}

// move moves until the socket is empty, or the other is full, or the turn is over.
func (s *socket) move() error {
	l := s.lane
	if err := l.passRest(); err != nil {
		return err
	}
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	for s.other.room() {
		n, err := fill(l.from.conn, buf[:])
		if err := l.pass(buf[:n]); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	return errNoRoom
}

// Read reads what there is.
func (s *socket) Read(p []byte) (int, error) {
	if !s.layered {
		return s.read(p)
	}
	if len(s.ahead) == 0 {
		if s.store == nil {
			s.store = buffers.Get().(*buffer)
		}
		n, err := s.read(s.store[:])
		if err != nil {
			return 0, err
		}
		s.ahead = s.store[:n]
	}
	n := copy(p, s.ahead)
	s.ahead = s.ahead[n:]
	return n, nil
}

// read asks the kernel, but not when the answer is known: a read that did not fill its buffer has emptied the
// socket, as epoll(7) says. Only the peer's end may be left, and in a stream more has come meanwhile.
func (s *socket) read(p []byte) (int, error) {
	if s.dry || s.quota == 0 {
		return 0, errNotReady
	}
	s.quota--
	n, err := readNow(s.fd, p)
	s.dry = errors.Is(err, errNotReady) || err == nil && n < len(p) && !s.hup && s.lane.stream <= streamAfter
	return n, err
}

// settle gives the buffer back, unless it holds what TLS still needs.
func (s *socket) settle() {
	if s.store != nil && len(s.ahead) == 0 {
		buffers.Put(s.store)
		s.store, s.ahead = nil, nil
	}
}

// room reports whether more may be written. What goes out at the end of the round leaves room: its reader has to
// come to its end now, for no event tells of records that TLS has read ahead.
func (s *socket) room() bool { return len(s.unsent) == 0 || s.posted }

// Write writes what there is room for and keeps the rest. TLS could not go on with half a record.
func (s *socket) Write(p []byte) (int, error) {
	if s.posted && !s.mayWait(p) {
		s.hurry()
	}
	rest := p
	switch {
	case len(s.unsent) > 0: // goes first
	case s.mayWait(p):
		s.loop.outbox.post(s)
	default:
		n, err := s.write(p)
		if err != nil {
			return n, err
		}
		rest = p[n:]
	}
	if len(s.unsent)+len(rest) > maxUnsent {
		return 0, errUnread
	}
	if len(rest) > 0 && s.unsent == nil {
		s.kept = buffers.Get().(*buffer)
		s.unsent = s.kept[:0]
	}
	s.unsent = append(s.unsent, rest...)
	return len(p), nil
}

// mayWait reports whether p can be sent together with what others have to send.
func (s *socket) mayWait(p []byte) bool {
	return s.loop.gathers && len(s.unsent)+len(p) <= maxPosted && s.other.lane.stream <= streamAfter
}

func (s *socket) write(p []byte) (n int, err error) {
	for n < len(p) {
		more, err := writeNow(s.fd, p[n:])
		if n += more; errors.Is(err, errNotReady) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// flush sends what is unsent and reports whether it has made room.
func (s *socket) flush() bool {
	if len(s.unsent) == 0 || s.posted {
		return false
	}
	return s.sent(s.write(s.unsent))
}

// sent takes the first n octets off what is unsent and reports whether that was all.
func (s *socket) sent(n int, err error) bool {
	if s.unsent = s.unsent[n:]; err != nil {
		s.relay.fail(err)
	}
	if len(s.unsent) > 0 {
		return false
	}
	s.forget()
	if s.fin {
		_ = s.shut(syscall.SHUT_WR)
	}
	return true
}

// forget gives the buffer of what was unsent back.
func (s *socket) forget() {
	if s.kept != nil {
		buffers.Put(s.kept)
	}
	s.kept, s.unsent = nil, nil
}

// hurry sends at once what waits for others.
func (s *socket) hurry() {
	s.posted = false
	s.flush()
}

// closeWrite sends our end, after what is unsent.
func (s *socket) closeWrite() error {
	if len(s.unsent) > 0 {
		s.fin = true
		return nil
	}
	return s.shut(syscall.SHUT_WR)
}

// hangUp ends both directions; the loop hears of that and closes. Anybody may call it.
func (s *socket) hangUp() error { return s.shut(syscall.SHUT_RDWR) }

func (s *socket) shut(how int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return io.ErrClosedPipe
	}
	return syscall.Shutdown(s.fd, how)
}

// close gives everything back.
func (s *socket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = syscall.Close(s.fd)
	s.ahead = nil
	s.settle()
	s.forget()
}
