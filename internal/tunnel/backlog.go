package tunnel

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// What has arrived for tunnels whose readers stand still lies in memory, up to maxWindow for each of them. A link
// holds heldLimit of it at most. Above that it takes nothing more in for a moment, which slows the other side down,
// and when nobody reads meanwhile, the tunnels that have stood still for longest are broken off.
const (
	heldLimit    = 24 << 20
	stalledAfter = time.Second // the limit for signs of life, deadAfter, is longer
)

// backlog counts what tunnels have received and their readers have not taken.
type backlog struct {
	limit int64

	mu    sync.Mutex
	held  map[uint32]*holding
	total int64
	eased wake
}

// holding is what lies there for one tunnel.
type holding struct {
	bytes int64
	moved time.Time // when its reader last took something, or found nothing
}

func newBacklog(limit int64) *backlog {
	return &backlog{limit: limit, held: map[uint32]*holding{}, eased: make(wake, 1)}
}

// wake tells one goroutine that something has changed.
type wake chan struct{}

func (w wake) raise() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// begin counts a tunnel from now on; what came with its request is too little to matter.
func (b *backlog) begin(stream uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held[stream] = &holding{moved: time.Now()}
}

// end forgets a tunnel with what lies there for it.
func (b *backlog) end(stream uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h, counted := b.held[stream]; counted {
		b.total -= h.bytes
		delete(b.held, stream)
		b.eased.raise()
	}
}

// arrived adds what the line has brought.
func (b *backlog) arrived(stream uint32, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, counted := b.held[stream]
	if !counted {
		return
	}
	if h.bytes == 0 {
		h.moved = time.Now()
	}
	h.bytes += int64(n)
	b.total += int64(n)
}

// taken subtracts what the reader of a tunnel took.
func (b *backlog) taken(stream uint32, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, counted := b.held[stream]
	if !counted || n <= 0 {
		return
	}
	fewer := min(int64(n), h.bytes)
	h.bytes -= fewer
	b.total -= fewer
	h.moved = time.Now()
	b.eased.raise()
}

// over reports whether there is too much; within a frame a little more is not.
func (b *backlog) over(inFrame bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if inFrame {
		return b.total > b.limit+maxWindow
	}
	return b.total > b.limit
}

// wait returns when there is room again, or after a while, or when done is closed; then it reports whether there is.
func (b *backlog) wait(done <-chan struct{}) bool {
	timer := time.NewTimer(stalledAfter)
	defer timer.Stop()
	for b.over(false) {
		select {
		case <-b.eased:
		case <-timer.C:
			return !b.over(false)
		case <-done:
			return true
		}
	}
	return true
}

// stalled forgets the tunnels whose readers stand still, and as many more as must go so that there is room, and
// returns them.
func (b *backlog) stalled() []uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	streams := make([]uint32, 0, len(b.held))
	for stream, h := range b.held {
		if h.bytes > 0 {
			streams = append(streams, stream)
		}
	}
	slices.SortFunc(streams, func(x, y uint32) int {
		return cmp.Or(b.held[x].moved.Compare(b.held[y].moved), cmp.Compare(x, y))
	})
	for i, stream := range streams {
		if b.total <= b.limit && time.Since(b.held[stream].moved) < stalledAfter {
			return streams[:i]
		}
		b.total -= b.held[stream].bytes
		delete(b.held, stream)
	}
	return streams
}
