package tunnel

import (
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

// frugal is a stream that gives its receive buffer back when a burst has been read: yamux keeps it, as large as
// it once was, and a thousand tunnels that each had a mail would hold a thousand mails.
type frugal struct {
	*yamux.Stream
	backlog *backlog
	since   atomic.Int64 // bytes read since the buffer was given back
	given   atomic.Int64 // when that was, see now
	all     atomic.Int64 // bytes read
}

// After so many bytes the buffer is worth the trouble: when a read that does not fill p has just emptied it, or
// in any case after more, which has an effect only if it is empty.
const (
	shrinkSoon = 8 << 10
	shrinkTry  = 64 << 10
)

// What carries more than a mail or two keeps its buffer for a while: in a long transfer each new one costs as much as what
// it holds.
const (
	longTransfer = 256 << 10
	shrinkRest   = 20 * time.Millisecond
)

// Read implements io.Reader.
func (f *frugal) Read(p []byte) (int, error) {
	n, err := f.Stream.Read(p)
	f.backlog.taken(f.StreamID(), n)
	since := f.since.Add(int64(n))
	long := f.all.Add(int64(n)) > longTransfer
	switch dry := n < len(p); {
	case long && now()-f.given.Load() < int64(shrinkRest):
	case since >= shrinkSoon && dry:
		f.giveBack(0)
	case since >= shrinkTry:
		f.giveBack(shrinkSoon) // whether it was empty nobody tells
	}
	return n, err
}

func (f *frugal) giveBack(since int64) {
	f.since.Store(since)
	f.given.Store(now())
	f.Shrink()
}
