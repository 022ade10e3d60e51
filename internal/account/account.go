// Package account owns the SMTP and mailbox accounts that administrators register.
//
// It is the only way from a row to something that can be dialled: an account names a server, a credential,
// a certificate rule and a way out of this machine, and Service turns the four into a submit.Server and a
// dial.Dialer. "Test configuration" and real mail both go through it, so a test proves what real mail does.
package account

import (
	"context"
	"strconv"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/submit"
)

// Dialers says how a connection leaves this machine; internal/connector implements it.
type Dialers interface {
	// Dialer returns the way for an account: use is the account's switch, connectorID 0 means the default.
	Dialer(ctx context.Context, use bool, connectorID int64) (dial.Dialer, error)
}

// Tokens hands out OAuth 2.0 access tokens; internal/oauth implements it.
type Tokens interface {
	// Source returns the token source for an address, e.g. "alerts@example.com", to be sent to one destination.
	Source(address string, to credential.Destination) submit.TokenSource
}

// destination says where a secret goes, and which way.
func destination(target dial.Target, username string, useConnector bool, connectorID int64) credential.Destination {
	d := credential.Destination{
		Host:        target.Host,
		Port:        target.Port,
		Username:    username,
		TLS:         string(target.Security),
		Certificate: target.Trust.Word(),
		Connector:   "direct",
	}
	if useConnector {
		d.Connector = strconv.FormatInt(connectorID, 10)
	}
	return d
}
