package account

import (
	"fmt"
	"strings"

	"orbit/internal/mail/dial"
)

// Hint is something worth knowing about settings that are valid.
type Hint struct {
	Field string // beside which field it stands
	Text  string
}

// hints are gathered in the order of the form.
type hints []Hint

func (h *hints) add(field, format string, args ...any) {
	*h = append(*h, Hint{Field: field, Text: fmt.Sprintf(format, args...)})
}

// addTrust tells what a certificate rule leaves open. Ignore is the name of the switch that accepts everything.
func (h *hints) addTrust(target dial.Target, ignore, consequence string) {
	switch {
	case target.Security == dial.Plain:
	case target.Trust.Rule == dial.Ignore:
		h.add(ignore, "Anybody on the way can pretend to be %s and read the password. Pin its certificate or add its authority instead.", target.Host)
	case target.Trust.Rule == dial.Pin:
		h.add("certificate_fingerprint", "Compare it with the one on the server before you rely on it. When the server gets a new certificate, %s until you pin that one.", consequence)
	}
}

// addOwn tells that the proxy inside wants no encryption, and the credential's password: TLS towards the mail server and
// the token are its own business.
func (s *Service) addOwn(h *hints, target dial.Target, authentication AuthenticationType) {
	if !s.own(target.Host, target.Port) {
		return
	}
	if target.Security != dial.Plain {
		h.add("use_secure_connection", "This is Orbit's own proxy on this machine. Choose No unless its listener has a certificate: the proxy encrypts the way to the mail server itself.")
	}
	if authentication == OAuth2 {
		h.add("authentication_type", "This is Orbit's own proxy, which signs in with OAuth 2.0 itself. Choose Password: the credential's secret stays on this machine.")
	}
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "::1" || strings.HasPrefix(host, "127.")
}
