package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// The queues of River. What is urgent does not stand behind anything else.
const (
	queueUrgent   = "notify_urgent"
	queueNormal   = "notify"
	queueWebhooks = "webhooks"
	queueSweep    = "sweep"
)

const stopJobsTime = 10 * time.Second

// sendArgs wakes the senders: a transaction has left so many messages in the queue.
type sendArgs struct {
	Deliveries int `json:"deliveries"`
}

// Kind implements river.JobArgs.
func (sendArgs) Kind() string { return "notify_send" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sendArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueNormal} }

type sendWorker struct {
	river.WorkerDefaults[sendArgs]
	*Service
}

// Work implements river.Worker.
func (w *sendWorker) Work(context.Context, *river.Job[sendArgs]) error {
	w.wake.raise()
	return nil
}

// digestArgs sends what was held back for a contact.
type digestArgs struct {
	Rule    int64     `json:"rule"`
	Contact int64     `json:"contact"`
	Until   time.Time `json:"until"`
}

// Kind implements river.JobArgs.
func (digestArgs) Kind() string { return "notify_digest" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (digestArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueNormal} }

type digestWorker struct {
	river.WorkerDefaults[digestArgs]
	*Service
}

// Work implements river.Worker.
func (w *digestWorker) Work(ctx context.Context, job *river.Job[digestArgs]) error {
	return w.sendHeld(ctx, job.Args)
}

// sweepArgs removes what is older than the retention of System Parameters.
type sweepArgs struct{}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "notify_sweep" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sweepArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueSweep} }

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	*Service
}

// Timeout implements river.Worker.
func (*sweepWorker) Timeout(*river.Job[sweepArgs]) time.Duration { return 10 * time.Minute }

// Work implements river.Worker.
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return w.forgetOld(ctx)
}

// newJobs makes the client of River. It inserts jobs from the start, and works on them while runJobs runs.
func (s *Service) newJobs() (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	err := errors.Join(
		river.AddWorkerSafely(workers, &sendWorker{Service: s}),
		river.AddWorkerSafely(workers, &digestWorker{Service: s}),
		river.AddWorkerSafely(workers, &webhookWorker{Service: s}),
		river.AddWorkerSafely(workers, &sweepWorker{Service: s}),
	)
	if err != nil {
		return nil, err
	}
	return river.NewClient(riverpgxv5.New(s.pool), &river.Config{
		ID: s.process, Logger: slog.New(quiet{s.log.Handler()}), Workers: workers,
		Queues: map[string]river.QueueConfig{
			queueUrgent: {MaxWorkers: 10}, queueNormal: {MaxWorkers: 10}, queueWebhooks: {MaxWorkers: 10}, queueSweep: {MaxWorkers: 1},
		},
		CompletedJobRetentionPeriod: time.Hour,
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(river.PeriodicInterval(time.Hour), func() (river.JobArgs, *river.InsertOpts) {
				return sweepArgs{}, nil
			}, nil),
		},
	})
}

// runJobs works on jobs until ctx ends.
func (s *Service) runJobs(ctx context.Context) error {
	for {
		err := s.jobs.Start(context.WithoutCancel(ctx))
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		s.log.ErrorContext(ctx, "start the job queue", "error", err)
		pause(ctx, nil, dispatchEvery)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopJobsTime)
	defer cancel()
	err := s.jobs.Stop(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.jobs.StopAndCancel(context.WithoutCancel(ctx))
	}
	if err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

// quiet keeps River's chatter out of the log: what matters of a job its worker says itself.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
