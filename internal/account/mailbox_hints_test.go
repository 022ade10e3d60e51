package account

import (
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
)

func TestTheReplyToHintKnowsWhoReadsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	reader := h.createMailbox(h.mailbox("reader"))
	for _, active := range []bool{true, false} {
		if _, err := h.SetMailboxActive(h.ctx, reader.ID, active); err != nil {
			t.Fatal(err)
		}
		hints, err := h.SMTPHints(h.ctx, h.change("sender").Normalise())
		if err != nil {
			t.Fatal(err)
		}
		if hinted := hintFor(hints, "reply_to_email") != ""; hinted == active {
			t.Errorf("a reader that is active: %t, a hint: %t", active, hinted)
		}
	}
}

func hintFor(hints []Hint, field string) string {
	for _, hint := range hints {
		if hint.Field == field {
			return hint.Text
		}
	}
	return ""
}

// set leads an account elsewhere.
func set(address string, port int, security dial.Security) func(*MailboxSettings) {
	return func(m *MailboxSettings) {
		m.Address, m.Port, m.UseSecureConnection, m.SecureConnectionType = address, port, security != dial.Plain, security
	}
}

func and(all ...func(*MailboxSettings)) func(*MailboxSettings) {
	return func(m *MailboxSettings) {
		for _, change := range all {
			change(m)
		}
	}
}

func pop3(m *MailboxSettings)  { m.Protocol = fetch.POP3 }
func oauth(m *MailboxSettings) { m.AuthenticationType = OAuth2 }

// mailboxHints are changes to a good account, and the one hint that each of them gets.
var mailboxHints = map[string]struct {
	change      func(*MailboxSettings)
	field, says string
}{
	"nothing to say":       {set("imap.example.org", 993, dial.Implicit), "", ""},
	"the document's":       {set("127.0.0.1", 2993, dial.Plain), "", ""},
	"plain and foreign":    {set("imap.example.org", 143, dial.Plain), "use_secure_connection", "unprotected"},
	"a token in clear":     {and(set("imap.example.org", 143, dial.Plain), oauth), "use_secure_connection", "will fail"},
	"STARTTLS on 993":      {set("imap.example.org", 993, dial.STARTTLS), "secure_connection_type", "type SSL"},
	"SSL on 143":           {set("imap.example.org", 143, dial.Implicit), "secure_connection_type", "port 993"},
	"IMAP on 995":          {set("imap.example.org", 995, dial.Implicit), "port", "port 993"},
	"POP3 on 993":          {and(set("imap.example.org", 993, dial.Implicit), pop3), "port", "port 995"},
	"a sending host":       {set("smtp.office365.com", 993, dial.Implicit), "address", "outlook.office365.com"},
	"of a national cloud":  {set("smtp.partner.outlook.cn", 993, dial.Implicit), "address", "at partner.outlook.cn"},
	"POP3 at the IMAP":     {and(set("imap.gmail.com", 995, dial.Implicit), pop3), "address", "pop.gmail.com"},
	"Microsoft's password": {set("outlook.office365.com", 993, dial.Implicit), "authentication_type", "OAuth 2.0"},
	"Google's password":    {set("imap.gmail.com", 993, dial.Implicit), "authentication_type", "application password"},
	"Microsoft's token":    {and(set("outlook.office365.com", 993, dial.Implicit), oauth), "", ""},
	"a token for Orbit":    {and(set("127.0.0.1", 2993, dial.Plain), oauth), "authentication_type", "own proxy"},
	"TLS towards Orbit":    {set("127.0.0.1", 2993, dial.STARTTLS), "use_secure_connection", "own proxy"},
	"any certificate":      {and(set("imap.example.org", 993, dial.Implicit), func(m *MailboxSettings) { m.IgnoreCertificate = true }), "ignore_certificate", "pretend"},
	"a pinned one": {and(set("imap.example.org", 993, dial.Implicit), func(m *MailboxSettings) { m.CertificateRule = dial.Pin }),
		"certificate_fingerprint", "no mail is read"},
	"disabled": {func(m *MailboxSettings) { m.Active = false }, "active", "nobody reads"},
	"by hand":  {func(m *MailboxSettings) { m.AutomaticCheck = false }, "automatic_check", "Check now"},
}

func TestMailboxHints(t *testing.T) {
	t.Parallel()
	h := newHouseWith(t, Options{Own: func(_ string, port int) bool { return port == 2993 }})
	for name, c := range mailboxHints {
		settings := h.mailbox("hinted").MailboxSettings
		settings.Address, settings.IgnoreCertificate = "imap.example.org", false
		c.change(&settings)
		hints, err := h.MailboxHints(h.ctx, 0, settings.Normalise())
		if err != nil {
			t.Fatal(err)
		}
		if c.field == "" && len(hints) != 0 || !strings.Contains(hintFor(hints, c.field), c.says) || len(hints) > 1 {
			t.Errorf("%s: %+v", name, hints)
		}
	}
}

func TestTwoAccountsOnOneMailboxAreToldOfEachOther(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	rival := h.createMailbox(h.mailbox("rival"))
	for name, c := range map[string]struct {
		id     int64
		change func(*MailboxSettings)
		hinted bool
	}{
		"two alike":          {0, func(*MailboxSettings) {}, true},
		"itself":             {rival.ID, func(*MailboxSettings) {}, false},
		"another folder":     {0, func(m *MailboxSettings) { m.Folder = "Answers" }, false},
		"another server":     {0, func(m *MailboxSettings) { m.Address = "imap.example.org" }, false},
		"disabled itself":    {0, func(m *MailboxSettings) { m.Active = false }, false},
		"not registered yet": {0, func(m *MailboxSettings) { m.CredentialID = NewCredentialID }, false},
	} {
		settings := rival.MailboxSettings
		c.change(&settings)
		hints, err := h.MailboxHints(h.ctx, c.id, settings)
		if hinted := strings.HasPrefix(hintFor(hints, "credential_id"), "rival reads"); err != nil || hinted != c.hinted {
			t.Errorf("%s: %+v, %v", name, hints, err)
		}
	}
}
