package notify

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	beatEvery = 3 * time.Second
	aliveFor  = 15 * time.Second // without a sign of life others take over what a process had in hand
	beatTime  = 5 * time.Second
)

// pulse remembers when the database last took a sign of life from this process. One that could not give any stops
// sending before others take over.
type pulse struct{ last atomic.Int64 }

func (p *pulse) steady() bool { return time.Since(time.Unix(0, p.last.Load())) < restored }

// keepBeating gives signs of life until the senders have stopped.
func (s *Service) keepBeating(ctx context.Context, stopped <-chan struct{}) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-stopped:
			return
		case <-tick.C:
			if err := s.beat(context.WithoutCancel(ctx)); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "tell that this process lives", "error", err)
			}
		}
	}
}

func (s *Service) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatTime)
	defer cancel()
	host, _ := os.Hostname() // empty where the machine has no name
	asked := time.Now()
	_, err := s.pool.Exec(ctx, `
		insert into process (id, host, pid, version)
		values (@id, @host, @pid, @version)
		on conflict (id) do update set seen_at = now()`,
		pgx.NamedArgs{"id": s.process, "host": host, "pid": os.Getpid(), "version": s.version})
	if err != nil {
		return fmt.Errorf("store a sign of life: %w", err)
	}
	s.pulse.last.Store(asked.UnixNano())
	return nil
}

// leave takes back what this process has told. Messages that it could not record go to the next process at once.
func (s *Service) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatTime)
	defer cancel()
	batch := &pgx.Batch{}
	batch.Queue("delete from sender_connection where process_id = $1::uuid", s.process)
	batch.Queue("delete from process where id = $1::uuid", s.process)
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		s.log.WarnContext(ctx, "tell that this process has ended", "error", err)
	}
}
