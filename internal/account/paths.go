package account

import (
	"context"
	"errors"

	"orbit/internal/credential"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/submit"
)

// Visit is how an account's server is tried on one way after the other, for Compare paths.
type Visit struct {
	Name   string // of the account
	Server string // host:port
	Chosen int64  // the connector of the account; 0: none, or the default
	Uses   bool   // the account's switch
	Own    bool   // a listener of this Orbit, which is always dialled directly: the way belongs to its upstream

	// To goes through a connector, 0 for directly, signs in and leaves: no message is sent, no mailbox changed. It
	// reports to the ladder in ctx.
	To func(ctx context.Context, connectorID int64) error
}

// VisitSMTP tells how to try the server of a stored SMTP account.
func (s *Service) VisitSMTP(ctx context.Context, id int64) (Visit, error) {
	found, err := s.FindSMTP(ctx, id)
	if err != nil {
		return Visit{}, err
	}
	v := Visit{Name: found.AccountName, Server: found.Address(), Uses: found.UseNetworkConnector, Chosen: found.NetworkConnectorID, Own: s.own(found.SMTPHost, found.Port)}
	v.To = func(ctx context.Context, connectorID int64) error {
		c := SMTPChange{SMTPSettings: found.SMTPSettings}
		c.UseNetworkConnector, c.NetworkConnectorID = connectorID != 0, connectorID
		route, err := s.Route(comparing(ctx, found.AccountName), c)
		return climb(ctx, err, explain.Context{Host: c.SMTPHost, Port: c.Port}, func(ctx context.Context) error {
			session, err := submit.Open(ctx, route.Dialer, route.Server)
			if err == nil {
				session.Close()
			}
			return err
		})
	}
	return v, nil
}

// VisitMailbox tells how to try the server of a stored IMAP/POP3 account.
func (s *Service) VisitMailbox(ctx context.Context, id int64) (Visit, error) {
	found, err := s.FindMailbox(ctx, id)
	if err != nil {
		return Visit{}, err
	}
	v := Visit{Name: found.AccountName, Server: found.Server(), Uses: found.UseNetworkConnector, Chosen: found.NetworkConnectorID, Own: s.own(found.Address, found.Port)}
	v.To = func(ctx context.Context, connectorID int64) error {
		c := MailboxChange{MailboxSettings: found.MailboxSettings}
		c.UseNetworkConnector, c.NetworkConnectorID = connectorID != 0, connectorID
		route, err := s.MailboxRoute(comparing(ctx, found.AccountName), c)
		return climb(ctx, err, explain.Context{Host: c.Address, Port: c.Port}, func(ctx context.Context) error {
			if errors.Is(err, credential.ErrNotApproved) { // no way to greet a mailbox without a sign-in
				conn, err := route.Dialer.Dial(ctx, c.Address, c.Port)
				if err != nil {
					return err
				}
				return conn.Close()
			}
			return fetch.Test(ctx, route.Dialer, route.Server, nil)
		})
	}
	return v, nil
}

func comparing(ctx context.Context, name string) context.Context {
	return credential.WithReason(ctx, "comparison of paths of "+name)
}

// climb goes as far as a way leads. Where the secret was not entered for it, because nothing proves the server
// on that way, it goes as far as one gets without.
func climb(ctx context.Context, routed error, c explain.Context, visit func(context.Context) error) error {
	withheld := errors.Is(routed, credential.ErrNotApproved)
	if routed != nil && !withheld {
		return routed
	}
	if err := visit(ctx); err != nil || !withheld {
		return err
	}
	l := ladder.From(ctx)
	l.Begin(ladder.Auth, "Sign-in")
	fault := explain.NotApproved(c)
	if known := (*ladder.Error)(nil); errors.As(routed, &known) {
		fault = known.Fault
	}
	return l.Fail(ladder.Auth, fault, routed)
}
