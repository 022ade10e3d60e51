package connector

import (
	"encoding/base64"
	"net"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/problem"
)

const maxName = 100

// Normalise trims what was typed, fills what follows from other fields and clears what the kind does not have.
func (s Settings) Normalise() Settings {
	s.Name, s.Address, s.Fingerprint = strings.TrimSpace(s.Name), strings.TrimSpace(s.Address), strings.TrimSpace(s.Fingerprint)
	s.splitPort()
	if host, err := dial.ASCIIHost(s.Address); err == nil {
		s.Address = host
	}
	if s.Port == 0 {
		s.Port = s.Kind.usualPort()
	}
	switch s.Kind {
	case KindSSH:
		s.Fingerprint = normalFingerprint(s.Fingerprint)
	case KindAgent:
		s.CredentialID = 0
	case KindSOCKS5, KindHTTPConnect, KindDirect:
		s.Fingerprint = ""
	}
	return s
}

// splitPort takes "gate.example.com:1080" apart, as proxies are mostly written.
func (s *Settings) splitPort() {
	host, digits, err := net.SplitHostPort(s.Address)
	if err != nil || s.Port != 0 {
		return
	}
	if port, err := strconv.Atoi(digits); err == nil {
		s.Address, s.Port = host, port
	}
}

// normalFingerprint takes the digest out of a line of ssh-keygen: "256 SHA256:abc... root@gate (ED25519)".
func normalFingerprint(text string) string {
	for _, word := range strings.Fields(text) {
		if strings.HasPrefix(word, "SHA256:") {
			return strings.TrimRight(word, "=")
		}
	}
	return text
}

// Validate returns everything that is wrong with normalised settings, by field.
func (s Settings) Validate() problem.Invalid {
	var wrong problem.Invalid
	switch {
	case s.Name == "":
		wrong.Add("name", "Name is required.")
	case utf8.RuneCountInString(s.Name) > maxName:
		wrong.Add("name", "Name may have at most %d characters.", maxName)
	case !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, unicode.IsControl):
		wrong.Add("name", "Name contains a line break or another control character; remove it.")
	}
	switch {
	case s.Kind == KindAgent:
	case s.Kind.Dialled():
		s.validateServer(&wrong)
	default:
		wrong.Add("kind", "Choose SOCKS5, HTTP CONNECT, SSH or agent.")
	}
	if s.Kind == KindSSH {
		s.validateSSH(&wrong)
	}
	return wrong
}

func (s Settings) validateServer(wrong *problem.Invalid) {
	switch _, err := dial.ASCIIHost(s.Address); {
	case s.Address == "":
		wrong.Add("address", "IP or name is required.")
	case strings.Contains(s.Address, "://"):
		wrong.Add("address", "IP or name stands without %s.", s.Address[:strings.Index(s.Address, "://")+3])
	case err != nil || numeric(s.Address):
		wrong.Add("address", "IP or name must be a name such as gate.example.com or an address such as 192.0.2.25; the port has its own field.")
	}
	if s.Port < 1 || s.Port > 65535 {
		wrong.Add("port", "Port must be a number from 1 to 65535.")
	}
}

func (s Settings) validateSSH(wrong *problem.Invalid) {
	if s.CredentialID == 0 {
		wrong.Add("credential_id", "An SSH server wants a sign-in: choose the credential with the password or the private key.")
	}
	if s.Fingerprint == "" {
		return
	}
	digest, found := strings.CutPrefix(s.Fingerprint, "SHA256:")
	if raw, err := base64.RawStdEncoding.DecodeString(digest); !found || err != nil || len(raw) != 32 {
		wrong.Add("fingerprint", "A host key's fingerprint looks like SHA256: and 43 characters. Leave it blank: Orbit shows the server's key and asks you to confirm it.")
	}
}

// Destination is where the secret of the credential goes; a different one needs the secret again. What the
// server proves is its host key, which a person confirms, and a proxy proves nothing.
func (s Settings) Destination(username string) credential.Destination {
	d := credential.Destination{Host: s.Address, Port: s.Port, Username: username}
	if s.Kind == KindSSH {
		d.TLS, d.Certificate = "ssh", "host_key"
	}
	return d
}

// Warnings says what works and still deserves a thought.
func (s Settings) Warnings() []problem.Field {
	var warnings problem.Invalid
	if s.CredentialID != 0 && (s.Kind == KindSOCKS5 || s.Kind == KindHTTPConnect) {
		warnings.Add("credential_id", "The password crosses the network to %s in clear, as %s is made: give the proxy a user of its own.", s.Address, s.Kind.Words())
	}
	return warnings
}
