package proxy

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// loop relays sessions whose sides are both TCP connections. It is one goroutine for all of them, so a session
// that rests costs no stack, and one that works no switch between goroutines. It has an epoll descriptor of its
// own, which Go's poller watches like any other: the loop waits as every goroutine does, without a thread.
//
// Events are edges: one comes for new bytes, for the peer's end and for new room, and nothing is asked twice.
type loop struct {
	epoll int
	file  *os.File // epoll as Go's poller knows it
	done  chan struct{}

	mu      sync.Mutex
	sockets map[int32]*socket // by descriptor

	// What follows is of the loop's own goroutine.
	events  [128]syscall.EpollEvent
	ready   []*socket
	again   []*socket // have used up their share of a turn
	habits  habits
	gathers bool // short writes go to the outbox
	outbox  outbox
}

// newLoop starts one. It fails where descriptors have run out.
func newLoop() (*loop, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	_ = syscall.SetNonblock(fd, true) // only such descriptors are for Go's poller
	l := &loop{epoll: fd, file: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{}), sockets: make(map[int32]*socket)}
	raw, err := l.file.SyscallConn()
	if err != nil {
		_ = l.file.Close()
		return nil, err
	}
	l.outbox.open()
	go func() {
		defer close(l.done)
		defer l.outbox.close()
		_ = raw.Read(func(uintptr) bool { // until the file is closed
			l.turn()
			return false
		})
	}()
	return l, nil
}

// stop ends the loop. Its sessions have ended before.
func (l *loop) stop() {
	_ = l.file.Close()
	<-l.done
}

// adopt takes a session over, or reports that it can't.
func (l *loop) adopt(r *relay) bool {
	if l == nil || r.client.wire.raw == nil || r.server.wire.raw == nil {
		return false
	}
	client, err := duplicate(r.client.wire.raw)
	if err != nil {
		return false
	}
	server, err := duplicate(r.server.wire.raw)
	if err != nil {
		_ = syscall.Close(client)
		return false
	}
	c := &socket{loop: l, fd: client, relay: r, lane: &r.up, layered: r.client.layered()}
	s := &socket{loop: l, fd: server, relay: r, lane: &r.down, layered: r.server.layered(), other: c}
	c.other = s
	if !l.watch(c, s) {
		_ = syscall.Close(client)
		_ = syscall.Close(server)
		return false
	}
	return true
}

// watch takes both sides in at once, or none. The lock keeps their first events waiting: they come at once, because
// there is room to write, and a session that ended between its sides would leave one behind for whoever gets its
// descriptor next.
func (l *loop) watch(c, s *socket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.add(c) != nil {
		return false
	}
	if l.add(s) != nil {
		l.drop(c)
		return false
	}
	c.relay.client.wire.become(c)
	c.relay.server.wire.become(s)
	return true
}

// epollET is syscall.EPOLLET without its sign.
const epollET = 1 << 31

// add begins to watch, with the lock held.
func (l *loop) add(s *socket) error {
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | epollET, Fd: int32(s.fd)}
	err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, s.fd, &event)
	if err == nil {
		l.sockets[int32(s.fd)] = s
	}
	return err
}

// drop undoes add. The descriptor is still open elsewhere, so closing it would not be enough.
func (l *loop) drop(s *socket) {
	delete(l.sockets, int32(s.fd))
	_ = syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_DEL, s.fd, nil)
}

// turn serves until nothing is ready.
func (l *loop) turn() {
	for round := 1; ; round++ {
		n := l.poll()
		if n == 0 && len(l.again) == 0 {
			if n = l.linger(); n == 0 {
				return
			}
		}
		if l.serve(n) {
			l.habits.last = nil
			nap()
		}
		if !several && round%16 == 0 {
			runtime.Gosched() // sign-ins need the processor, too
		}
	}
}

// poll asks for events without waiting.
func (l *loop) poll() int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events[0])),
		uintptr(len(l.events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// serve handles n events and reports whether all of them were parts of streams.
func (l *loop) serve(n int) (streams bool) {
	again := l.again
	l.again, l.ready = nil, l.ready[:0]
	l.mu.Lock()
	for _, e := range l.events[:n] {
		if s := l.sockets[e.Fd]; s != nil {
			s.news = e.Events
			l.ready = append(l.ready, s)
		}
	}
	l.mu.Unlock()
	l.habits.learn(l.ready)
	streams = n+len(again) > 0
	l.gathers = l.outbox.context != 0 && len(again)+len(l.ready) > 1
	for _, s := range again {
		streams = l.advance(s) && streams
	}
	for _, s := range l.ready {
		streams = l.handle(s) && streams
	}
	clear(l.ready)
	l.gathers = false
	l.deliver()
	return streams
}

// handle takes one event.
func (l *loop) handle(s *socket) (stream bool) {
	if s.relay.finished {
		return false
	}
	if s.heed(); s.flush() {
		stream = l.advance(s.other) // it waited for room here
	}
	return l.advance(s) || stream
}

// advance moves what a socket has, and ends the session when nothing is left to do. It reports whether this was
// part of a stream; that the other side has no room for more is one, too.
func (l *loop) advance(s *socket) (stream bool) {
	r := s.relay
	if r.finished {
		return false
	}
	before := s.lane.stream
	if s.guard() {
		l.again = append(l.again, s)
	}
	if r.failure.Load() != nil || r.open.Load() == 0 && len(s.unsent)+len(s.other.unsent) == 0 {
		l.end(s)
	}
	return s.lane.stream > streamAfter && (s.lane.stream > before || len(s.other.unsent) > 0)
}

// end closes both sides. Who hears of it may take its time.
func (l *loop) end(s *socket) {
	s.relay.finished = true
	s.relay.closeOrderly()
	s.hurry()
	s.other.hurry()
	l.mu.Lock()
	delete(l.sockets, int32(s.fd))
	delete(l.sockets, int32(s.other.fd))
	l.mu.Unlock()
	s.close()
	s.other.close()
	go s.relay.tell()
}
