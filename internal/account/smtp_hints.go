package account

import (
	"context"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
)

// SMTPHints returns what an administrator should know about normalised settings before mails leave with them.
func (s *Service) SMTPHints(ctx context.Context, a SMTPSettings) ([]Hint, error) {
	var found hints
	read, err := mailboxReads(ctx, s.pool, a.ReplyToEmail)
	if err != nil {
		return nil, err
	}
	if a.ReplyToEmail != "" && !read {
		found.add("reply_to_email", "No IMAP/POP3 account reads %s, so Orbit does not see what people answer.", a.ReplyToEmail)
	}
	if notice := explain.RetirementNotice(a.SMTPHost, a.SignsInWithPassword()); notice != "" {
		found.add("smtp_host", "%s", notice)
	}
	found.addTrust(a.Target(), "ignore_certificate_error", "mails wait")
	if a.UseAuthentication {
		s.addOwn(&found, a.Target(), a.AuthenticationType)
	}
	if a.SignsInWithPassword() && a.SecureConnectionType == dial.Plain && !isLoopback(a.SMTPHost) {
		found.add("use_secure_connection", "The password crosses the network to %s unprotected.", a.SMTPHost)
	}
	if a.DefaultAccount && !a.Active {
		found.add("active", "This is the default account and it is disabled: no notification will be sent.")
	}
	return found, nil
}
