package postgres

import (
	"context"
	"time"
)

const (
	firstPause  = 100 * time.Millisecond
	longestWait = 10 * time.Second
	// A server that lived this long was well; its end is not one of a series.
	healthyLife = time.Minute
)

// supervise starts the server again whenever it ends by itself, with growing pauses when that does not help.
func (p *private) supervise(ctx context.Context, restarted func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	if p.owner == nil { // the server is another process's to restart
		<-ctx.Done()
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	pause := time.Duration(0)
	started := time.Now()
	for {
		if !p.serverEnds(ctx) {
			return nil
		}
		if time.Since(started) > healthyLife {
			pause = 0
		}
		p.log.Error("the PostgreSQL server has ended by itself, starting it again", "error", p.server.Err(), "pause", pause)
		if !sleep(ctx, pause) {
			return nil
		}
		pause = min(max(2*pause, firstPause), longestWait)
		started = time.Now()
		if p.restart(ctx) {
			restarted() // connections to the old server are of no use
		}
	}
}

// serverEnds waits for the server to end by itself; false means that ctx ended, or that close is at work.
func (p *private) serverEnds(ctx context.Context) bool {
	select {
	case <-p.closing:
		return false
	case <-ctx.Done():
		return false
	case <-p.server.Done():
	}
	select {
	case <-p.closing:
		return false
	default:
		return true
	}
}

func (p *private) restart(ctx context.Context) bool {
	server, err := p.cluster.Start(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Error("PostgreSQL does not start", "error", err)
		}
		return false
	}
	p.server = server
	p.log.Info("the PostgreSQL server is back")
	return true
}

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
