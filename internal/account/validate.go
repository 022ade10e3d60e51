package account

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"orbit/internal/mail/dial"
	"orbit/internal/problem"
)

// Limits of what is stored; a header line of a mail must still fit after encoding.
const (
	maxName    = 100
	maxAddress = 254 // RFC 5321 4.5.3.1.3, less the angle brackets
	maxCA      = 64 << 10
)

// Normalise trims what was typed, fills what follows from other fields and clears what a switch turns off.
func (s SMTPSettings) Normalise() SMTPSettings {
	for _, text := range []*string{
		&s.AccountName, &s.Provider, &s.SenderEmail, &s.SenderName, &s.ReplyToEmail, &s.ReturnPathEmail,
		&s.ConfirmationEmail, &s.SMTPHost, &s.CertificateCA,
	} {
		*text = strings.TrimSpace(*text)
	}
	for _, address := range []*string{&s.ReplyToEmail, &s.ReturnPathEmail, &s.ConfirmationEmail} {
		if *address == "" {
			*address = s.SenderEmail
		}
	}
	if s.Provider == "" {
		s.Provider = "other"
	}
	s.SMTPHost = normaliseHost(s.SMTPHost)
	if !s.UseSecureConnection {
		s.SecureConnectionType = dial.Plain
	}
	normaliseCertificate(&s.CertificateRule, &s.CertificateFingerprint, &s.CertificateCA)
	if s.Port == 0 {
		s.Port = usualPort(s.SecureConnectionType)
	}
	if !s.UseAuthentication {
		s.CredentialID = 0
	}
	if s.AuthenticationType == "" {
		s.AuthenticationType = Password
	}
	if !s.UseNetworkConnector {
		s.NetworkConnectorID = 0
	}
	return s
}

// normaliseCertificate keeps what the certificate rule uses.
func normaliseCertificate(rule *dial.CertificateRule, fingerprint, ca *string) {
	if *rule == "" {
		*rule = dial.Verify
	}
	if *rule != dial.Pin {
		*fingerprint = ""
	}
	if *rule != dial.CustomCA {
		*ca = ""
	}
	*fingerprint = normaliseFingerprint(*fingerprint)
}

// usualPort is the submission port of RFC 8314 for each kind of protection.
func usualPort(security dial.Security) int {
	switch security {
	case dial.Implicit:
		return 465
	case dial.STARTTLS:
		return 587
	default:
		return 25
	}
}

func normaliseHost(host string) string {
	return strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
}

// normaliseFingerprint accepts what openssl and browsers print: "SHA256 Fingerprint=AB:CD:..".
func normaliseFingerprint(text string) string {
	if _, after, found := strings.Cut(text, "="); found {
		text = after
	}
	return strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(text))
}

// Validate returns everything that is wrong with normalised settings, by field.
func (s SMTPSettings) Validate() problem.Invalid {
	var invalid problem.Invalid
	checkText(&invalid, "account_name", "Account name", s.AccountName, maxName, true)
	checkText(&invalid, "sender_name", "Sender name", s.SenderName, maxName, false)
	checkAddress(&invalid, "sender_email", "Sender e-mail", s.SenderEmail, true)
	for field, address := range map[string]string{
		"reply_to_email": s.ReplyToEmail, "return_path_email": s.ReturnPathEmail, "confirmation_email": s.ConfirmationEmail,
	} {
		if address != s.SenderEmail { // taken over from the sender: said once
			checkAddress(&invalid, field, Label(field), address, false)
		}
	}
	checkServer(&invalid, "smtp_host", "SMTP host", s.SMTPHost, s.Port)
	checkSecurity(&invalid, s.UseSecureConnection, s.SecureConnectionType)
	checkTrust(&invalid, s.Trust())
	if s.SignsInWithPassword() && s.CredentialID == 0 {
		invalid.Add("credential_id", "Choose the credential to sign in with, or set Use authentication to No.")
	}
	if s.UseAuthentication && s.AuthenticationType != Password && s.AuthenticationType != OAuth2 {
		invalid.Add("authentication_type", "Authentication must be password or oauth2, not %q.", s.AuthenticationType)
	}
	checkRange(&invalid, "max_connections", "Connections at once", s.MaxConnections, 1000)
	checkRange(&invalid, "max_messages_per_minute", "Messages per minute", s.MaxMessagesPerMinute, 100_000)
	checkRange(&invalid, "fallback_order", "Fallback order", s.FallbackOrder, 1000)
	return invalid
}

func checkSecurity(invalid *problem.Invalid, secure bool, kind dial.Security) {
	if secure && kind != dial.STARTTLS && kind != dial.Implicit {
		invalid.Add("secure_connection_type", "Choose TLS (STARTTLS) or SSL (TLS from the first byte), or set Use secure connection to No.")
	}
}

// checkTrust reports what is wrong with a certificate rule, under the field names that both kinds of account share.
func checkTrust(invalid *problem.Invalid, trust dial.Trust) {
	switch trust.Rule {
	case dial.Verify, dial.Ignore:
	case dial.Pin:
		if raw, err := hex.DecodeString(trust.Fingerprint); err != nil || len(raw) != 32 {
			invalid.Add("certificate_fingerprint", "A SHA-256 fingerprint has 64 hexadecimal digits; press Test configuration to see the server's.")
		}
	case dial.CustomCA:
		checkCA(invalid, trust.CA)
	default:
		invalid.Add("certificate_rule", "The certificate rule must be verify, pin or custom_ca, not %q.", trust.Rule)
	}
}

func checkCA(invalid *problem.Invalid, text string) {
	if len(text) > maxCA {
		invalid.Add("certificate_ca", "The certificates may have at most 64 KB.")
		return
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		invalid.Add("certificate_ca", "Paste one or more certificates in PEM form: each begins with -----BEGIN CERTIFICATE-----.")
		return
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		invalid.Add("certificate_ca", "The first certificate cannot be read: %v.", err)
	}
}

func checkText(invalid *problem.Invalid, field, label, value string, limit int, required bool) {
	switch {
	case required && value == "":
		invalid.Add(field, "%s is required.", label)
	case utf8.RuneCountInString(value) > limit:
		invalid.Add(field, "%s may have at most %d characters.", label, limit)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		invalid.Add(field, "%s contains a line break or another control character; remove it.", label)
	}
}

// checkAddress wants one bare address (RFC 5321 4.1.2), in ASCII or UTF-8 (RFC 6531).
func checkAddress(invalid *problem.Invalid, field, label, value string, required bool) {
	if value == "" {
		if required {
			invalid.Add(field, "%s is required.", label)
		}
		return
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		invalid.Add(field, "%s contains a line break or another control character; remove it.", label)
		return
	}
	parsed, err := mail.ParseAddress(value)
	if err != nil || parsed.Address != value || len(value) > maxAddress || !hasDomain(value) {
		invalid.Add(field, "%s must be one address such as alerts@example.com.", label)
	}
}

func hasDomain(address string) bool {
	_, domain, found := strings.Cut(address, "@")
	return found && validHost(strings.Trim(domain, "[]"))
}

func checkServer(invalid *problem.Invalid, field, label, host string, port int) {
	switch {
	case host == "":
		invalid.Add(field, "%s is required.", label)
	case strings.Contains(host, "://"):
		invalid.Add(field, "%s is a name or an address without %s.", label, host[:strings.Index(host, "://")+3])
	case !validHost(host):
		invalid.Add(field, "%s must be a name such as mail.example.com or an address such as 192.0.2.25; the port has its own field.", label)
	}
	if port < 1 || port > 65535 {
		invalid.Add("port", "Port must be a number from 1 to 65535.")
	}
}

// validHost accepts what can be dialled, with nothing to be cut off.
func validHost(host string) bool {
	_, err := dial.ASCIIHost(host)
	return err == nil && !strings.HasSuffix(host, ".")
}

func checkRange(invalid *problem.Invalid, field, label string, value, limit int) {
	if value < 0 || value > limit {
		invalid.Add(field, "%s must be from 0 to %d.", label, limit)
	}
}
