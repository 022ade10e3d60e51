package fetch

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
)

// wait sleeps in IDLE where that is offered, and looks from time to time where it is not.
func (b *imapBox) wait(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case <-b.news:
			return nil
		default:
		}
		if time.Since(b.selected) >= b.server.Timeouts.Renew {
			if err := b.selectAgain(ctx); err != nil {
				return err
			}
			continue
		}
		sleep := b.look
		if b.idle {
			sleep = b.sleep
		}
		if err := sleep(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// selectAgain finds out what a server does not tell those who stay in the folder: that it was deleted and made anew, as
// by a restored backup, and mail whose notification was lost.
func (b *imapBox) selectAgain(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { b.hand.expect(b.server.Timeouts.Quit) })()
	validity, next, messages := b.validity, b.next, b.messages(State{})
	state, err := b.enter()
	switch {
	case err != nil:
		return err
	case state.UIDValidity != validity:
		return ErrRenumbered
	case state.UIDNext != next, state.Messages != messages:
		b.wake()
	}
	return nil
}

// sleep runs one IDLE (RFC 2177). When ctx ends, IDLE is ended in order, so that the mailbox can still be used; a
// server that does not let us go has little time for it.
func (b *imapBox) sleep(ctx context.Context) error {
	timeouts := b.server.Timeouts
	b.hand.expect(timeouts.Command)
	hurry := context.AfterFunc(ctx, func() { b.hand.expect(timeouts.Quit) })
	idle, err := b.client.Idle()
	hurry()
	var refused *imap.Error
	if errors.As(err, &refused) {
		b.idle = false // offered and not done; look instead
		return nil
	}
	if err != nil {
		return b.why(err)
	}
	b.hand.rest()
	renew := time.NewTimer(timeouts.Renew)
	defer renew.Stop()
	limit := timeouts.Command
	select {
	case <-b.news:
		b.wake()
	case <-renew.C:
	case <-b.client.Closed():
	case <-ctx.Done():
		limit = timeouts.Quit
	}
	b.hand.expect(limit)
	return b.why(errors.Join(idle.Close(), idle.Wait()))
}

// look waits and then asks: the server answers NOOP with what is new (RFC 9051 6.1.2).
func (b *imapBox) look(ctx context.Context) error {
	timer := time.NewTimer(b.server.Timeouts.Poll)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer context.AfterFunc(ctx, func() { _ = b.hand.raw.Close() })()
	return b.do(func() error { return b.client.Noop().Wait() })
}
