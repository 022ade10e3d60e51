package inbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"
)

// errLost says that the mailbox belongs to another process by now.
var errLost = errors.New("another process has taken over the mailbox")

// lease is the right to store what is in a mailbox. The token is another one for each owner.
type lease struct {
	account int64
	process string
	token   int64
}

// presence is this process as the others see it, from join to leave. lost ends when its lease could not be renewed in
// time: then it has no mailboxes any more and must not act as if.
type presence struct {
	id    string
	lost  context.Context //nolint:containedctx // it is a signal, and ends what was begun under it
	beats chan struct{}   // closed when the heartbeat has ended
	stop  func()
}

// join makes this process an owner of mailboxes. Who joins again after a loss has another name and owns nothing.
func (s *Service) join(ctx context.Context) (*presence, error) {
	p := &presence{id: newProcess(), beats: make(chan struct{})}
	host, _ := os.Hostname()
	if err := insertProcess(ctx, s.pool, p.id, host, os.Getpid(), s.times.lease); err != nil {
		return nil, err
	}
	p.lost, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() { //nolint:contextcheck // its context is the presence's
		defer close(p.beats)
		s.beat(p)
	}()
	return p, nil
}

// beat renews the lease until stop. The moment of a renewal is taken before the database is asked, so this process
// gives up before anybody takes over.
func (s *Service) beat(p *presence) {
	defer p.stop()
	ticker := time.NewTicker(s.times.beat)
	defer ticker.Stop()
	until := time.Now().Add(s.times.lease - s.times.beat)
	for {
		select {
		case <-ticker.C:
		case <-p.lost.Done():
			return
		}
		asked := time.Now()
		within, cancel := context.WithDeadline(p.lost, until)
		kept, err := renewProcess(within, s.pool, p.id, s.times.lease)
		cancel()
		switch {
		case p.lost.Err() != nil:
			return
		case err == nil && kept:
			until = asked.Add(s.times.lease - s.times.beat)
		case err == nil, time.Now().After(until):
			s.log.Warn("this process could not renew its lease and has lost its mailboxes", "error", err)
			return
		}
	}
}

// leave gives everything back at once.
func (s *Service) leave(ctx context.Context, p *presence) {
	p.stop()
	<-p.beats
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.times.farewell)
	defer cancel()
	if err := deleteProcess(ctx, s.pool, p.id); err != nil {
		s.log.WarnContext(ctx, "give back the mailboxes", "error", err)
	}
}

// under returns a context that ends with ctx and with the presence.
func (p *presence) under(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.lost, func() { cancel(errLost) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// newProcess returns 128 random bits, which PostgreSQL takes for a uuid.
func newProcess() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// times are those of leases and looks; tests have shorter ones.
type times struct {
	lease    time.Duration // without a sign of life for so long, a process has lost its mailboxes
	beat     time.Duration // between two signs
	storing  time.Duration // a process that freezes while it stores keeps the mailbox locked for so long
	look     time.Duration // for mailboxes that nobody owns
	reload   time.Duration // of the accounts, should no notification arrive
	poll     time.Duration // of POP3, and of IMAP without IDLE
	renew    time.Duration // of IDLE and of the folder, which may have been made anew
	retry    time.Duration // of a message that could not be read or stored
	again    time.Duration // after a connection that ended while it waited
	loop     time.Duration // a loop test that has not arrived then is lost
	follow   time.Duration // between two looks for one
	junk     time.Duration // between two looks for one among unwanted mail
	farewell time.Duration // for what is said to the database at the end
}

func defaultTimes() times {
	return times{
		lease: 10 * time.Second, beat: 2500 * time.Millisecond, storing: 5 * time.Second, look: 2 * time.Second, reload: 30 * time.Second,
		poll: time.Minute, renew: 10 * time.Minute, retry: time.Hour, again: 2 * time.Second,
		loop: 15 * time.Minute, follow: 10 * time.Second, junk: 20 * time.Second, farewell: 5 * time.Second,
	}
}

// String names the lease in the log.
func (l lease) String() string { return fmt.Sprintf("mailbox %d, token %d", l.account, l.token) }
