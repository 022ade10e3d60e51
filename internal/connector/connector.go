// Package connector decides how a connection leaves this machine, and whether it may.
//
// Every outgoing connection of Orbit, to mail servers and to identity providers, is made by a dial.Dialer of
// this package. It looks a name up once, judges every address by the network rules, and dials exactly the
// addresses that it judged: an answer of the DNS that changes in between changes nothing. A destination goes
// through a network connector when its record says so; a connector that cannot carry it fails the attempt,
// because mail must never leave another way than the configured one.
package connector

import "time"

// Kind says what a network connector is.
type Kind string

// The kinds; the same list is a check of the table.
const (
	KindDirect      Kind = "direct"       // straight from this machine
	KindAgent       Kind = "agent"        // an Orbit agent in another network
	KindSOCKS5      Kind = "socks5"       // RFC 1928
	KindHTTPConnect Kind = "http_connect" // RFC 9110 9.3.6
	KindSSH         Kind = "ssh"          // direct-tcpip, RFC 4254 7.2
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{KindDirect, KindAgent, KindSOCKS5, KindHTTPConnect, KindSSH} }

// Connector is a way out.
type Connector struct {
	ID           int64
	Name         string
	Kind         Kind
	Address      string
	Port         int
	CredentialID int64 // 0: none
	Fingerprint  string
	Active       bool
	CreatedAt    time.Time
	ChangedAt    time.Time
	Version      int
}

// trouble says why a connector cannot carry a connection, or "".
func (c Connector) trouble() string {
	if !c.Active {
		return "it is not active"
	}
	switch c.Kind {
	case KindDirect:
		return ""
	case KindAgent, KindSOCKS5, KindHTTPConnect, KindSSH:
		return "this version of Orbit cannot connect through the kind " + string(c.Kind)
	}
	return "its kind " + string(c.Kind) + " is unknown"
}
