package account

import (
	"context"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/provider"
)

// MailboxHints returns what an administrator should know about normalised settings before mail is read with them. Id is
// the account's, 0 for a new one.
func (s *Service) MailboxHints(ctx context.Context, id int64, m MailboxSettings) ([]Hint, error) {
	var found hints
	if !m.Active {
		found.add("active", "The account is disabled: nobody reads what arrives, answers to approvals included.")
	} else if !m.AutomaticCheck {
		found.add("automatic_check", "Mail is read only when somebody presses Check now, answers to approvals included.")
	}
	if right := rightHost(m.Protocol, m.Address); right != "" {
		found.add("address", "The provider of %s reads mail by %s at %s.", m.Address, m.Protocol.Name(), right)
	} else if notice := explain.MailboxPasswordNotice(m.Address, m.SignsInWithPassword()); notice != "" {
		found.add("authentication_type", "%s", notice)
	}
	addPort(&found, m)
	s.addOwn(&found, m.Target(), m.AuthenticationType)
	found.addTrust(m.Target(), "ignore_certificate", "no mail is read")
	switch {
	case m.SecureConnectionType != dial.Plain || isLoopback(m.Address):
	case m.AuthenticationType == OAuth2:
		found.add("use_secure_connection", "An access token is not sent to %s without encryption: the sign-in will fail.", m.Address)
	default:
		found.add("use_secure_connection", "The password and every message cross the network to %s unprotected.", m.Address)
	}
	return found, s.addRival(ctx, &found, id, m)
}

// addRival tells of another account on the same mailbox: both would store each message and act on it.
func (s *Service) addRival(ctx context.Context, found *hints, id int64, m MailboxSettings) error {
	if !m.Active || m.CredentialID <= 0 {
		return nil
	}
	name, err := rivalMailbox(ctx, s.pool, id, m)
	if err == nil && name != "" {
		found.add("credential_id", "%s reads this mailbox already. Each message would be stored and acted upon twice.", name)
	}
	return err
}

// registered are the ports that say by themselves which protocol they speak and when TLS starts (RFC 8314).
var registered = map[int]struct {
	protocol fetch.Protocol
	implicit bool
}{143: {fetch.IMAP, false}, 993: {fetch.IMAP, true}, 110: {fetch.POP3, false}, 995: {fetch.POP3, true}}

func addPort(found *hints, m MailboxSettings) {
	usual, known := registered[m.Port]
	switch {
	case !known:
	case usual.protocol != m.Protocol:
		found.add("port", "Port %d is that of %s. %s with these settings is usually on port %d.",
			m.Port, usual.protocol.Name(), m.Protocol.Name(), UsualMailboxPort(m.Protocol, m.SecureConnectionType))
	case usual.implicit && m.SecureConnectionType != dial.Implicit:
		found.add("secure_connection_type", "Port %d is encrypted from the first byte: use a secure connection of type SSL.", m.Port)
	case !usual.implicit && m.SecureConnectionType == dial.Implicit:
		found.add("secure_connection_type", "Port %d begins without encryption: choose TLS (STARTTLS), or port %d.",
			m.Port, UsualMailboxPort(m.Protocol, dial.Implicit))
	}
}

// rightHost is where a provider reads mail, when host is its server for something else; otherwise "".
func rightHost(protocol fetch.Protocol, host string) string {
	for _, cloud := range provider.Clouds() {
		if host == cloud.SMTP && host != cloud.IMAP {
			return cloud.IMAP
		}
	}
	preset := provider.Find(provider.ByHost(host))
	right, other := preset.IMAP.Host, preset.POP3.Host
	if protocol == fetch.POP3 {
		right, other = other, right
	}
	if right == "" || host == right || host != other && host != preset.SMTP.Host {
		return ""
	}
	return right
}
