package account

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/submit"
	"orbit/internal/vault"
)

const goodToken = "a token that the provider knows"

// oneToken is the token that every mailbox has.
type oneToken string

func (o oneToken) Source(address string, _ credential.Destination) submit.TokenSource {
	return tokenOf{address, string(o)}
}

type tokenOf struct{ address, token string }

func (t tokenOf) Token(context.Context) (string, vault.Secret, error) {
	return t.address, vault.NewSecret(t.token), nil
}

// dovecot is a real server that knows a password and a token.
func dovecot(t testing.TB) *mailtest.DovecotServer {
	t.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"active": r.FormValue("token") == goodToken, "username": mailtest.User})
	}))
	t.Cleanup(provider.Close)
	return mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: provider.URL})
}

// at is an account at a real server, with a credential of its own.
func at(d *mailtest.DovecotServer, name string, protocol fetch.Protocol, security dial.Security) MailboxChange {
	ports := map[fetch.Protocol]map[dial.Security]int{
		fetch.IMAP: {dial.Plain: d.IMAP, dial.STARTTLS: d.IMAP, dial.Implicit: d.IMAPS},
		fetch.POP3: {dial.Plain: d.POP3, dial.STARTTLS: d.POP3, dial.Implicit: d.POP3S},
	}
	settings := NewMailboxSettings()
	settings.AccountName, settings.Protocol, settings.Address, settings.Port = name, protocol, "localhost", ports[protocol][security]
	settings.UseSecureConnection, settings.SecureConnectionType = security != dial.Plain, security
	settings.CertificateRule, settings.CertificateCA = dial.CustomCA, d.Cert.CA
	settings.CredentialID = NewCredentialID
	return MailboxChange{
		MailboxSettings: settings, Secret: vault.NewSecret(mailtest.Password),
		NewCredential: NewCredential{Name: name + " credential", Username: mailtest.User},
	}
}

// Every way of protection and sign-in climbs the same ladder, saved or not.
func TestRealMailboxesOpen(t *testing.T) {
	t.Parallel()
	h := newHouseWith(t, Options{Tokens: oneToken(goodToken)})
	d := dovecot(t)
	d.Deliver(t, mailtest.User, []byte("Subject: one\n\nOne.\n"))
	for _, protocol := range []fetch.Protocol{fetch.IMAP, fetch.POP3} {
		for _, security := range []dial.Security{dial.Plain, dial.STARTTLS, dial.Implicit} {
			for _, authentication := range []AuthenticationType{Password, OAuth2} {
				t.Run(fmt.Sprintf("%s %q %s", protocol, security, authentication), func(t *testing.T) {
					t.Parallel()
					change := at(d, fmt.Sprint(protocol, security, authentication), protocol, security)
					change.AuthenticationType = authentication
					h.opens(t, MailboxTestRequest{Unsaved: &change}, protocol)
					stored, err := h.CreateMailbox(h.ctx, change)
					if err != nil {
						t.Fatal(err)
					}
					test := h.opens(t, MailboxTestRequest{AccountID: stored.ID}, protocol)
					history, err := h.ListMailboxTests(h.ctx, stored.ID)
					if err != nil || len(history) != 1 || history[0].ID != test.ID || history[0].Reply != test.Reply || len(history[0].Steps) != len(test.Steps) {
						t.Errorf("history: %+v, %v", history, err)
					}
				})
			}
		}
	}
}

// opens runs a test that ends well and says what there is.
func (h *house) opens(t *testing.T, r MailboxTestRequest, protocol fetch.Protocol) MailboxTest {
	t.Helper()
	var seen []ladder.Name
	test, err := h.TestMailbox(h.ctx, r, func(s ladder.Step) {
		if s.Done {
			seen = append(seen, s.Name)
		}
	})
	if err != nil || test.State != TestOpened {
		t.Fatalf("%+v, %v", test.Fault(), err)
	}
	want := map[fetch.Protocol]string{fetch.IMAP: "Signed in at localhost: INBOX has 1 message", fetch.POP3: "Signed in at localhost: the mailbox has 1 message"}
	if test.OpenedAt() != want[protocol] || test.Mailbox != mailtest.User || test.Protocol != protocol || test.EndedAt == nil {
		t.Errorf("%s %+v", test.OpenedAt(), test)
	}
	for _, step := range []ladder.Name{ladder.Greeting, ladder.Hello, ladder.Auth, ladder.Select, ladder.Idle} {
		if !slices.Contains(seen, step) {
			t.Errorf("the ladder misses %s: %v", step, seen)
		}
	}
	for _, step := range test.Steps {
		for _, line := range step.Transcript {
			if strings.Contains(line.Text, mailtest.Password) || strings.Contains(line.Text, goodToken) {
				t.Errorf("the transcript shows the secret: %q", line.Text)
			}
		}
	}
	return test
}

func TestAMailboxThatDoesNotOpenSaysWhoMustDoWhat(t *testing.T) {
	t.Parallel()
	h := newHouseWith(t, Options{Tokens: oneToken("one that was revoked")})
	d := dovecot(t)
	for name, c := range map[string]struct {
		protocol  fetch.Protocol
		change    func(*MailboxChange)
		step      ladder.Name
		code      string
		authorise bool
	}{
		"wrong password over IMAP": {fetch.IMAP, func(c *MailboxChange) { c.Secret = vault.NewSecret("wrong") }, ladder.Auth, "imap_authentication_failed", false},
		"wrong password over POP3": {fetch.POP3, func(c *MailboxChange) { c.Secret = vault.NewSecret("wrong") }, ladder.Auth, "pop3_AUTH", false},
		"refused token over IMAP":  {fetch.IMAP, func(c *MailboxChange) { c.AuthenticationType = OAuth2 }, ladder.Auth, "imap_token_refused", true},
		"refused token over POP3":  {fetch.POP3, func(c *MailboxChange) { c.AuthenticationType = OAuth2 }, ladder.Auth, "pop3_token_refused", true},
		"no such folder":           {fetch.IMAP, func(c *MailboxChange) { c.Folder = "Nowhere" }, ladder.Select, "imap_folder_refused", false},
		"another certificate":      {fetch.IMAP, func(c *MailboxChange) { c.CertificateRule = dial.Verify }, ladder.TLS, "tls_unknown_authority", false},
		"nobody at the port":       {fetch.IMAP, func(c *MailboxChange) { c.Port = 1 }, ladder.Connect, "", false},
	} {
		change := at(d, name, c.protocol, dial.Implicit)
		c.change(&change)
		test, err := h.TestMailbox(h.ctx, MailboxTestRequest{Unsaved: &change}, nil)
		if err != nil {
			t.Fatal(err)
		}
		fault := test.Fault()
		if test.State != TestFailed || fault == nil || fault.Cause == "" || fault.Who == "" || fault.Remedy == "" || fault.Authorise != c.authorise {
			t.Errorf("%s: want cause, who and remedy, got %+v", name, fault)
			continue
		}
		if last := test.Steps[len(test.Steps)-1]; last.Name != c.step && c.code != "" || c.code != "" && fault.Code != c.code {
			t.Errorf("%s: %s at %s", name, fault.Code, last.Name)
		}
		if strings.Contains(name, "password") && test.Reply == "" {
			t.Errorf("%s: the server's words are missing", name)
		}
	}
}

func TestATestOfAMailboxIsCheckedBeforeItBegins(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.TestMailbox(h.ctx, MailboxTestRequest{Unsaved: &MailboxChange{}}, nil)
	wantInvalid(t, err, "address")
	if _, err := h.StartMailboxTest(h.ctx, MailboxTestRequest{AccountID: 4711}); err == nil {
		t.Error("an account that does not exist was tested")
	}
}

func TestAStartedTestOfAMailboxIsAuditedAndKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	silent, err := new(net.ListenConfig).Listen(h.ctx, "tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	change := h.mailbox("background")
	change.Address, change.Port = "127.0.0.1", silent.Addr().(*net.TCPAddr).Port
	a := h.createMailbox(change)
	ctx, stop := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	test, err := h.StartMailboxTest(h.ctx, MailboxTestRequest{AccountID: a.ID})
	if err != nil || test.State != TestRunning || test.StartedBy != "alice" {
		t.Fatalf("%+v, %v", test, err)
	}
	if _, err := silent.Accept(); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	rows, _, err := h.ListMailboxes(h.ctx, MailboxFilter{})
	if err != nil || len(rows) != 1 || rows[0].TestID != test.ID || rows[0].TestState != TestFailed || rows[0].TestAt == nil {
		t.Errorf("the report: %+v, %v", rows, err)
	}
	entries, _, err := audit.List(h.ctx, h.pool, audit.Filter{Action: "mailbox_account.tested", Limit: 5})
	if err != nil || len(entries) != 1 {
		t.Errorf("want one entry, got %d, %v", len(entries), err)
	}
}

func TestOldAndAbandonedTestsOfMailboxes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.createMailbox(h.mailbox("kept"))
	prepared := preparedMailboxTest{accountID: a.ID, change: MailboxChange{MailboxSettings: a.MailboxSettings}}
	for range 3 {
		if _, err := h.beginMailboxTest(h.ctx, prepared); err != nil {
			t.Fatal(err)
		}
	}
	h.exec("update mailbox_test set alive_at = now() - interval '1 hour'")
	h.closeAbandoned(h.ctx)
	if after, err := h.FindMailboxTest(h.ctx, 1); err != nil || after.State != TestFailed || !strings.Contains(after.Reply, "interrupted") {
		t.Errorf("%+v, %v", after, err)
	}
	if _, err := h.pool.Exec(h.ctx, "update mailbox_test set ended_at = now() - interval '181 days' where id < 3"); err != nil {
		t.Fatal(err)
	}
	if err := h.forgetOldTests(h.ctx); err != nil {
		t.Fatal(err)
	}
	if left, err := h.ListMailboxTests(h.ctx, a.ID); err != nil || len(left) != 1 || left[0].ID != 3 {
		t.Errorf("want the young one alone: %+v, %v", left, err)
	}
	if err := h.DeleteMailbox(h.ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.FindMailboxTest(h.ctx, 3); err == nil {
		t.Error("the history outlives its account")
	}
}
