// Package mailserver is the sandbox's mail servers: SMTP, IMAP and POP3 over the same mailboxes.
//
// A server takes either passwords or access tokens, never both, as providers do today. A refused token is
// answered with the provider's own JSON challenge first (RFC 7628 3.2.2) and then with the words of Microsoft or
// Google, so that what a client makes of them can be seen here.
package mailserver

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/mailbox"
)

// Signs is what a server lets people sign in with.
type Signs string

// What a server may take.
const (
	Passwords Signs = "passwords" // without TLS too
	Tokens    Signs = "tokens"    // over TLS only
)

// Options are what the servers share.
type Options struct {
	Mail     *mailbox.Store
	Identity *idp.Provider
	TLS      *tls.Config // for STARTTLS and STLS
	Log      *slog.Logger
}

// Server answers the connections of a listener. Serve ends when the listener is closed; the connections are
// closed by whoever made the listener. On a listener of TLS connections there is no STARTTLS.
type Server interface {
	Serve(listener net.Listener) error
}

// serverName is what the servers call themselves.
const serverName = "mail.orbit.example"

// maxLine bounds a line of a client: an access token is longer than a line of mail.
const maxLine = 16 << 10

// logger writes what the protocol libraries notice to the debug log.
type logger struct {
	log    *slog.Logger
	server string
}

func (l logger) Printf(format string, args ...any) { l.note(fmt.Sprintf(format, args...)) }
func (l logger) Println(args ...any)               { l.note(fmt.Sprintln(args...)) }

func (l logger) note(text string) {
	l.log.Debug("sandbox", "server", l.server, "note", strings.TrimSpace(text))
}
