package account

import (
	"context"
	"fmt"
	"strings"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
)

// Hint is something worth knowing about settings that are valid.
type Hint struct {
	Field string // beside which field it stands
	Text  string
}

// SMTPHints returns what an administrator should know about normalised settings before mails leave with them.
func (s *Service) SMTPHints(ctx context.Context, a SMTPSettings) ([]Hint, error) {
	var hints []Hint
	add := func(field, format string, args ...any) {
		hints = append(hints, Hint{Field: field, Text: fmt.Sprintf(format, args...)})
	}
	read, err := mailboxReads(ctx, s.pool, a.ReplyToEmail)
	if err != nil {
		return nil, err
	}
	if a.ReplyToEmail != "" && !read {
		add("reply_to_email", "No IMAP/POP3 account reads %s, so Orbit does not see what people answer.", a.ReplyToEmail)
	}
	if notice := explain.RetirementNotice(a.SMTPHost, a.SignsInWithPassword()); notice != "" {
		add("smtp_host", "%s", notice)
	}
	if a.IgnoreCertificateError && a.SecureConnectionType != dial.Plain {
		add("ignore_certificate_error", "Anybody on the way can pretend to be %s and read the password. Pin its certificate or add its authority instead.", a.SMTPHost)
	}
	if a.CertificateRule == dial.Pin && !a.IgnoreCertificateError && a.SecureConnectionType != dial.Plain {
		add("certificate_fingerprint", "Compare it with the one on the server before you rely on it. When the server gets a new certificate, mails wait until you pin that one.")
	}
	if a.SignsInWithPassword() && a.SecureConnectionType == dial.Plain && !isLoopback(a.SMTPHost) {
		add("use_secure_connection", "The password crosses the network to %s unprotected.", a.SMTPHost)
	}
	if a.DefaultAccount && !a.Active {
		add("active", "This is the default account and it is disabled: no notification will be sent.")
	}
	return hints, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "::1" || strings.HasPrefix(host, "127.")
}
