package account

import (
	"context"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/submit"
)

// Route is everything that a message needs to leave: the way out of this machine, the server, and how to sign in.
type Route struct {
	Dialer dial.Dialer
	Server submit.Server
}

// Route turns settings into something that can be dialled.
func (s *Service) Route(ctx context.Context, c SMTPChange) (Route, error) {
	dialer, err := s.dialers.Dialer(ctx, c.UseNetworkConnector, c.NetworkConnectorID)
	if err != nil {
		return Route{}, err
	}
	route := Route{Dialer: dialer, Server: submit.Server{Target: c.Target()}}
	route.Server.Known = explain.Context{
		Host: c.SMTPHost, Port: c.Port, Sender: c.SenderEmail, Provider: c.Provider, Protocol: "SMTP",
	}
	if !c.UseAuthentication {
		return route, nil
	}
	route.Server.Auth, err = s.signIn(ctx, c.access())
	return route, err
}

// MailboxRoute is everything that a visit to a mailbox needs: the way out of this machine, the server, and how to
// sign in.
type MailboxRoute struct {
	Dialer dial.Dialer
	Server fetch.Server
}

// MailboxRoute turns settings into something that can be visited.
func (s *Service) MailboxRoute(ctx context.Context, c MailboxChange) (MailboxRoute, error) {
	dialer, err := s.dialers.Dialer(ctx, c.UseNetworkConnector, c.NetworkConnectorID)
	if err != nil {
		return MailboxRoute{}, err
	}
	a := c.access()
	route := MailboxRoute{Dialer: dialer, Server: fetch.Server{Target: a.target, Protocol: c.Protocol, Folder: c.Folder}}
	route.Server.Known = explain.Context{Host: c.Address, Port: c.Port, Protocol: a.protocol}
	auth, err := s.signIn(ctx, a)
	route.Server.Auth = fetch.Auth{Username: auth.Username, Password: auth.Password, Token: auth.Token}
	return route, err
}
