package proxy

import (
	"net"
	"net/netip"
	"time"

	"orbit/internal/mail/dial"
)

// Protocol is what a listener speaks, on both sides.
type Protocol string

// The protocols.
const (
	IMAP Protocol = "imap"
	POP3 Protocol = "pop3"
	SMTP Protocol = "smtp"
)

// Listener is a local port and the server behind it. Two that are equal are the same listener: Apply
// leaves it alone.
type Listener struct {
	Name          string // identifies it; unique in a Server
	Protocol      Protocol
	LocalAddress  string        // "127.0.0.1:2993"
	LocalSecurity dial.Security // Plain, STARTTLS or Implicit towards the clients
	CertFile      string        // PEM, read again when it changes; needed unless LocalSecurity is Plain
	KeyFile       string
	Upstream      dial.Target
	ProxyProtocol bool // every connection starts with a PROXY protocol header that names its client
	Limits        Limits
}

// Limits bound what clients can take. Zero means the default.
type Limits struct {
	Sessions   int // at once; 10,000
	PerAddress int // of one client address; no limit of its own
	PerAccount int // signed in to one account; no limit of its own
}

// defaultSessions needs two descriptors each.
const defaultSessions = 10_000

func (l Limits) sessions() int {
	if l.Sessions > 0 {
		return l.Sessions
	}
	return defaultSessions
}

// Exposed reports whether passwords cross a network in clear: no TLS of our own, and reachable from other
// machines. Names other than localhost count as reachable.
func (l Listener) Exposed() bool {
	if l.LocalSecurity != dial.Plain {
		return false
	}
	host, _, err := net.SplitHostPort(l.LocalAddress)
	if err != nil || host == "localhost" {
		return err != nil
	}
	address, err := netip.ParseAddr(host)
	return err != nil || !address.IsLoopback()
}

// patience is how long a signed-in session may be silent.
type patience struct {
	client time.Duration // the server spoke last
	server time.Duration // the client spoke last and waits for an answer
}

// idleLimits are the protocols' own, with a minute more so that server or client acts first.
var idleLimits = map[Protocol]patience{
	IMAP: {client: 31 * time.Minute, server: 31 * time.Minute}, // RFC 9051 5.4; IDLE is renewed every 29 minutes
	POP3: {client: 11 * time.Minute, server: 11 * time.Minute}, // RFC 1939 3
	SMTP: {client: 6 * time.Minute, server: 11 * time.Minute},  // RFC 5321 4.5.3.2.7 and 4.5.3.2.6
}
