package inbox

import (
	"context"
	"sync"
	"time"

	"orbit/internal/mail/fetch"
)

// A transaction takes so much at most, and towards the end ever less: nothing is read any more while the last ones are
// stored. What is less waits until nothing has come for a moment.
const (
	maxLetters   = 500
	lastLetters  = 50
	maxBatchSize = 4 << 20
	gatherTime   = 20 * time.Millisecond
)

// line is the way of letters from the server to the database. Whoever reads them from the server fills a batch, and
// one goroutine stores batches, so that the server sends while the database commits. Letters are not handed over one
// by one: to wake a goroutine for each is a good part of what a message costs.
type line struct {
	v        *visiting
	full     chan []*letter // closed after the last letter
	worker   sync.WaitGroup
	kept     kept
	err      error // of storing
	complete bool  // the server has sent all

	mu       sync.Mutex
	progress *progress
	filling  []*letter
	size     int64
	coming   int  // so many letters at most
	growing  bool // something was added since the last look
}

// startLine begins a line; stop ends the fetching when storing fails.
func (v *visiting) startLine(ctx context.Context, stop context.CancelCauseFunc, p *progress) *line {
	l := &line{v: v, progress: p, coming: v.box.Messages() - v.visit.Found, full: make(chan []*letter, 1)}
	l.worker.Go(func() { l.run(ctx, stop) })
	return l
}

// expect says what is added next.
func (l *line) expect(piece []fetch.Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress.expect(piece)
}

// upTo returns up to where all is done with when these letters are stored. After the last letter that is beyond what
// has gone from the server.
func (l *line) upTo(letters []*letter, last bool) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	upTo := l.progress.after(letters)
	if last && l.complete {
		upTo = max(upTo, l.progress.all())
	}
	return upTo
}

// add hands over a letter that is judged; false when ctx has ended.
func (l *line) add(ctx context.Context, letter *letter) bool {
	letters := l.put(letter)
	if letters == nil {
		return ctx.Err() == nil
	}
	select {
	case l.full <- letters:
		return true
	case <-ctx.Done():
		l.release(letters)
		return false
	}
}

// put returns the batch that is full with this letter, nil while there is room.
func (l *line) put(letter *letter) []*letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.filling = append(l.filling, letter)
	l.size += letter.memory
	l.growing = true
	l.coming--
	if len(l.filling) < l.enough() && l.size < maxBatchSize {
		return nil
	}
	return l.empty()
}

// enough is how many letters fill a batch. The caller holds mu.
func (l *line) enough() int { return min(max(l.coming, lastLetters), maxLetters) }

// empty begins another batch. The caller holds mu.
func (l *line) empty() []*letter {
	letters := l.filling
	l.filling, l.size = nil, 0
	return letters
}

// finish waits until all that was added is stored, and returns what came of it.
func (l *line) finish(complete bool) (kept, error) {
	l.complete = complete
	close(l.full)
	l.worker.Wait()
	return l.kept, l.err
}

// run stores until there are no more letters. After an error the rest is only let go.
func (l *line) run(ctx context.Context, stop context.CancelCauseFunc) {
	look := time.NewTicker(gatherTime)
	defer look.Stop()
	for more := true; more; {
		var letters []*letter
		letters, more = l.gather(look)
		if l.err == nil {
			if l.err = l.store(ctx, letters, !more); l.err != nil {
				stop(l.err)
			}
		}
		l.release(letters)
	}
}

func (l *line) release(letters []*letter) {
	for _, letter := range letters {
		l.v.s.release(letter)
	}
}

// gather returns the letters of the next transaction, and whether there may be more.
func (l *line) gather(look *time.Ticker) (letters []*letter, more bool) {
	for {
		select {
		case letters, more := <-l.full:
			if more {
				return letters, true
			}
			return l.rest(), false
		case <-look.C:
			if letters := l.waiting(); letters != nil {
				return letters, true
			}
		}
	}
}

// waiting returns a batch that does not fill any more, nil while it does.
func (l *line) waiting() []*letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.growing {
		l.growing = false
		return nil
	}
	return l.empty()
}

func (l *line) rest() []*letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.empty()
}

// store keeps what was gathered.
func (l *line) store(ctx context.Context, letters []*letter, last bool) error {
	b := batch{letters: letters, upTo: l.upTo(letters, last)}
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
