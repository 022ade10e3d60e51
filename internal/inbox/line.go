package inbox

import (
	"context"
	"sync"
	"time"
)

// A transaction takes what is there, within bounds, and waits a moment for more.
const (
	maxLetters   = 500
	maxBatchSize = 4 << 20
	gatherTime   = 20 * time.Millisecond
)

// line is the way of letters from the server to the database: one goroutine reads them, one stores them.
type line struct {
	v        *visiting
	progress *progress
	fetched  chan *letter
	judged   chan *letter
	workers  sync.WaitGroup
	kept     kept
	err      error // of storing
	complete bool  // the server has sent all
}

// startLine begins a line; stop ends the fetching when storing fails.
func (v *visiting) startLine(ctx context.Context, stop context.CancelCauseFunc, p *progress) *line {
	l := &line{v: v, progress: p, fetched: make(chan *letter, 32), judged: make(chan *letter, 32)}
	l.workers.Go(func() {
		defer close(l.judged)
		for letter := range l.fetched {
			if letter.hash == nil && letter.reason == nil {
				v.judgeHeld(ctx, letter)
			}
			l.judged <- letter
		}
	})
	l.workers.Go(func() { l.run(ctx, stop) })
	return l
}

// add hands over a letter; false when ctx has ended.
func (l *line) add(ctx context.Context, letter *letter) bool {
	select {
	case l.fetched <- letter:
		return true
	case <-ctx.Done():
		return false
	}
}

// finish waits until all that was added is stored, and returns what came of it.
func (l *line) finish(complete bool) (kept, error) {
	l.complete = complete
	close(l.fetched)
	l.workers.Wait()
	return l.kept, l.err
}

// run stores until there are no more letters. After an error the rest is only let go.
func (l *line) run(ctx context.Context, stop context.CancelCauseFunc) {
	for more := true; more; {
		var letters []*letter
		letters, more = l.gather()
		if l.err == nil {
			if l.err = l.store(ctx, letters, !more); l.err != nil {
				stop(l.err)
			}
		}
		for _, letter := range letters {
			l.v.s.release(letter)
		}
	}
}

// store keeps what was gathered. After the last letter the cursor passes what has gone from the server.
func (l *line) store(ctx context.Context, letters []*letter, last bool) error {
	b := batch{letters: letters, upTo: l.progress.after(letters)}
	if last && l.complete && l.progress.all() > 0 {
		b.upTo = l.progress.all()
	}
	if len(letters) == 0 && b.upTo == 0 {
		return nil
	}
	if err := l.v.s.storing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer l.v.s.storing.Release(1)
	k, err := l.v.keep(ctx, b)
	if err != nil {
		return err
	}
	l.kept.add(k)
	l.v.s.counts.kept(k)
	return nil
}

// gather returns the letters of the next transaction, and whether there may be more.
func (l *line) gather() (letters []*letter, more bool) {
	first, more := <-l.judged
	if !more {
		return nil, false
	}
	letters = append(letters, first)
	size := first.memory
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	for len(letters) < maxLetters && size < maxBatchSize {
		select {
		case next, more := <-l.judged:
			if !more {
				return letters, false
			}
			letters = append(letters, next)
			size += next.memory
			timer.Reset(gatherTime)
		case <-timer.C:
			return letters, true
		}
	}
	return letters, true
}
