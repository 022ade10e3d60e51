package notify

import (
	"context"
	"sync"
	"time"
)

const (
	recorders   = 2 // one gathers while the other commits
	maxRecords  = 256
	recordBatch = 64
	recordTime  = 30 * time.Second
	recordRetry = 200 * time.Millisecond
	recordRest  = 2 * time.Millisecond // in which others come
)

// recorder stores what became of attempts, as many in one transaction as there are.
type recorder struct {
	queue chan record
	ended chan struct{} // nothing is recorded any more: the database was away when Orbit stopped
}

// add hands over a record, and waits where too many are there already.
func (r *recorder) add(one record) {
	select {
	case r.queue <- one:
	case <-r.ended:
	}
}

// await waits until a record is stored.
func (r *recorder) await(done <-chan struct{}) {
	select {
	case <-done:
	case <-r.ended:
	}
}

// keepRecording runs the recorders until ctx ends and nothing waits.
func (s *Service) keepRecording(ctx context.Context) {
	var all sync.WaitGroup
	for range recorders {
		all.Go(func() { s.record(ctx) })
	}
	all.Wait()
	close(s.recorder.ended)
}

// record writes until ctx ends and nothing waits.
func (s *Service) record(ctx context.Context) {
	for {
		select {
		case first := <-s.recorder.queue:
			pause(ctx, nil, recordRest)
			s.storeRecords(ctx, s.recorder.gather(first))
		case <-ctx.Done():
			select {
			case first := <-s.recorder.queue:
				s.storeRecords(ctx, s.recorder.gather(first))
			default:
				return
			}
		}
	}
}

func (r *recorder) gather(first record) []record {
	batch := []record{first}
	for len(batch) < recordBatch {
		select {
		case next := <-r.queue:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// storeRecords writes a batch, and again until the database takes it: what was sent must not be forgotten while this
// process lives. After ctx has ended it has recordTime for that.
func (s *Service) storeRecords(ctx context.Context, batch []record) {
	defer func() {
		for _, r := range batch {
			s.hands.Delete(r.item.ID)
			close(r.done)
		}
	}()
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(recordTime, cancel) })()
	for tries := 0; ; tries++ {
		err := s.tryRecords(work, batch)
		if err == nil {
			return
		}
		if tries == 0 {
			s.log.ErrorContext(ctx, "record what became of messages", "messages", len(batch), "error", err)
		}
		if pause(work, nil, recordRetry); work.Err() != nil {
			return
		}
	}
}

func (s *Service) tryRecords(ctx context.Context, batch []record) error {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	return storeRecords(ctx, s.pool, s.process, batch)
}
