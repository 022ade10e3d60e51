package explain

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"orbit/internal/mail/ladder"
)

func everything() values {
	v := fullContext().networkValues(ladder.Auth)
	for name, value := range fullOAuth().values() {
		v[name] = value
	}
	v.addCertificate(&PinMismatch{Want: "aa", Got: "bb"})
	for _, name := range []string{
		"now", "detail", "reason", "connector", "address", "rule", "variable", "setting", "difference",
		"correlation_id", "timestamp", "error", "number", "digits",
		"kind", "connector_host", "connector_port", "connector_server", "code",
	} {
		v[name] = "some " + name
	}
	return v
}

func fullContext() Context {
	return Context{
		Host: "mail.example.com", Port: 587, Security: STARTTLS, Username: "info@example.com", Sender: "noreply@example.com",
		Recipient: "anna@example.net", Protocol: "SMTP", Offered: []string{"PLAIN", "LOGIN"}, Wanted: "XOAUTH2", Size: 12_000_000,
		MaxSize: 10_000_000, ClientID: "11111111-2222-3333-4444-555555555555", TenantID: "66666666-7777-8888-9999-000000000000",
	}
}

func fullOAuth() OAuthContext {
	return OAuthContext{
		ClientID: "11111111-2222-3333-4444-555555555555", TenantID: "66666666-7777-8888-9999-000000000000",
		Scope: "https://outlook.office.com/SMTP.Send offline_access", RedirectURI: "https://orbit.example.com/email-oauth2-proxy-authorize/",
		Address: "info@example.com", TokenURL: "https://login.microsoftonline.com/66666666-7777-8888-9999-000000000000/oauth2/v2.0/token",
		Flow: "authorization_code", Thumbprint: "A1B2",
	}
}

var whoActs = []ladder.Who{
	ladder.You, ladder.MailboxOwner, ladder.Microsoft365, ladder.GoogleAdmin, ladder.NetworkTeam, ladder.ServerAdmin, ladder.Nobody,
}

func TestEveryEntrySaysWhatHappenedWhoActsAndWhatToDo(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range Entries() {
		t.Run(e.Code, func(t *testing.T) {
			if seen[e.Code] {
				t.Error("the code stands twice")
			}
			seen[e.Code] = true
			if e.Group == "" || e.Seen == "" || e.Cause == "" || e.Remedy == "" {
				t.Errorf("incomplete: %+v", e)
			}
			if !slices.Contains(whoActs, e.Who) {
				t.Errorf("nobody knows %q", e.Who)
			}
			if e.Who == ladder.Nobody && !e.Temporary && !strings.Contains(e.Remedy, "by itself") && !strings.Contains(e.Remedy, "Sending goes on") {
				t.Error("what nobody repairs must heal by itself")
			}
			if e.Throttled && !e.Temporary {
				t.Error("a limit is temporary")
			}
		})
	}
}

var placeholder = regexp.MustCompile(`\{[a-z_:]+\}`)

// A name that nothing fills would be shown in braces.
func TestEveryNameInTheTextsIsFilledIn(t *testing.T) {
	t.Parallel()
	all := everything()
	for _, e := range Entries() {
		f := e.fault(all)
		if m := placeholder.FindString(f.Cause + f.Remedy); m != "" {
			t.Errorf("%s: %s is never filled in", e.Code, m)
		}
	}
}

func TestTheCodesThatFunctionsChooseExist(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"tls_handshake", "tls_bad_rule", "net_other", "net_no_address", "clock_off", "connector_unusable"} {
		if !slices.ContainsFunc(Entries(), func(e Entry) bool { return e.Code == code }) {
			t.Errorf("%s is missing", code)
		}
	}
}

func TestEachTableEndsWithAnEntryThatAlwaysFits(t *testing.T) {
	t.Parallel()
	for _, table := range [][]Entry{smtpEntries, imapEntries, pop3Entries, oauthEntries} {
		last := table[len(table)-1]
		if !last.match.fits(reply{}) {
			t.Errorf("%s does not fit everything", last.Code)
		}
	}
}

func TestNoMicrosoftNumberIsExplainedTwice(t *testing.T) {
	t.Parallel()
	by := map[string]string{}
	for _, e := range microsoftOAuth {
		for _, code := range e.match.codes {
			if other := by[code]; other != "" {
				t.Errorf("%s stands in %s and %s", code, other, e.Code)
			}
			by[code] = e.Code
		}
	}
}

func TestFillingIn(t *testing.T) {
	t.Parallel()
	v := values{"host": "mail.example.com", "mailbox": "o'brien@example.com", "empty_value": "", "odd": "{host}", "shell": "a b'c"}
	for _, c := range []struct{ text, want string }{
		{"to {host}.", "to mail.example.com."},
		{"-Identity {ps:mailbox}", "-Identity 'o''brien@example.com'"},
		{"{empty_value}", "<empty value>"},
		{"{ps:empty_value}", "'<empty value>'"},
		{"dig {sh:host}", "dig mail.example.com"},
		{"dig {sh:shell}", `dig 'a b'\''c'`},
		{"{odd}", "{host}"}, // a value is never filled in itself
		{"{unknown} and {", "{unknown} and {"},
	} {
		if got := v.fill(c.text); got != c.want {
			t.Errorf("fill(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if got := powerShell("a’b"); got != "'a’’b'" {
		t.Errorf("PowerShell takes ’ for an apostrophe: %s", got)
	}
}

func TestServersWordsAreShownWithoutControlCharacters(t *testing.T) {
	t.Parallel()
	got := Clean("550 \x1b[31mred\x1b[0m \u202egnihton\r\nmore\x00\xff")
	if strings.ContainsAny(got, "\x1b\r\x00\u202e") || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
	if long := Clean(strings.Repeat("x", 5000)); len([]rune(long)) > 2001 {
		t.Errorf("%d runes", len([]rune(long)))
	}
}
