package proxyhost

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"orbit/internal/mail/proxy"
)

// slowLook is how soon listeners are read again where no notification arrives: a pooler in front of
// PostgreSQL swallows them.
const slowLook = 10 * time.Second

// Run opens the ports of the listeners that are wanted and follows what people change, until ctx ends; then
// the sessions are drained. Every process runs it. A port that another process has is tried again until it is free.
func (s *Service) Run(ctx context.Context) error {
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.journal.run(writing)
	}()
	s.write(entry{level: Info, kind: kindBegun, text: fmt.Sprintf("Initialising Email OAuth 2.0 Proxy (version %s) from the database", s.version)})
	s.write(entry{level: Info, kind: kindBegun,
		text: "Initialised Email OAuth 2.0 Proxy - listening for authentication requests. Connect your email client to begin"})
	var group errgroup.Group
	group.Go(func() error { return s.server.Run(ctx) })
	for _, work := range []func(context.Context){s.supervise, s.listen, s.report} {
		group.Go(func() error { work(ctx); return nil })
	}
	for range messengers {
		group.Go(func() error { s.runErrands(ctx); return nil })
	}
	err := group.Wait()
	stopWriting() // the last sessions have ended, their events too
	<-written
	s.leave(ctx)
	return err
}

// Reload reads the listeners again now, for a person who cannot believe that it happens by itself.
func (s *Service) Reload() { s.changed.raise() }

// supervise brings what runs in line with what is wanted.
func (s *Service) supervise(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.adjust(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("read the listeners of the mail proxy", "error", err)
		}
		wait(ctx, s.changed, slowLook)
	}
}

// adjust restarts only what has changed: a listener that is equal to what runs is left alone.
func (s *Service) adjust(ctx context.Context) error {
	all, err := s.List(ctx)
	if err != nil {
		return err
	}
	var wanted []proxy.Listener
	for _, l := range all {
		if l.Wanted == Running {
			wanted = append(wanted, l.proxied(l.ID))
		}
	}
	s.server.Apply(wanted)
	for _, l := range all {
		before, known := s.restarted[l.ID]
		s.restarted[l.ID] = l.Restarts
		if known && before != l.Restarts && l.Wanted == Running {
			s.server.Restart(l.proxied(l.ID).Name)
		}
	}
	s.happened.raise()
	return nil
}
