package account

import (
	"strings"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
	"orbit/internal/problem"
)

const (
	inbox         = "INBOX" // the one name that is the same in any case (RFC 9051 5.1)
	maxFolder     = 255
	maxAuthservID = 253 // mostly a host name
)

// Normalise trims what was typed, fills what follows from other fields and clears what a switch turns off.
func (m MailboxSettings) Normalise() MailboxSettings {
	for _, text := range []*string{&m.AccountName, &m.Address, &m.CertificateCA, &m.AuthservID} {
		*text = strings.TrimSpace(*text)
	}
	m.Address = normaliseHost(m.Address)
	if m.Protocol == "" {
		m.Protocol = fetch.IMAP
	}
	if !m.UseSecureConnection {
		m.SecureConnectionType = dial.Plain
	}
	normaliseCertificate(&m.CertificateRule, &m.CertificateFingerprint, &m.CertificateCA)
	if m.Port == 0 {
		m.Port = UsualMailboxPort(m.Protocol, m.SecureConnectionType)
	}
	if m.AuthenticationType == "" {
		m.AuthenticationType = Password
	}
	if !m.UseNetworkConnector {
		m.NetworkConnectorID = 0
	}
	m.Folder = normaliseFolder(m.Protocol, m.Folder)
	return m
}

// normaliseFolder leaves blanks where they stand: a folder's name may begin with one. POP3 knows no folders.
func normaliseFolder(protocol fetch.Protocol, folder string) string {
	switch {
	case protocol == fetch.POP3:
		return ""
	case strings.TrimSpace(folder) == "", strings.EqualFold(strings.TrimSpace(folder), inbox):
		return inbox
	}
	return folder
}

// UsualMailboxPort is the registered port of a protocol for each kind of protection (RFC 8314).
func UsualMailboxPort(protocol fetch.Protocol, security dial.Security) int {
	switch {
	case protocol == fetch.POP3 && security == dial.Implicit:
		return 995
	case protocol == fetch.POP3:
		return 110
	case security == dial.Implicit:
		return 993
	}
	return 143
}

// Validate returns everything that is wrong with normalised settings, by field.
func (m MailboxSettings) Validate() problem.Invalid {
	var invalid problem.Invalid
	checkText(&invalid, "account_name", "Account name", m.AccountName, maxName, true)
	checkServer(&invalid, "address", "Address", m.Address, m.Port)
	if m.Protocol != fetch.IMAP && m.Protocol != fetch.POP3 {
		invalid.Add("protocol", "Protocol must be imap or pop3, not %q.", m.Protocol)
	}
	checkSecurity(&invalid, m.UseSecureConnection, m.SecureConnectionType)
	checkTrust(&invalid, m.Trust())
	m.validateSignIn(&invalid)
	checkText(&invalid, "folder", "Folder", m.Folder, maxFolder, m.Protocol == fetch.IMAP)
	checkText(&invalid, "authserv_id", "Trusted authserv-id", m.AuthservID, maxAuthservID, false)
	if strings.ContainsAny(m.AuthservID, " ;\"") {
		invalid.Add("authserv_id", "An authserv-id is one word, such as mx.example.com: the first one after \"Authentication-Results:\" in a received message.")
	}
	return invalid
}

func (m MailboxSettings) validateSignIn(invalid *problem.Invalid) {
	switch {
	case m.AuthenticationType != Password && m.AuthenticationType != OAuth2:
		invalid.Add("authentication_type", "Authentication must be password or oauth2, not %q.", m.AuthenticationType)
	case m.CredentialID == 0 && m.AuthenticationType == OAuth2:
		invalid.Add("credential_id", "Choose the credential whose username is the mailbox; with OAuth 2.0 its secret is not sent.")
	case m.CredentialID == 0:
		invalid.Add("credential_id", "Choose the credential to sign in with: nobody reads a mailbox without.")
	}
}
