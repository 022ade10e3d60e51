//go:build unix

package proxy

import (
	"errors"
	"io"
	"syscall"
)

const readsNow = true

// readNow reads what is there. The descriptor is non-blocking, as the Go runtime has made it.
func readNow(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		switch {
		case err == nil && n == 0 && len(p) > 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EAGAIN):
			return 0, errNotReady
		case !errors.Is(err, syscall.EINTR):
			return 0, err
		}
	}
}

// hungUp looks whether the peer has closed, without taking octets. While it has not, and has sent nothing,
// there is nothing to know yet.
func hungUp(fd int) (gone, known bool) {
	var one [1]byte
	for {
		n, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK)
		switch {
		case err == nil:
			return n == 0, true
		case errors.Is(err, syscall.EAGAIN):
			return false, false
		case !errors.Is(err, syscall.EINTR):
			return true, true
		}
	}
}

// nappers bounds the threads that nap at once. Where more directions stream, each waits for the others
// anyway, which has the same effect.
var nappers = make(chan struct{}, 2)

// nap lets a stream gather for about 0.1 ms. A server that sends small records would otherwise wake us for
// each of them; taken together they cost half. It reports whether it has slept.
func nap() bool {
	select {
	case nappers <- struct{}{}:
	default:
		return false
	}
	_ = syscall.Nanosleep(&syscall.Timespec{Nsec: 50_000}, nil)
	<-nappers
	return true
}
