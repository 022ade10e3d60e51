package proxy

import (
	"os"
	"slices"
	"syscall"
	"unsafe"
)

// outbox sends what a round of the loop has to say to many sockets with one system call, io_submit(2). A write to a
// peer on this machine wakes it, and the kernel lets it run at once in our place: with a write for each socket we
// would lose the processor after each, and the peers would find one packet where they could take ten. Writes to
// sockets that don't block are done when io_submit returns.
type outbox struct {
	context uintptr   // of the kernel; 0 where it gives none
	posted  []*socket // wait for deliver
	orders  [atOnce]order
	list    [atOnce]*order // io_submit takes pointers
	results [atOnce]result
}

// atOnce is how many sockets share a system call.
const atOnce = 64

// maxPosted is the most that a socket may leave to deliver. What is longer is worth a call of its own.
const maxPosted = bufferSize / 2

// order is the kernel's struct iocb, and result its struct io_event (linux/aio_abi.h).
type (
	order struct {
		index           uint64 // comes back in the result
		_               [2]uint32
		operation       uint16
		_               int16
		fd              uint32
		address, length uint64
		_               [3]uint64
	}
	result struct {
		index, _ uint64
		written  int64 // octets, or an errno below zero
		_        int64
	}
)

const pwrite = 1 // IOCB_CMD_PWRITE

// open asks the kernel for a context. Without one, every write is a call of its own. It tries the other calls, too: a
// sandbox may forbid them one by one.
func (o *outbox) open() {
	for i := range o.orders {
		o.list[i] = &o.orders[i]
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_IO_SETUP, atOnce, uintptr(unsafe.Pointer(&o.context)), 0); errno != 0 {
		o.context = 0
		return
	}
	_, _, refused := syscall.RawSyscall(syscall.SYS_IO_SUBMIT, o.context, 0, uintptr(unsafe.Pointer(&o.list[0])))
	if _, errno := o.getEvents(o.results[:], 0); errno != 0 || refused != 0 {
		o.close()
	}
}

func (o *outbox) close() {
	if o.context != 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_IO_DESTROY, o.context, 0, 0)
	}
	o.context = 0
}

// getEvents takes results that have come, at least as many as given.
func (o *outbox) getEvents(results []result, least int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_IO_GETEVENTS, o.context, uintptr(least), uintptr(len(results)),
		uintptr(unsafe.Pointer(unsafe.SliceData(results))), 0, 0)
	return int(n), errno
}

// post leaves what is unsent at s to deliver.
func (o *outbox) post(s *socket) {
	s.posted = true
	o.posted = append(o.posted, s)
}

// deliver sends what was posted. Sessions that waited only for that end in the next round.
func (l *loop) deliver() {
	o := &l.outbox
	posted := slices.DeleteFunc(o.posted, func(s *socket) bool { return !s.takeBack() })
	for batch := range slices.Chunk(posted, atOnce) {
		n := o.submit(batch)
		for _, r := range o.results[:n] {
			batch[r.index].delivered(r.written)
		}
		for _, s := range batch[n:] {
			s.flush()
		}
		for _, s := range batch {
			if s.relay.done() {
				l.again = append(l.again, s.other)
			}
		}
	}
	clear(posted)
	o.posted = o.posted[:0]
}

// takeBack reports whether something is posted, once: who hurried in between may be listed twice.
func (s *socket) takeBack() bool {
	was := s.posted
	s.posted = false
	return was
}

// submit writes what the first n sockets of a batch have not sent, each as far as there is room. A lone one is not
// worth the detour.
func (o *outbox) submit(batch []*socket) (n int) {
	if len(batch) == 1 {
		return 0
	}
	for i, s := range batch {
		o.orders[i] = order{index: uint64(i), operation: pwrite, fd: uint32(s.fd),
			address: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(s.unsent)))), length: uint64(len(s.unsent))}
	}
	taken, _, errno := syscall.RawSyscall(syscall.SYS_IO_SUBMIT, o.context, uintptr(len(batch)), uintptr(unsafe.Pointer(&o.list[0])))
	if errno != 0 {
		return 0
	}
	for n < int(taken) {
		got, errno := o.getEvents(o.results[n:taken], int(taken)-n)
		if errno != 0 && errno != syscall.EINTR {
			panic(os.NewSyscallError("io_getevents", errno)) // nobody could say what was sent
		}
		if errno == 0 {
			n += got
		}
	}
	return n
}

// delivered takes the result of a write of what was unsent.
func (s *socket) delivered(n int64) {
	switch errno := syscall.Errno(-min(n, 0)); errno {
	case 0:
		s.sent(int(n), nil)
	case syscall.EAGAIN, syscall.EINTR:
	default:
		s.sent(0, errno)
	}
}
