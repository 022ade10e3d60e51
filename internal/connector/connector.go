// Package connector decides how a connection leaves this machine, and whether it may.
//
// Every outgoing connection of Orbit, to mail servers and to identity providers, is made by a dial.Dialer of
// this package. It looks a name up once, judges every address by the network rules, and dials exactly the
// addresses that it judged: an answer of the DNS that changes in between changes nothing. A destination goes
// through a network connector when its record says so; a connector that cannot carry it fails the attempt,
// because mail must never leave another way than the configured one.
//
// A connector is reached by the same rules; what lies behind it is looked up there. So of a destination beyond
// a proxy only the name or the literal address can be judged here, and the ladder says so.
package connector

import (
	"net"
	"strconv"
	"time"
)

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

// Words name a kind for people, in reports and choices.
func (k Kind) Words() string {
	switch k {
	case KindDirect:
		return "Direct connection"
	case KindAgent:
		return "Agent"
	case KindSOCKS5:
		return "SOCKS5"
	case KindHTTPConnect:
		return "HTTP CONNECT"
	case KindSSH:
		return "SSH"
	}
	return string(k)
}

// noun names a kind in a sentence.
func (k Kind) noun() string {
	switch k {
	case KindAgent:
		return "Orbit agent"
	case KindSOCKS5:
		return "SOCKS5 proxy"
	case KindHTTPConnect:
		return "HTTP proxy"
	case KindSSH:
		return "SSH server"
	case KindDirect:
	}
	return "network connector"
}

// Dialled reports whether connectors of the kind are machines that Orbit connects to. An agent connects to
// Orbit, and direct is no machine.
func (k Kind) Dialled() bool { return k == KindSOCKS5 || k == KindHTTPConnect || k == KindSSH }

// usualPort is where such a service mostly listens.
func (k Kind) usualPort() int {
	switch k {
	case KindSOCKS5:
		return 1080
	case KindHTTPConnect:
		return 3128
	case KindSSH:
		return 22
	case KindDirect, KindAgent:
	}
	return 0
}

// Settings is what a person sets on a connector: the same names in form, JSON and table.
type Settings struct {
	Name         string `db:"name" json:"name" form:"name" label:"Name" doc:"Internal name of the connector"`
	Kind         Kind   `db:"kind" json:"kind" form:"kind" label:"Kind" doc:"What it is; direct exists once and cannot be registered" enum:"direct,agent,socks5,http_connect,ssh"`
	Address      string `db:"address" json:"address" form:"address" label:"IP or name" doc:"Name or address of the proxy or server"`
	Port         int    `db:"port" json:"port" form:"port" label:"Port" doc:"0: the usual one of the kind"`
	CredentialID int64  `db:"credential_id" json:"credential_id,omitempty" form:"credential_id" label:"Credential" doc:"Signs in at the proxy or server; ssh: the secret is a password or a private key"`
	Fingerprint  string `db:"fingerprint" json:"fingerprint,omitempty" form:"fingerprint" label:"Fingerprint" doc:"ssh: SHA-256 of the confirmed host key, as ssh-keygen -l prints it"`
	Active       bool   `db:"active" json:"active" form:"active" label:"Active" doc:"Carries connections or not; what would go through an inactive one fails"`
}

// Connector is a way out.
type Connector struct {
	ID int64 `db:"id" json:"id"`
	Settings
	HostKeyType        string     `db:"host_key_type" json:"host_key_type,omitempty" doc:"ssh: type of the confirmed host key"`
	OfferedFingerprint string     `db:"offered_fingerprint" json:"offered_fingerprint,omitempty" doc:"ssh: the host key that the server shows and nobody has confirmed"`
	OfferedKeyType     string     `db:"offered_key_type" json:"offered_key_type,omitempty"`
	OfferedAt          *time.Time `db:"offered_at" json:"offered_at,omitempty"`
	CreatedAt          time.Time  `db:"created_at" json:"created_at"`
	CreatedBy          string     `db:"created_by" json:"created_by,omitempty"`
	ChangedAt          time.Time  `db:"changed_at" json:"changed_at"`
	ChangedBy          string     `db:"changed_by" json:"changed_by,omitempty"`
	Version            int        `db:"version" json:"version"`
}

// NewSettings returns what an empty form shows.
func NewSettings() Settings { return Settings{Kind: KindSOCKS5, Active: true} }

// Server is address and port as people write them; "" for a connector that is not dialled.
func (s Settings) Server() string {
	if s.Address == "" || s.Port == 0 {
		return s.Address
	}
	return net.JoinHostPort(s.Address, strconv.Itoa(s.Port))
}

// KeyUnconfirmed reports whether a person must confirm the SSH server's host key before it carries anything.
func (c Connector) KeyUnconfirmed() bool { return c.Kind == KindSSH && c.Fingerprint == "" }

// KeyChanged reports whether the SSH server showed another host key than the confirmed one.
func (c Connector) KeyChanged() bool {
	return c.Kind == KindSSH && c.Fingerprint != "" && c.OfferedFingerprint != ""
}
