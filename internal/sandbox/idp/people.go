package idp

import (
	"crypto/subtle"
	"slices"
	"strings"
)

// Mailbox is somebody who can sign in.
type Mailbox struct {
	Address  string
	Name     string
	Password string     // of the password flow and of servers that take passwords
	Blocked  bool       // the sign-in is disabled
	Off      []Protocol // not available for this mailbox
}

// DefaultMailboxes are those of a sandbox whose options name none.
func DefaultMailboxes() []Mailbox {
	return []Mailbox{
		{Address: "alerts@orbit.example", Name: "Alerts", Password: "seven-lamps-over-the-river"},
		{Address: "approvals@orbit.example", Name: "Approvals", Password: "nine-boats-under-the-bridge"},
		{Address: "bea@orbit.example", Name: "Bea Sommer", Password: "four-birds-on-the-wire"},
	}
}

// Protocol is what somebody signs in to.
type Protocol string

// The protocols.
const (
	IMAP Protocol = "IMAP"
	POP3 Protocol = "POP3"
	SMTP Protocol = "SMTP"
)

// rights are what a token needs for a protocol: Microsoft's permission for people and for applications.
var rights = map[Protocol]struct{ person, application string }{
	IMAP: {"IMAP.AccessAsUser.All", "IMAP.AccessAsApp"},
	POP3: {"POP.AccessAsUser.All", "POP.AccessAsApp"},
	SMTP: {"SMTP.Send", "SMTP.SendAsApp"},
}

// Reason is why a sign-in at a mail server is refused.
type Reason string

// The reasons.
const (
	UnknownToken  Reason = "the token is unknown or has expired"
	OtherMailbox  Reason = "the token belongs to another mailbox"
	NoRight       Reason = "the token lacks the permission for this protocol"
	ProtocolOff   Reason = "the protocol is switched off for this mailbox"
	WrongPassword Reason = "user name or password is wrong"
)

// Denied is a refused sign-in.
type Denied struct{ Reason Reason }

func (d *Denied) Error() string { return string(d.Reason) }

// CheckPassword reports whether username may sign in with password.
func (p *Provider) CheckPassword(username, password string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.mailboxes[strings.ToLower(username)]
	if !ok || m.Blocked || subtle.ConstantTimeCompare([]byte(m.Password), []byte(password)) == 0 || password == "" {
		return &Denied{WrongPassword}
	}
	return nil
}

// CheckToken reports whether token opens the mailbox username with protocol.
func (p *Provider) CheckToken(protocol Protocol, username, token string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.tokens.get(token)
	if !ok {
		return &Denied{UnknownToken}
	}
	m, ok := p.mailboxes[strings.ToLower(username)]
	switch {
	case !ok || !a.opens(m.Address):
		return &Denied{OtherMailbox}
	case slices.Contains(m.Off, protocol):
		return &Denied{ProtocolOff}
	case !a.may(protocol):
		return &Denied{NoRight}
	}
	return nil
}

// Mailboxes are all that can sign in, in the order of the options.
func (p *Provider) Mailboxes() []Mailbox { return slices.Clone(p.o.Mailboxes) }

// Revoke ends every grant of a mailbox, as a changed password does.
func (p *Provider) Revoke(mailbox string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens.removeIf(func(a *access) bool { return strings.EqualFold(a.mailbox, mailbox) })
	for _, t := range p.refreshes.things {
		if f := t.value.family; strings.EqualFold(f.mailbox, mailbox) {
			f.revoked = true
		}
	}
}

// covers reports whether a list of mailboxes, or "*", names one.
func covers(list []string, mailbox string) bool {
	return slices.ContainsFunc(list, func(item string) bool { return item == "*" || strings.EqualFold(item, mailbox) })
}
