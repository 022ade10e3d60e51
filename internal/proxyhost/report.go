package proxyhost

import (
	"context"
	"os"
	"time"
)

// What this process does is written when the state of a listener changes, and every few seconds with the
// figures and as a sign of life.
const (
	reportEvery = 3 * time.Second
	reportRest  = 100 * time.Millisecond // between two reports
	aliveFor    = 15 * time.Second       // without a sign of life a process counts as gone
	reportTime  = 5 * time.Second
)

// report tells the database what this process does until ctx ends.
func (s *Service) report(ctx context.Context) {
	broken := false
	for ctx.Err() == nil {
		err := s.reportNow(ctx)
		if err != nil && !broken && ctx.Err() == nil {
			s.log.Warn("tell what the listeners of the mail proxy do", "error", err)
		}
		broken = err != nil
		pause(ctx, reportRest)
		wait(ctx, s.happened, reportEvery)
	}
}

func (s *Service) reportNow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	host, _ := os.Hostname()
	return storeReport(ctx, s.pool, alive{process: s.process, host: host, pid: os.Getpid(), version: s.version}, s.server.Status())
}

// leave takes back what this process has told.
func (s *Service) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	if err := deleteProcess(ctx, s.pool, s.process); err != nil {
		s.log.Warn("tell that this process has ended", "error", err)
	}
}
