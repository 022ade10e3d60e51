package tunnel

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

// A direction waits with a small buffer, because a thousand tunnels wait most of the time, and takes a large
// one from the pool while it rains. Where it rains on all of them, and nobody takes the water, the large ones are
// a few: the others go on with the small one.
const (
	waitBuffer = 4 << 10
	rainBuffer = maxFrame
	rainEnds   = time.Second
	maxRain    = 128
)

var (
	rainBuffers = sync.Pool{New: func() any { return new([rainBuffer]byte) }}
	raining     atomic.Int64
)

// borrow returns a large buffer, or nil while enough of them are out.
func borrow() *[rainBuffer]byte {
	if raining.Add(1) > maxRain {
		raining.Add(-1)
		return nil
	}
	return rainBuffers.Get().(*[rainBuffer]byte)
}

func giveBack(buffer *[rainBuffer]byte) {
	rainBuffers.Put(buffer)
	raining.Add(-1)
}

// readTimer is what can be read with a deadline.
type readTimer interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// pump copies until src ends, which is nil, or one of them fails. Whoever sets stopped wakes the reader by a
// deadline in the past.
func pump(dst io.Writer, src readTimer, stopped func() bool) error {
	buffer := make([]byte, waitBuffer)
	for {
		n, err := step(dst, src, buffer)
		if n == len(buffer) && err == nil {
			err = pour(dst, src, stopped)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// pour copies with a large buffer until less comes.
func pour(dst io.Writer, src readTimer, stopped func() bool) error {
	buffer := borrow()
	if buffer == nil {
		return nil
	}
	defer giveBack(buffer)
	for {
		if err := src.SetReadDeadline(time.Now().Add(rainEnds)); err != nil {
			return err
		}
		n, err := step(dst, src, buffer[:])
		if stopped() {
			return net.ErrClosed
		}
		if dry := isLate(err); dry || err == nil && n < waitBuffer {
			if err := src.SetReadDeadline(time.Time{}); err != nil {
				return err
			}
			if stopped() { // it was said between the two lines above, and its deadline is gone
				return net.ErrClosed
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// step reads once and writes what was read.
func step(dst io.Writer, src io.Reader, buffer []byte) (int, error) {
	n, err := src.Read(buffer)
	if n > 0 {
		if _, err := dst.Write(buffer[:n]); err != nil {
			return n, errors.Join(errWrite, err)
		}
	}
	return n, err
}

// errWrite marks an error as one of the writer, whose own deadline is no end of the rain.
var errWrite = errors.New("write")

func isLate(err error) bool {
	return err != nil && !errors.Is(err, errWrite) && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, yamux.ErrTimeout))
}
