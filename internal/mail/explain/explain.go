// Package explain is the error dictionary: it turns what a server, the network, TLS or an identity
// provider said into what happened, who must act and what exactly they must do.
//
// The dictionary is data: tables of entries, each with a pattern and with texts in which {host}, {mailbox}
// and the like stand for the administrator's own values. The first entry that fits wins, so each table goes
// from the particular to the general and ends with an entry that always fits: no reply stays unexplained.
// Entries returns everything for the documentation.
package explain

import (
	"orbit/internal/mail/ladder"
)

// Security says when TLS starts; dial.Security is this type. It stands here because dial explains its
// errors with this package.
type Security string

// How a connection is protected.
const (
	Plain    Security = ""    // no TLS
	STARTTLS Security = "tls" // upgraded by command after the greeting
	Implicit Security = "ssl" // TLS from the first byte
)

// Context is what Orbit knows about the visit that failed. Every field may be empty.
type Context struct {
	Host      string // as the account names it
	Port      int
	Security  Security
	Username  string // who signs in
	Sender    string // envelope sender
	Recipient string
	Provider  string   // provider.ID; empty: known from the host or from the reply
	Protocol  string   // "SMTP", "IMAP" or "POP3"; empty: known from the port
	Offered   []string // mechanisms or extensions the server offers
	Wanted    string   // the mechanism or extension that was asked for
	Size      int64    // of the message
	MaxSize   int64    // that the server announced, 0: not announced
	OAuth     bool     // signs in with an OAuth 2.0 access token, not with a password
	AppOnly   bool     // the token belongs to an application (client credentials, service account), not to a person
	ClientID  string   // OAuth 2.0 client id
	TenantID  string   // Microsoft tenant

	SignedInAs string // the person who consented, where it is not the mailbox itself
}

// OAuthContext is what Orbit knows about a request to an identity provider that failed.
type OAuthContext struct {
	ClientID    string
	TenantID    string
	Scope       string
	RedirectURI string
	Address     string // the mailbox that is to be authorised
	TokenURL    string
	Flow        string // authorization_code, client_credentials, device, password, service_account
	Thumbprint  string // SHA-1 of the client certificate as Microsoft shows it
	Provider    string // provider.ID; empty: known from TokenURL and the error
}

// Group is a chapter of the dictionary.
type Group string

// The chapters, in the order of the page.
const (
	GroupNetwork   Group = "Network"
	GroupConnector Group = "Network connectors"
	GroupTLS       Group = "TLS and certificates"
	GroupSMTP      Group = "SMTP"
	GroupIMAP      Group = "IMAP"
	GroupPOP3      Group = "POP3"
	GroupMicrosoft Group = "Microsoft identity platform"
	GroupGoogle    Group = "Google"
	GroupOAuth     Group = "OAuth 2.0"
)

// Entry is one thing that can go wrong.
type Entry struct {
	Code   string // stable key, Fault.Code
	Group  Group
	Seen   string // what it looks like, as the server or the program says it
	Cause  string // one sentence; {names} are filled in
	Who    ladder.Who
	Remedy string // what to do; commands on lines of their own

	Temporary bool // trying again later may succeed
	Throttled bool // slow down; does not count as an attempt
	Authorise bool // a person must authorise at the provider

	match pattern
}

// Entries returns the whole dictionary in the order in which it is consulted.
func Entries() []Entry {
	var all []Entry
	for _, table := range [][]Entry{
		networkEntries, connectorEntries, tlsEntries, namedEntries, smtpEntries, imapEntries, pop3Entries, oauthEntries,
	} {
		all = append(all, table...)
	}
	return all
}

// fault fills the entry's texts.
func (e Entry) fault(v values) ladder.Fault {
	return ladder.Fault{
		Code:      e.Code,
		Cause:     v.fill(e.Cause),
		Who:       e.Who,
		Remedy:    v.fill(e.Remedy),
		Temporary: e.Temporary,
		Throttled: e.Throttled,
		Authorise: e.Authorise,
	}
}

// byCode returns the entry of a table with this code. The tables are ours, so a missing code is a bug that
// TestEveryCodeUsedExists finds.
func byCode(table []Entry, code string) Entry {
	for _, e := range table {
		if e.Code == code {
			return e
		}
	}
	panic("explain: no entry " + code)
}
