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
