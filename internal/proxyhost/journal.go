package proxyhost

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
)

// The log is written by one goroutine in batches, so that no session ever waits for the database. While that
// is slow, events wait in memory; when there is no room any more they are counted and that is written.
const (
	maxQueue   = 10_000
	maxBatch   = 500
	batchTime  = 200 * time.Millisecond // how long a batch is collected
	writeTime  = 10 * time.Second
	writeRetry = time.Second
	flushTime  = 5 * time.Second // for what is left when Orbit stops
	pruneEvery = time.Hour
	pruneAfter = maxQueue // events, whichever comes first
)

// Longest texts kept; longer ones come from attackers or are stacks.
const (
	maxAccount = 320
	maxText    = 4000
)

// entry is an event on its way to the log.
type entry struct {
	at                    time.Time
	listener              int64
	session               uint64
	level                 Level
	kind                  string
	account, client, text string
}

// journal writes the log of this process.
type journal struct {
	pool     *pgxpool.Pool
	process  string
	log      *slog.Logger
	queue    chan entry
	lost     atomic.Int64 // that the log doesn't tell yet
	lostEver atomic.Int64
	pruned   time.Time
	written  int // since then

	mu      sync.Mutex
	readers map[signal]struct{}
}

func newJournal(pool *pgxpool.Pool, process string, log *slog.Logger) *journal {
	return &journal{pool: pool, process: process, log: log, queue: make(chan entry, maxQueue), readers: map[signal]struct{}{}}
}

// add never waits.
func (j *journal) add(e entry) {
	select {
	case j.queue <- e:
	default:
		j.lose(1)
	}
}

func (j *journal) lose(n int) {
	j.lost.Add(int64(n))
	j.lostEver.Add(int64(n))
}

// run writes until ctx has ended and the queue is empty, or the database has had its time for the rest.
func (j *journal) run(ctx context.Context) {
	writing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(flushTime, cancel) })()
	for writing.Err() == nil {
		batch := j.collect(ctx)
		if len(batch) > 0 {
			j.store(writing, batch)
		}
		if ctx.Err() != nil && len(batch) == 0 {
			return
		}
		j.prune(ctx)
	}
}

// collect waits for an event and then a moment for others.
func (j *journal) collect(ctx context.Context) []entry {
	rest := time.NewTimer(pruneEvery)
	defer rest.Stop()
	select {
	case first := <-j.queue:
		pause(ctx, batchTime)
		return j.take([]entry{first})
	case <-rest.C:
		return nil
	case <-ctx.Done():
		return j.take(nil)
	}
}

// take adds what is in the queue to a batch, as far as there is room.
func (j *journal) take(batch []entry) []entry {
	for len(batch) < maxBatch {
		select {
		case e := <-j.queue:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// WriteOut writes what waits for the log in a process that does not Run: a command that is about to end.
func (s *Service) WriteOut(ctx context.Context) {
	batch := s.journal.take(nil)
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	s.journal.store(ctx, batch)
}

// store writes a batch, and tries again until it has succeeded or ctx has ended.
func (j *journal) store(ctx context.Context, batch []entry) {
	for tries := 0; ; tries++ {
		err := j.write(ctx, batch)
		if err == nil {
			j.written += len(batch)
			return
		}
		if tries == 0 && ctx.Err() == nil {
			j.log.Error("write the log of the mail proxy", "error", err)
		}
		if !pause(ctx, writeRetry) {
			j.lose(len(batch))
			return
		}
	}
}

// write commits a batch and wakes the readers in this process.
func (j *journal) write(ctx context.Context, batch []entry) error {
	lost := j.lost.Load()
	if lost > 0 {
		text := fmt.Sprintf("Events were not written because the database was slow: %d", lost)
		batch = append(batch, entry{at: time.Now(), level: Warning, kind: kindLost, text: text})
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	err := postgres.InTx(ctx, j.pool, func(tx pgx.Tx) error { return insertEvents(ctx, tx, j.process, batch) })
	if err != nil {
		return err
	}
	j.lost.Add(-lost)
	j.news()
	return nil
}

// prune keeps the log within its bounds; any process does it for all.
func (j *journal) prune(ctx context.Context) {
	if time.Since(j.pruned) < pruneEvery && j.written < pruneAfter {
		return
	}
	j.pruned, j.written = time.Now(), 0
	if err := pruneEvents(ctx, j.pool, time.Now().Add(-eventLife), eventRows); err != nil && ctx.Err() == nil {
		j.log.Warn("clear away old events of the mail proxy", "error", err)
	}
}

// subscribe returns a signal that is raised when there is something new in the log.
func (j *journal) subscribe() signal {
	news := newSignal()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.readers[news] = struct{}{}
	return news
}

func (j *journal) unsubscribe(news signal) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.readers, news)
}

// news wakes the readers in this process.
func (j *journal) news() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for reader := range j.readers {
		reader.raise()
	}
}

// pause waits and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	wait(ctx, nil, d)
	return ctx.Err() == nil
}

// storable makes a text fit for a column of a line: valid UTF-8, no control characters, at most limit bytes.
func storable(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}
