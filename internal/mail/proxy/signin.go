package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/vault"
)

// upstreamTime bounds one visit at the server until it has said yes or no: connecting, TLS, sign-in.
const upstreamTime = 60 * time.Second

// anonymousHello is what servers hear when no client has named itself.
const anonymousHello = "localhost"

// connect turns the client's name and password into a server that is signed in. Nothing that the client
// has sent goes there, except the name that it gave in EHLO.
func (s *session) connect(ctx context.Context, a attempt) (*server, *Refusal) {
	if !a.complete() {
		return nil, &Refusal{Reason: WrongCredentials, Err: errIncomplete}
	}
	backend := s.host.server.backend
	account, err := backend.Login(ctx, a.username, a.password, Client{
		Listener: s.host.listener.Name, Protocol: s.host.listener.Protocol, Address: s.remote, Secure: s.client.secure,
	})
	if err != nil {
		return nil, refusalOf(err)
	}
	s.host.server.penalties.forgive(a.username)
	if refusal := s.host.enter(s, account); refusal != nil {
		return nil, refusal
	}
	token, err := backend.Token(ctx, s.host.listener, account, false)
	if err != nil {
		return nil, refusalOf(err)
	}
	up, err := s.visit(ctx, token)
	if rejected := finalRejection(err); rejected != nil {
		up, err = s.visitAgain(ctx, token, rejected)
	}
	if err != nil {
		return nil, s.upstreamRefusal(err)
	}
	return up, nil
}

// visitAgain refreshes a token that the server does not take, once, and tries on a connection of its own:
// some servers answer nothing sensible after a failed sign-in. The client hears only of the outcome.
func (s *session) visitAgain(ctx context.Context, refused vault.Secret, why *Rejection) (*server, error) {
	e := s.event(Retried)
	e.Err = why
	s.host.observe(e)
	token, err := s.host.server.backend.Token(ctx, s.host.listener, s.account, true)
	switch {
	case err != nil:
		return nil, refusalOf(err)
	case token.Equal(refused):
		return nil, why
	}
	return s.visit(ctx, token)
}

// visit connects and signs in.
func (s *session) visit(ctx context.Context, token vault.Secret) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, upstreamTime)
	defer cancel()
	up, err := reach(ctx, s.host.server.backend, s.host.listener, s.account)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done { // by an error or by a panic
			up.close()
		}
	}()
	hello := anonymousHello
	if s.client.hello != "" {
		hello = s.client.hello
	}
	err = up.within(ctx, func() error {
		d, err := up.introduce(ctx, hello)
		if err != nil {
			return err
		}
		s.host.offer.learn(up.offer.relayable(s.host.listener.Protocol))
		return up.signIn(d, s.account, token)
	})
	if err != nil {
		return nil, err
	}
	done = true
	return up, nil
}

// finalRejection returns the server's no when another token could change it.
func finalRejection(err error) *Rejection {
	var rejection *Rejection
	if errors.As(err, &rejection) && !rejection.Temporary {
		return rejection
	}
	return nil
}

// upstreamRefusal says what an error on the way to, or at, the server means to the client.
func (s *session) upstreamRefusal(err error) *Refusal {
	var refusal *Refusal
	var rejection *Rejection
	where := hostPort(s.host.listener.Upstream)
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &rejection) && rejection.Temporary:
		return &Refusal{Reason: Unavailable, Text: fmt.Sprintf("%s answers: %s", where, rejection.Reply), Err: err}
	case errors.As(err, &rejection):
		return &Refusal{Reason: TokenRefused, Text: tokenRefusal(where, rejection.Reply), Err: err}
	case errors.Is(err, errNoOAuth):
		return &Refusal{Reason: Unavailable, Text: where + " offers no sign-in with OAuth 2.0", Err: err}
	}
	return &Refusal{Reason: Unreachable, Text: "Orbit can not reach " + where, Err: err}
}

func hostPort(t dial.Target) string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }

// watchAfter is when a sign-in takes so long that it is worth a goroutine to see whether the client is
// still there. Most take a fraction of it.
const watchAfter = time.Second

// watch returns a context that ends when the client leaves while it waits for the answer to its sign-in.
// Stop ends the watching, so that the client can be read again. Octets that the client has pipelined hide
// its end; then the reply will find out.
func (s *session) watch(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	if s.wire.raw == nil || s.client.in.Buffered() > 0 {
		return watched, func() { cancel(nil) }
	}
	done := make(chan struct{})
	timer := time.AfterFunc(watchAfter, func() {
		defer close(done)
		if s.wire.hangsUp() {
			cancel(errGone)
		}
	})
	return watched, func() {
		if !timer.Stop() {
			_ = s.wire.SetReadDeadline(longAgo)
			<-done
			_ = s.allowTime(ctx)
		}
		cancel(nil)
	}
}
