package proxy

import (
	"io"
	"syscall"
	"unsafe"
)

// readsNow says that this system can read and write without waiting.
const readsNow = true

// The calls below never block, so they go to the kernel directly. The usual way tells Go's scheduler, which
// wakes its monitor thread each time the program was idle: for a proxy that is every other packet, and it
// costs more than the packet.

// readNow reads what is there. The descriptor is non-blocking, as the Go runtime has made it.
func readNow(fd int, p []byte) (int, error) {
	n, err := call(syscall.SYS_READ, fd, p)
	if err == nil && n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// writeNow writes what there is room for.
func writeNow(fd int, p []byte) (int, error) { return call(syscall.SYS_WRITE, fd, p) }

func call(number uintptr, fd int, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EAGAIN:
			return 0, errNotReady
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// hungUp looks whether the peer has closed, without taking octets. While it has not, and has sent nothing,
// there is nothing to know yet.
func hungUp(fd int) (gone, known bool) {
	var one [1]byte
	n, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK)
	if err == syscall.EAGAIN || err == syscall.EINTR { //nolint:errorlint // an errno as the kernel gave it
		return false, false
	}
	return err != nil || n == 0, true
}
