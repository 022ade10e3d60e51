// Package dial opens the connection that a mail protocol runs on.
//
// A protocol says what it wants (Target) and is handed a Dialer that knows how a connection leaves this
// machine; the network rules and the network connectors are behind that interface. The package adds TLS
// with the account's certificate rule, and reports resolve, connect and tls as steps of a ladder.
package dial

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"

	"orbit/internal/mail/explain"
)

// Dialer opens TCP connections. Implementations report the steps resolve, connector and connect to
// ladder.From(ctx), return *ladder.Error, and dial exactly the address that they checked.
type Dialer interface {
	// Dial connects to host (a name or a literal address) and port.
	Dial(ctx context.Context, host string, port int) (net.Conn, error)
}

// Security says when TLS starts. The words are those of tables, JSON and forms. It is defined beside the
// error dictionary, which this package uses to explain what went wrong.
type Security = explain.Security

// How a connection is protected.
const (
	Plain    = explain.Plain    // no TLS
	STARTTLS = explain.STARTTLS // upgraded by command after the greeting
	Implicit = explain.Implicit // TLS from the first byte
)

// CertificateRule says which server certificate is accepted.
type CertificateRule string

// The certificate rules.
const (
	Verify   CertificateRule = "verify"    // system roots, name must match
	Pin      CertificateRule = "pin"       // exactly the certificate with this SHA-256 fingerprint
	CustomCA CertificateRule = "custom_ca" // own CA only, name must match
	Ignore   CertificateRule = "ignore"    // anything; shown with a warning wherever it is used
)

// Trust is a certificate rule with what it needs. The zero value verifies against the system roots.
type Trust struct {
	Rule        CertificateRule
	Fingerprint string // Pin: SHA-256 of the leaf certificate, lower-case hex without separators
	CA          string // CustomCA: PEM
}

// Word is the rule in one word, with what it wants to see. Two rules with the same word accept the same certificates.
func (t Trust) Word() string {
	switch t.Rule {
	case Pin:
		return "pin:" + t.Fingerprint
	case CustomCA:
		sum := sha256.Sum256([]byte(t.CA))
		return "custom_ca:" + hex.EncodeToString(sum[:])
	case Ignore:
		return "ignore"
	default:
		return "verify"
	}
}

// Target is a server as an account describes it.
type Target struct {
	Host     string // name or literal address; IDN in Unicode or ACE form
	Port     int
	Security Security
	Trust    Trust
}
