package explain

import (
	"strings"
	"testing"

	"orbit/internal/mail/ladder"
)

func TestEveryMailboxEntryIsFoundByItsExample(t *testing.T) {
	t.Parallel()
	tables := map[string]struct {
		entries []Entry
		explain func(ladder.Name, string, string, Context) ladder.Fault
	}{
		"IMAP": {imapEntries, IMAP},
		"POP3": {pop3Entries, POP3},
	}
	for name, table := range tables {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, e := range table.entries {
				step, c := contextOf(e.match)
				f := table.explain(step, "", e.Seen, c)
				if f.Code != e.Code {
					t.Errorf("%s: %q at %s is explained as %s", e.Code, e.Seen, step, f.Code)
				}
			}
		})
	}
}

func TestIMAPReplies(t *testing.T) {
	t.Parallel()
	m365 := Context{Host: "outlook.office365.com", Port: 993, Username: "info@example.com", ClientID: "c-1", OAuth: true}
	m365App := m365
	m365App.AppOnly = true
	google := Context{Host: "imap.gmail.com", Port: 993, Username: "info@example.com"}
	dovecot := Context{Host: "imap.example.com", Port: 143, Username: "info"}
	for _, c := range []struct {
		name       string
		step       ladder.Name
		code, text string
		context    Context
		want       string
		remedy     string
		reply      string
	}{
		{"token refused", ladder.Auth, "", "AUTHENTICATE failed.", m365, "imap_microsoft_token", "IMAP.AccessAsUser.All", "AUTHENTICATE failed."},
		{"application refused", ladder.Auth, "", "AUTHENTICATE failed.", m365App, "imap_microsoft_app", "Add-MailboxPermission -Identity 'info@example.com'", ""},
		{"an application without access", ladder.Select, "", "User is authenticated but not connected.", m365App, "imap_not_connected_app", "New-ServicePrincipal -AppId 'c-1'", ""},
		{"another mailbox", ladder.Select, "", "User is authenticated but not connected.", m365, "imap_not_connected", "FullAccess", ""},
		{"Google", ladder.Auth, "AUTHENTICATIONFAILED", "Invalid credentials (Failure)", google, "imap_google_credentials", "Enable IMAP", "[AUTHENTICATIONFAILED] Invalid credentials (Failure)"},
		{"Google with a code inside the text", ladder.Auth, "", "[ALERT] Application-specific password required", google, "imap_google_app_password", "apppasswords", "[ALERT] Application-specific password required"},
		{"Dovecot", ladder.Auth, "AUTHENTICATIONFAILED", "Authentication failed.", dovecot, "imap_authentication_failed", "enter the password again", ""},
		{"in use", ladder.Select, "inuse", "Mailbox is locked", dovecot, "imap_INUSE", "by itself", ""},
		{"no folder", ladder.Select, "NONEXISTENT", "Unknown Mailbox: Archive", dovecot, "imap_NONEXISTENT", "INBOX", ""},
		{"alert", ladder.Hello, "ALERT", "Read the news", dovecot, "imap_alert", "message of the server", "[ALERT] Read the news"},
		{"anything", ladder.Idle, "", "what?", dovecot, "imap_refused", "administrator", "what?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := IMAP(c.step, c.code, c.text, c.context)
			if f.Code != c.want || !strings.Contains(f.Remedy, c.remedy) {
				t.Fatalf("%s, want %s with %q:\n%s", f.Code, c.want, c.remedy, f.Remedy)
			}
			if c.reply != "" && f.Reply != c.reply {
				t.Errorf("reply %q", f.Reply)
			}
		})
	}
}

func TestPOP3Replies(t *testing.T) {
	t.Parallel()
	c := Context{Host: "pop.example.com", Port: 995, Username: "info"}
	for _, row := range []struct{ code, text, want string }{
		{"AUTH", "Authentication failed.", "pop3_AUTH"},
		{"", "[AUTH] Authentication failed.", "pop3_AUTH"},
		{"SYS/TEMP", "Try later", "pop3_SYS/TEMP"},
		{"IN-USE", "Locked", "pop3_IN-USE"},
		{"", "invalid password", "pop3_login_refused"},
		{"", "[unfinished", "pop3_login_refused"},
	} {
		if f := POP3(ladder.Auth, row.code, row.text, c); f.Code != row.want {
			t.Errorf("%q %q: %s, want %s", row.code, row.text, f.Code, row.want)
		}
	}
}
