package proxy

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

// Try signs in at a listener's server with a token and takes its leave: the server judges the token, no
// client is needed. Explain tells people what an error means.
func Try(ctx context.Context, b Backend, l Listener, account Account, token vault.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, upstreamTime)
	defer cancel()
	s, err := reach(ctx, b, l, account)
	if err != nil {
		return err
	}
	defer s.close()
	return s.within(ctx, func() error {
		d, err := s.introduce(ctx, anonymousHello)
		if err != nil {
			return err
		}
		if err := s.signIn(d, account, token); err != nil {
			return err
		}
		d.farewell()
		return nil
	})
}

// Explain turns what went wrong at a listener's server into words for people. Known is what the caller knows
// of the account; the server is added here.
func Explain(l Listener, known explain.Context, err error) *ladder.Error {
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return explained
	}
	known.Host, known.Port, known.Security = l.Upstream.Host, l.Upstream.Port, l.Upstream.Security
	known.Protocol, known.OAuth = strings.ToUpper(string(l.Protocol)), true
	var rejection *Rejection
	e := &ladder.Error{Step: ladder.Auth, Err: err}
	switch {
	case errors.As(err, &rejection):
		e.Fault = rejection.fault(l.Protocol, known)
	case errors.Is(err, errNoOAuth):
		known.Wanted = "XOAUTH2"
		e.Fault = explain.NoMechanism(known)
	case errors.Is(err, errNoSTARTTLS):
		e.Step, e.Fault = ladder.TLS, explain.NoSTARTTLS(known)
	default:
		e.Fault = explain.Network(ladder.Auth, err, known)
	}
	return e
}

func (r *Rejection) fault(p Protocol, c explain.Context) (f ladder.Fault) {
	switch p {
	case IMAP:
		f = explain.IMAP(ladder.Auth, "", r.Reply, c)
	case POP3:
		f = explain.POP3(ladder.Auth, "", r.Reply, c)
	case SMTP:
		digits, text, _ := strings.Cut(r.Reply, " ")
		code, _ := strconv.Atoi(digits) // smtpText begins with it
		f = explain.SMTP(ladder.Auth, code, "", text, c)
	}
	f.Temporary = f.Temporary || r.Temporary
	return f
}
