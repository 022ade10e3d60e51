package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"orbit/internal/mail/dial"
)

// session is one client from accept to close. Its goroutine signs it in and ends; a loop relays it.
type session struct {
	host    *host
	id      uint64
	started time.Time
	wire    *wire
	client  *client // nil once the relay runs: an idle session keeps only what the relay needs
	remote  netip.AddrPort
	counted netip.Addr // where the session stands in host.addresses
	account Account    // zero before Backend.Login
	signed  bool
	cancel  context.CancelCauseFunc
	relay   atomic.Pointer[relay]
}

// run serves the client until it has signed in and the relay has begun, or until it is gone.
func (s *session) run(ctx context.Context) {
	defer s.cancel(nil)
	relay, err := s.guard(ctx)
	if relay == nil {
		if s.client != nil {
			releaseReader(s.client.in)
		}
		_ = s.wire.Close()
		s.end(nil, err)
		return
	}
	relay.ended = func(err error) { s.end(relay, err) }
	relay.panicked = s.panicked
	s.client = nil
	s.relay.Store(relay)
	relay.start(s.host.server.loops.next())
}

// guard keeps a panic in this session from the others.
func (s *session) guard(ctx context.Context) (r *relay, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.panicked(fault)
			r, err = nil, errPanic
		}
	}()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s.serve(ctx, newFront(s.client))
}

func (s *session) panicked(fault any) {
	e := s.event(Panicked)
	e.Err, e.Text = fmt.Errorf("%w: %v", errPanic, fault), string(debug.Stack())
	s.host.observe(e)
}

// open learns who is there and puts TLS on the wire where it comes first.
func (s *session) open(ctx context.Context) error {
	if s.host.listener.ProxyProtocol {
		remote, err := readProxyHeader(s.wire)
		if err != nil {
			return err
		}
		if remote.IsValid() {
			s.remote = remote
		}
	}
	s.host.observe(s.event(Accepted))
	s.client = s.host.newClient(s.wire)
	if s.host.listener.LocalSecurity == dial.Implicit {
		return s.client.handshake(ctx)
	}
	return nil
}

// serve speaks with the client until the server has accepted it. The relay is ready to start.
func (s *session) serve(ctx context.Context, f front) (*relay, error) {
	err := s.host.admit(s)
	if err == nil {
		err = s.allowTime(ctx)
	}
	if err == nil {
		err = f.greet()
	}
	for err == nil {
		var a attempt
		if a, err = f.next(ctx); err == nil {
			var up *server
			if up, err = s.attempt(ctx, f, a); up != nil {
				return s.welcome(ctx, f, up)
			}
		}
	}
	return nil, s.partingWords(ctx, f, err)
}

// allowTime sets the time to sign in, unless the listener is already stopping: that interrupts reads for good.
func (s *session) allowTime(ctx context.Context) error {
	_ = s.wire.SetReadDeadline(s.started.Add(signInTime))
	if ctx.Err() != nil {
		_ = s.wire.SetReadDeadline(longAgo)
	}
	return context.Cause(ctx)
}

// attempt tries one sign-in and answers a failure. The session goes on while both results are nil.
func (s *session) attempt(ctx context.Context, f front, a attempt) (*server, error) {
	began := time.Now()
	watched, stop := s.watch(ctx)
	up, refusal := s.connect(watched, a)
	if refusal != nil && errors.Is(context.Cause(watched), errGone) {
		refusal = &Refusal{Reason: Unavailable, Err: errGone}
	}
	stop()
	if refusal != nil {
		err := s.refuse(ctx, f, a, refusal)
		s.host.exit(s)
		return nil, err
	}
	e := s.event(SignedIn)
	e.Username, e.Duration = oneLine(a.username), time.Since(began)
	s.host.observe(e)
	s.host.ledger.signedIn(s.account)
	s.signed = true
	return up, nil
}

// welcome answers the sign-in that succeeded and prepares the relay.
func (s *session) welcome(ctx context.Context, f front, up *server) (r *relay, err error) {
	defer func() {
		if r == nil { // by an error or by a panic
			up.close()
		}
	}()
	err = f.welcome(up)
	if err == nil {
		err = errors.Join(s.wire.SetDeadline(time.Time{}), up.wire.SetDeadline(time.Time{}), context.Cause(ctx))
	}
	if err != nil {
		return nil, s.partingWords(ctx, f, err)
	}
	return &relay{client: s.client.end, server: up.end, account: s.account.Name}, nil
}

// refuse reports, delays and answers a failure.
func (s *session) refuse(ctx context.Context, f front, a attempt, r *Refusal) error {
	e := s.event(Refused)
	e.Username, e.Err = oneLine(a.username), r
	s.host.observe(e)
	s.host.ledger.refused(s.account, e)
	if ctx.Err() != nil || errors.Is(r, errGone) {
		return errors.Join(context.Cause(ctx), r)
	}
	failures := 0
	if r.Reason == WrongCredentials || r.Reason == UnknownAccount {
		failures = s.host.server.penalties.failed(s.remote.Addr(), a.username)
	}
	if err := pause(ctx, s.host.server.options.Delay(failures)); err != nil {
		return err
	}
	if err := f.refuse(r); err != nil {
		return err
	}
	if s.client.failures++; s.client.failures >= maxFailures {
		return errGuessing
	}
	return nil
}

// pause waits, or returns why ctx has ended.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// partingWords tells the client why the session ends, unless it has left by itself or can't be told.
func (s *session) partingWords(ctx context.Context, f front, err error) error {
	var broken net.Error
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, errQuit):
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, errGone), errors.Is(err, errHandshake):
		return err
	case errors.As(err, &broken) && !broken.Timeout():
		return err
	case broken != nil:
		err = errIdle
	}
	f.farewell(err)
	return err
}

// end is the last thing that happens to a session.
func (s *session) end(r *relay, err error) {
	e := s.event(Ended)
	e.Err, e.Duration, e.Signed = err, time.Since(s.started), s.signed
	if r != nil {
		e.Up, e.Down = r.up.bytes.Load(), r.down.bytes.Load()
	}
	s.host.leave(s, e)
	s.host.observe(e)
	s.host.sessions.Done()
}

func (s *session) event(kind Kind) Event {
	return Event{Kind: kind, Listener: s.host.listener, Session: s.id, Client: s.remote, Account: s.account}
}

// stop ends a session that has not signed in; its client is told. Relays are left to the sweeper.
func (s *session) stop(why error) {
	if s.relay.Load() == nil {
		s.cancel(why)
		_ = s.wire.SetReadDeadline(longAgo)
	}
}
