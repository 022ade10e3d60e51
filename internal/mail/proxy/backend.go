package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"orbit/internal/vault"
)

// Backend answers what the proxy can't know: who may sign in, with which token, and how a connection
// leaves this machine. Its methods are called by many sessions at once and must give up with ctx, which
// ends when the client goes away.
type Backend interface {
	// Login names the account that username and password belong to. A *Refusal says why not; any other
	// error is Unavailable.
	Login(ctx context.Context, username string, password vault.Secret, client Client) (Account, error)

	// Token returns an access token that is valid now, to be sent to the listener's upstream. Refresh says that the server has just refused the
	// last one, so a token still in the cache is no answer. Errors as for Login.
	Token(ctx context.Context, listener Listener, account Account, refresh bool) (vault.Secret, error)

	// Dial connects to the listener's upstream, without TLS. The zero Account asks for nobody: the proxy
	// wants to learn the server's extensions. A *net.TCPConn is relayed with the least memory.
	Dial(ctx context.Context, listener Listener, account Account) (net.Conn, error)
}

// Client is who wants to sign in.
type Client struct {
	Listener string // name of the listener
	Protocol Protocol
	Address  netip.AddrPort // as the PROXY protocol names it, where that is in use
	Secure   bool           // the client's side is protected by TLS
}

// Account is what a login opened.
type Account struct {
	ID      int64  // the backend's own; the proxy only hands it back
	Name    string // what log and counters call it
	Mailbox string // the address that signs in upstream
}

// Reason says why a sign-in did not succeed. Each front has one reply for each.
type Reason string

// The backend's reasons, and the two that the proxy finds out itself.
const (
	WrongCredentials Reason = "wrong_credentials" // not the password of that user name
	UnknownAccount   Reason = "unknown_account"   // nothing is registered for that user name; clients hear WrongCredentials
	Unauthorised     Reason = "unauthorised"      // a person must authorise the account at the provider
	ProviderRefused  Reason = "provider_refused"  // the provider gives no token; a person must act
	Unavailable      Reason = "unavailable"       // heals by itself: provider down, network, database
	Limited          Reason = "limited"           // too many sessions
	Unreachable      Reason = "unreachable"       // no connection, or no TLS, to the mail server
	TokenRefused     Reason = "token_refused"     // the mail server refuses a fresh token
)

// Refusal is a sign-in that did not succeed, for two audiences.
type Refusal struct {
	Reason Reason
	Text   string // for the person at the mail program; a sentence for Reason when empty
	Err    error  // for the log
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return string(r.Reason) + ": " + r.text()
	}
	return string(r.Reason) + ": " + r.Err.Error()
}

func (r *Refusal) Unwrap() error { return r.Err }

// text is what the log says.
func (r *Refusal) text() string {
	if r.Text != "" {
		return r.Text
	}
	return texts[r.Reason]
}

// reply is what the client reads: one line of ASCII, and never whether a user name exists.
func (r *Refusal) reply() string {
	if r.Reason == UnknownAccount || r.Reason == WrongCredentials {
		return texts[WrongCredentials]
	}
	return strings.Map(func(c rune) rune {
		if c >= 0x80 {
			return '?'
		}
		return c
	}, oneLine(r.text()))
}

var texts = map[Reason]string{
	WrongCredentials: "The user name or password is not that of a registered credential",
	UnknownAccount:   "No credential is registered for this user name",
	Unauthorised:     "This account is not yet authorised at the provider",
	ProviderRefused:  "The provider gives no access token for this account",
	Unavailable:      "The sign-in is not possible at the moment, try again later",
	Limited:          "Too many sessions of this account",
	Unreachable:      "The mail server can not be reached at the moment",
	TokenRefused:     "The mail server refuses the access token of this account",
}

// refusalOf returns the backend's refusal. Errors that are none may hold anything, so clients don't see them.
func refusalOf(err error) *Refusal {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return &Refusal{Reason: Unavailable, Err: err}
}
