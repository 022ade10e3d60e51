package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

// Dial opens a connection at the far end. It reports its steps to told, which may be called until it returns.
type Dial func(ctx context.Context, r Request, told func(Progress)) (conn Dialled, err error)

// link is one authenticated connection with many tunnels. The opener asks for them, the acceptor carries them
// out. Stream 1 is for words about the others, see word.go.
type link struct {
	wire    *wire
	session *yamux.Session
	control *yamux.Stream
	talking sync.Mutex // one word at a time
	limit   int
	began   time.Time

	// of the acceptor
	dial Dial
	name string // said to the opener with every request that is taken up

	mu      sync.Mutex
	ends    map[uint32]end
	newest  uint32
	early   map[uint32]struct{} // words about streams that are not taken up yet
	cause   error
	carried sync.WaitGroup

	opened  atomic.Int64
	latency latency
}

// end is our end of a tunnel.
type end interface {
	// heed acts on a word of the other side about this tunnel.
	heed(w word)
	// giveUp breaks the tunnel off, because its reader stands still and too much lies here. It does not wait.
	giveUp()
}

// settings are the same on both sides.
func settings() *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = acceptAhead
	c.EnableKeepAlive = false // ours counts every byte as a sign of life, not only an answer in time
	c.ConnectionWriteTimeout = 30 * time.Second
	c.MaxStreamWindowSize = maxWindow
	c.StreamCloseTimeout = 30 * time.Minute // of a half-closed tunnel
	c.StreamOpenTimeout = 0                 // takeUpTime does that for one tunnel; this would end the link
	c.LogOutput = io.Discard
	return c
}

// newOpener starts the side that asks for tunnels.
func newOpener(ws messages, flush func() error, limit int) (*link, error) {
	l := newLink(newWire(ws, flush, false), limit)
	var err error
	if l.session, err = yamux.Client(l.wire, settings()); err != nil {
		return nil, err
	}
	if l.control, err = l.session.OpenStream(); err != nil {
		_ = l.session.Close()
		return nil, err
	}
	return l, nil
}

// newAcceptor starts the side that carries tunnels out.
func newAcceptor(ctx context.Context, ws messages, flush func() error, limit int, name string, dial Dial) (*link, error) {
	l := newLink(newWire(ws, flush, true), limit)
	l.dial, l.name = dial, name
	var err error
	if l.session, err = yamux.Server(l.wire, settings()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	if l.control, err = l.session.AcceptStreamWithContext(ctx); err != nil {
		_ = l.session.Close()
		return nil, fmt.Errorf("begin the link: %w", err)
	}
	return l, nil
}

func newLink(w *wire, limit int) *link {
	if limit == 0 {
		limit = usualLimit
	}
	l := &link{wire: w, limit: limit, began: time.Now(), ends: map[uint32]end{}, early: map[uint32]struct{}{}}
	w.giveUp = l.giveUp
	return l
}

// run keeps the link until ctx ends or it breaks, and returns why. All that it started has ended then.
func (l *link) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.fail(context.Cause(ctx)) })
	defer stop()
	var group sync.WaitGroup
	group.Go(l.hearWords)
	group.Go(l.ping)
	group.Go(l.watch)
	if l.dial != nil {
		group.Go(func() { l.accept(ctx) })
	}
	<-l.session.CloseChan()
	l.fail(errors.New("the connection broke"))
	group.Wait()
	l.carried.Wait()
	return l.why()
}

// fail ends the link. The first reason is the one that counts.
func (l *link) fail(cause error) {
	l.mu.Lock()
	if l.cause == nil {
		l.cause = cause
	}
	l.mu.Unlock()
	_ = l.session.Close()
}

func (l *link) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// ping measures the round trip, and gives the other side something to hear: also while its answers wait behind
// what we do not take in.
func (l *link) ping() {
	var group sync.WaitGroup
	defer group.Wait()
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		group.Go(func() {
			if took, err := l.session.Ping(); err == nil {
				l.latency.add(took)
			}
		})
		select {
		case <-ticker.C:
		case <-l.session.CloseChan():
			return
		}
	}
}

// watch ends a link that nothing comes through any more, and gives back memory of tunnels that rest.
func (l *link) watch() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	swept := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-l.session.CloseChan():
			return
		}
		if silence := l.wire.silence(); silence > deadAfter {
			l.fail(fmt.Errorf("nothing was heard for %s", silence.Round(time.Second)))
			return
		}
		if time.Since(swept) > sweepEvery {
			swept = time.Now()
			l.shrink()
		}
	}
}

// shrinker is an end whose receive buffer can be given back while it is empty.
type shrinker interface{ Shrink() }

func (l *link) shrink() {
	l.mu.Lock()
	all := slices.Collect(maps.Values(l.ends))
	l.mu.Unlock()
	for _, e := range all { // it may wait for the line, which giveUp, with the lock, sets free
		if s, ok := e.(shrinker); ok {
			s.Shrink()
		}
	}
}

// add registers our end of a tunnel. It reports whether the other side has spoken of it already.
func (l *link) add(id uint32, e end) (early bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[id] = e
	l.wire.backlog.begin(id)
	l.newest = max(l.newest, id)
	_, early = l.early[id]
	delete(l.early, id)
	l.opened.Add(1)
	return early
}

func (l *link) remove(id uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ends, id)
	l.wire.backlog.end(id)
}

// giveUp breaks tunnels off that stand still.
func (l *link) giveUp(streams []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range streams {
		if e, open := l.ends[id]; open {
			e.giveUp()
		}
	}
}

// tunnels is how many are open.
func (l *link) tunnels() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ends)
}

// drain lets the tunnels end for a while; the other side asks for no new ones.
func (l *link) drain(ctx context.Context, d time.Duration) {
	_ = l.session.GoAway()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for l.tunnels() > 0 {
		select {
		case <-look.C:
		case <-l.session.CloseChan():
			return
		case <-ctx.Done():
			return
		}
	}
}

const drainLook = 50 * time.Millisecond
