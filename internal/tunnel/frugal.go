package tunnel

import (
	"sync/atomic"

	"github.com/hashicorp/yamux"
)

// frugal is a stream that gives its receive buffer back when a burst has been read: yamux keeps it, as large as
// it once was, and a thousand tunnels that each had a mail would hold a thousand mails.
type frugal struct {
	*yamux.Stream
	backlog *backlog
	since   atomic.Int64 // bytes read since the buffer was given back
}

// After so many bytes the buffer is worth the trouble: when a read that does not fill p has just emptied it, or
// in any case after more, which has an effect only if it is empty.
const (
	shrinkSoon = 8 << 10
	shrinkTry  = 64 << 10
)

// Read implements io.Reader.
func (f *frugal) Read(p []byte) (int, error) {
	n, err := f.Stream.Read(p)
	f.backlog.taken(f.StreamID(), n)
	switch since := f.since.Add(int64(n)); {
	case since >= shrinkSoon && n < len(p):
		f.since.Store(0)
		f.Shrink()
	case since >= shrinkTry:
		f.since.Store(shrinkSoon) // whether it was empty nobody tells
		f.Shrink()
	}
	return n, err
}
