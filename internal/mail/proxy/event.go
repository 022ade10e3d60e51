package proxy

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"orbit/internal/mail/dial"
)

// Observer watches. It is called from the session's own goroutine, by many at once, and must not block.
type Observer interface {
	Observe(Event)
}

// ObserverFunc is a function that watches.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }

// Kind says what happened.
type Kind string

// What happens to a listener.
const (
	Listening    Kind = "listening"     // the port is open
	PortInUse    Kind = "port_in_use"   // another process has the port; tried again
	ListenFailed Kind = "listen_failed" // the port can't be opened; tried again
	Stopped      Kind = "stopped"       // the port is closed
	Learnt       Kind = "learnt"        // the server's extensions are known
	NotLearnt    Kind = "not_learnt"    // the server couldn't be asked; tried again
)

// What happens to a session.
const (
	Accepted   Kind = "accepted"    // a client has connected
	TurnedAway Kind = "turned_away" // a client was sent away: too many, or unfit for the protocol
	Retried    Kind = "retried"     // the server refused the token; it is refreshed and tried once more
	SignedIn   Kind = "signed_in"
	Refused    Kind = "refused" // a sign-in failed; Err holds the *Refusal
	Ended      Kind = "ended"
	Panicked   Kind = "panicked" // a bug ended this session; Text holds the stack
)

// Event is one thing that happened. It never holds a secret.
type Event struct {
	Kind     Kind
	At       time.Time
	Listener Listener
	Session  uint64         // unique in the process; zero for a listener's own events
	Client   netip.AddrPort // zero for a listener's own events
	Username string         // as the client gave it, made fit for a line
	Account  Account        // zero before Backend.Login
	Err      error          // Refused: a *Refusal, which may wrap a *Rejection; others: why
	Text     string
	Signed   bool          // Ended: the client had signed in
	Up, Down int64         // Ended: bytes from the client, bytes from the server
	Duration time.Duration // SignedIn: of the sign-in; Ended: of the session
}

// Reason returns why a sign-in was refused, "" for other events.
func (e Event) Reason() Reason {
	if e.Kind != Refused {
		return ""
	}
	return refusalOf(e.Err).Reason
}

// Sentence is the line for the log, in the words that administrators of email-oauth2-proxy look for.
func (e Event) Sentence() string {
	switch e.Kind {
	case Listening:
		return "Starting " + e.Listener.describe()
	case PortInUse:
		return fmt.Sprintf("%s waits - is the proxy already running? %v", e.Listener.describe(), e.Err)
	case ListenFailed:
		return fmt.Sprintf("Unable to start %s: %v", e.Listener.describe(), e.Err)
	case Stopped:
		return "Stopping " + e.Listener.describe()
	case Learnt:
		return fmt.Sprintf("%s has learnt the server's extensions: %s", e.Listener.describe(), e.Text)
	case NotLearnt:
		return fmt.Sprintf("%s Caught network error (server) - is there a network connection? %v", e.who(), e.Err)
	case Accepted:
		return fmt.Sprintf("Accepting new connection from %s to %s", e.Client, e.Listener.describe())
	case TurnedAway:
		return fmt.Sprintf("%s connection from %s turned away: %v", e.who(), e.Client, e.Err)
	case Retried:
		return fmt.Sprintf("%s Retrying login due to exception while refreshing access token for account %s (attempt 1): %v",
			e.who(), e.name(), e.Err)
	case SignedIn:
		return fmt.Sprintf("%s [ Successfully authenticated %s connection - releasing session ]", e.who(), e.Listener.label())
	case Refused:
		return e.who() + " " + e.refused()
	case Ended:
		return fmt.Sprintf("%s connection from %s ended after %s: %d bytes from the client, %d from the server%s%s",
			e.who(), e.Client, e.Duration.Round(time.Millisecond), e.Up, e.Down, because(e.Err), doubt(e.Err))
	case Panicked:
		return fmt.Sprintf("%s connection from %s ended by a fault in Orbit: %v", e.who(), e.Client, e.Err)
	}
	return string(e.Kind)
}

// refused tells a failed sign-in.
func (e Event) refused() string {
	refusal := refusalOf(e.Err)
	detail := fmt.Sprintf("%s%s", refusal.text(), because(refusal.Err))
	switch refusal.Reason {
	case WrongCredentials:
		return fmt.Sprintf("Invalid password to decrypt credentials for account %s - aborting login: %s", e.name(), detail)
	case UnknownAccount:
		return fmt.Sprintf("No config file entry found for account %s - aborting login: %s", e.name(), detail)
	case Unauthorised, ProviderRefused, TokenRefused:
		return fmt.Sprintf("Authorisation result error for account %s - aborting login. %s", e.name(), detail)
	case Unreachable:
		return fmt.Sprintf("Caught network error (server) - is there a network connection? %s%s", detail, doubt(refusal.Err))
	case Unavailable:
		return fmt.Sprintf("Caught exception while requesting OAuth 2.0 credentials for account %s: %s", e.name(), detail)
	case Limited:
		return fmt.Sprintf("Too many sessions for account %s - aborting login: %s", e.name(), detail)
	}
	return detail
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// doubt asks what people should ask themselves when one side speaks TLS and the other does not.
func doubt(err error) string {
	var header tls.RecordHeaderError
	if errors.Is(err, errNoSTARTTLS) || errors.As(err, &header) {
		return " - Are the server's local_starttls and server_starttls settings correct?"
	}
	return ""
}

// name is the account, or what the client says that it is.
func (e Event) name() string {
	if e.Account.Name != "" {
		return e.Account.Name
	}
	return e.Username
}

// who is the mark that stands before a session's lines: "IMAP (127.0.0.1:2993; mail@example.com)".
func (e Event) who() string {
	mark := e.Listener.label() + " (" + e.Listener.LocalAddress
	if name := e.name(); name != "" {
		mark += "; " + name
	}
	return mark + ")"
}

// label is the protocol as people write it; the known proxy says POP.
func (l Listener) label() string {
	if l.Protocol == POP3 {
		return "POP"
	}
	return strings.ToUpper(string(l.Protocol))
}

func (l Listener) describe() string {
	return fmt.Sprintf("%s server at %s (%s) proxying %s (%s)", l.label(), l.LocalAddress, protection(l.LocalSecurity),
		hostPort(l.Upstream), protection(l.Upstream.Security))
}

func protection(s dial.Security) string {
	switch s {
	case dial.STARTTLS:
		return "STARTTLS"
	case dial.Implicit:
		return "SSL/TLS"
	case dial.Plain:
	}
	return "unsecured"
}
