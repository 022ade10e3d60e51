package proxyhost

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/problem"
)

// Limits of what is stored.
const (
	maxName = 100
	maxFile = 1000
	maxCA   = 64 << 10
)

// usualPorts are the servers' ports for each kind of protection (RFC 8314, and what came before).
var usualPorts = map[proxy.Protocol]map[dial.Security]int{
	proxy.IMAP: {dial.Plain: 143, dial.STARTTLS: 143, dial.Implicit: 993},
	proxy.POP3: {dial.Plain: 110, dial.STARTTLS: 110, dial.Implicit: 995},
	proxy.SMTP: {dial.Plain: 25, dial.STARTTLS: 587, dial.Implicit: 465},
}

// Normalise trims what was typed, fills what follows from other fields and clears what a choice turns off.
func (s Settings) Normalise() Settings {
	for _, text := range []*string{
		&s.Name, &s.LocalAddress, &s.CertificateFile, &s.KeyFile, &s.ServerAddress, &s.CertificateCA,
	} {
		*text = strings.TrimSpace(*text)
	}
	s.LocalAddress = normalAddress(s.LocalAddress)
	if host, err := dial.ASCIIHost(s.ServerAddress); err == nil {
		s.ServerAddress = host
	}
	if s.ServerPort == 0 {
		s.ServerPort = usualPorts[s.Protocol][s.ServerSecurity]
	}
	if s.Name == "" && s.LocalPort != 0 {
		s.Name = s.Plan().Name()
	}
	if s.LocalSecurity == dial.Plain {
		s.CertificateFile, s.KeyFile = "", ""
	}
	s.normaliseTrust()
	s.AllowUnsafeAddress = s.AllowUnsafeAddress && s.Exposed()
	if !s.UseNetworkConnector {
		s.NetworkConnectorID = 0
	}
	return s
}

func (s *Settings) normaliseTrust() {
	if s.CertificateRule == "" {
		s.CertificateRule = dial.Verify
	}
	if s.CertificateRule != dial.Pin {
		s.CertificateFingerprint = ""
	}
	if s.CertificateRule != dial.CustomCA {
		s.CertificateCA = ""
	}
	if _, after, found := strings.Cut(s.CertificateFingerprint, "="); found { // as openssl prints it
		s.CertificateFingerprint = after
	}
	s.CertificateFingerprint = strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s.CertificateFingerprint))
}

// normalAddress writes an address in one way. A name other than localhost is left for Validate.
func normalAddress(text string) string {
	if text == "" || strings.EqualFold(text, "localhost") {
		return loopback
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return text
	}
	return address.Unmap().String()
}

// Validate returns everything that is wrong with normalised settings, by field.
func (s Settings) Validate() problem.Invalid {
	var wrong problem.Invalid
	checkText(&wrong, "name", "Name", s.Name, maxName)
	switch s.Protocol {
	case proxy.IMAP, proxy.POP3, proxy.SMTP:
	default:
		wrong.Add("protocol", "Choose imap, pop3 or smtp.")
	}
	s.validateLocal(&wrong)
	s.validateServer(&wrong)
	return wrong
}

func (s Settings) validateLocal(wrong *problem.Invalid) {
	address, err := netip.ParseAddr(s.LocalAddress)
	switch {
	case err != nil || address.Zone() != "":
		wrong.Add("local_address", "Local address must be an address of this machine such as 127.0.0.1, not a name.")
	case s.Exposed() && !s.AllowUnsafeAddress:
		wrong.Add("allow_unsafe_address", "Other machines reach %s, and without encryption their passwords cross the network in clear. Listen on 127.0.0.1, choose a local encryption with a certificate, or allow passwords in clear.", s.LocalAddress)
	}
	checkPort(wrong, "local_port", "Local port", s.LocalPort)
	switch s.LocalSecurity {
	case dial.Plain:
	case dial.STARTTLS, dial.Implicit:
		s.validateCertificate(wrong)
	default:
		wrong.Add("local_security", "Choose no local encryption, TLS (STARTTLS) or SSL (TLS from the first byte).")
	}
}

// validateCertificate reads the files as the listener will. Each process reads its own machine's.
func (s Settings) validateCertificate(wrong *problem.Invalid) {
	complete := true
	for _, file := range []struct{ field, label, path string }{
		{"certificate_file", "Certificate file", s.CertificateFile}, {"key_file", "Key file", s.KeyFile},
	} {
		switch {
		case file.path == "":
			wrong.Add(file.field, "Local encryption needs a certificate and its key: %s is required.", file.label)
		case len(file.path) > maxFile || !filepath.IsAbs(file.path):
			wrong.Add(file.field, "%s must be a full path such as /etc/orbit/mail.pem.", file.label)
		default:
			continue
		}
		complete = false
	}
	if !complete {
		return
	}
	if _, err := tls.LoadX509KeyPair(s.CertificateFile, s.KeyFile); err != nil {
		field := "certificate_file"
		var missing *fs.PathError
		if errors.As(err, &missing) && missing.Path == s.KeyFile {
			field = "key_file"
		}
		wrong.Add(field, "The certificate can not be used: %v.", err)
	}
}

func (s Settings) validateServer(wrong *problem.Invalid) {
	checkPort(wrong, "server_port", "Server port", s.ServerPort)
	if s.ServerAddress == "" {
		wrong.Add("server_address", "Server address is required.")
		return
	}
	if _, err := dial.ASCIIHost(s.ServerAddress); err != nil {
		wrong.Add("server_address", "Server address must be a name such as outlook.office365.com; the port has its own field.")
		return
	}
	switch s.ServerSecurity {
	case dial.STARTTLS, dial.Implicit:
	case dial.Plain:
		if !isLoopback(s.ServerAddress) {
			wrong.Add("server_security", "Tokens would cross the network to %s in clear. Choose TLS (STARTTLS) or SSL (TLS from the first byte).", s.ServerAddress)
		}
	default:
		wrong.Add("server_security", "Choose TLS (STARTTLS) or SSL (TLS from the first byte).")
	}
	s.validateTrust(wrong)
}

func (s Settings) validateTrust(wrong *problem.Invalid) {
	field := "certificate_rule"
	switch s.CertificateRule {
	case dial.Pin:
		field = "certificate_fingerprint"
	case dial.CustomCA:
		field = "certificate_ca"
	case dial.Verify, dial.Ignore:
	}
	if len(s.CertificateCA) > maxCA {
		wrong.Add(field, "The certificates may have at most 64 KB.")
		return
	}
	if _, err := dial.TLSConfig(s.target()); err != nil {
		wrong.Add(field, "The certificate rule can not be used: %v.", err)
	}
}

// isLoopback accepts literal addresses and localhost: another name could lead anywhere.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// Warnings says what works and still deserves a thought.
func (s Settings) Warnings() []problem.Field {
	var warnings problem.Invalid
	if s.Exposed() {
		warnings.Add("local_address", "%s", inClear(s.Local()))
	}
	if s.CertificateRule == dial.Ignore && s.ServerSecurity != dial.Plain {
		warnings.Add("certificate_rule", "Anybody on the way can pretend to be %s and take the tokens. Pin its certificate or add its authority instead.", s.ServerAddress)
	}
	if usual := s.expected(); usual != "" {
		warnings.Add("server_security", "%s", usual)
	}
	if s.ProxyProtocol {
		warnings.Add("proxy_protocol", "Only a load balancer that sends a PROXY protocol header can connect; mail programs and Orbit's own accounts can not.")
	}
	return warnings
}

// inClear says what it means to listen for other machines without encryption.
func inClear(local string) string {
	return fmt.Sprintf("Passwords cross the network to %s in clear: whoever listens on the way can sign in at this proxy.", local)
}

// expected says that the port is known for another protection than the one chosen.
func (s Settings) expected() string {
	switch s.ServerPort {
	case 993, 995, 465:
		if s.ServerSecurity == dial.STARTTLS {
			return fmt.Sprintf("Port %d usually wants SSL (TLS from the first byte).", s.ServerPort)
		}
	case 143, 110, 587, 25:
		if s.ServerSecurity == dial.Implicit {
			return fmt.Sprintf("Port %d usually begins without encryption and wants TLS (STARTTLS).", s.ServerPort)
		}
	}
	return ""
}

func checkText(wrong *problem.Invalid, field, label, value string, limit int) {
	switch {
	case value == "":
		wrong.Add(field, "%s is required.", label)
	case utf8.RuneCountInString(value) > limit:
		wrong.Add(field, "%s may have at most %d characters.", label, limit)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		wrong.Add(field, "%s contains a line break or another control character; remove it.", label)
	}
}

func checkPort(wrong *problem.Invalid, field, label string, port int) {
	if port < 1 || port > 65535 {
		wrong.Add(field, "%s must be a number from 1 to 65535.", label)
	}
}
