package explain

import (
	"strings"

	"orbit/internal/mail/provider"
)

// RetirementNotice returns the sentence shown at an account that signs in with a password at Exchange Online,
// or "". The dates are those of the Exchange Team of January 2026, which replaced all earlier ones.
func RetirementNotice(host string, usesPassword bool) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if !usesPassword || !retiringHost(host) {
		return ""
	}
	return "Microsoft retires passwords for SMTP at " + host + ": from the end of December 2026 they are disabled by default in existing " +
		"tenants (an administrator can enable them again) and are not available by default in new ones; the date of the final removal is " +
		"to be announced in the second half of 2027. Then the server answers \"550 5.7.30 Basic authentication is not supported for " +
		"Client Submission\". Set Authentication to OAuth 2.0."
}

// retiringHost reports whether the host takes client submissions for Exchange Online. The consumer service
// (smtp-mail.outlook.com) has another calendar: there passwords ended in 2024.
func retiringHost(host string) bool {
	for _, c := range provider.Clouds() {
		if host == c.SMTP {
			return true
		}
	}
	return strings.HasPrefix(host, "smtp") && strings.HasSuffix(host, ".office365.com") || host == "outlook.office365.com"
}

// MailboxPasswordNotice returns the sentence shown at an account that reads a mailbox with a password where a provider
// wants something else, or "".
func MailboxPasswordNotice(host string, usesPassword bool) string {
	if !usesPassword {
		return ""
	}
	preset := provider.Find(provider.ByHost(host))
	switch {
	case preset.ID == provider.Microsoft365:
		return "Microsoft takes no passwords for IMAP and POP3 any more. Set Authentication to OAuth 2.0, or read the mailbox through Orbit's own proxy."
	case preset.ID == provider.Google:
		return "Google refuses the normal password. Set Authentication to OAuth 2.0, or use an application password (it needs 2-Step Verification)."
	case len(preset.OAuth) > 0:
		return preset.Name + " takes an application password or OAuth 2.0, not the normal password."
	}
	return ""
}
