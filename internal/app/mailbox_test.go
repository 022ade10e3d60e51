package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/app"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/proxy"
	"orbit/internal/proxyhost"
	"orbit/internal/vault"
)

// mailboxFields are those of an account at the sandbox's servers for passwords.
func mailboxFields(d *app.Demo, protocol string, credential any) fields {
	port := map[string]int{"imap": d.Sandbox.Ports.PasswordIMAP, "pop3": d.Sandbox.Ports.PasswordPOP3}[protocol]
	return fields{
		"account_name": "Inbox " + protocol, "protocol": protocol, "address": "127.0.0.1", "port": port, "credential_id": credential,
		"secure_connection_type": "tls", "certificate_rule": "custom_ca", "certificate_ca": d.Sandbox.Certificate.CA,
	}
}

func TestAProgramRegistersAndTestsAMailbox(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	p, operator := h.program(t, identity.Administrator), h.program(t, identity.Operator)
	owner := d.Sandbox.Identity.Mailboxes()[0]
	if err := d.Sandbox.Deliver(owner.Address, []byte("Subject: one\r\n\r\nOne.\r\n")); err != nil {
		t.Fatal(err)
	}
	credential := p.want(201, "POST", "/credentials", fields{"name": "Mailbox", "username": owner.Address, "secret": owner.Password})
	for protocol, last := range map[string]string{"imap": "INBOX has 1 message", "pop3": "the mailbox has 1 message"} {
		values := mailboxFields(d, protocol, credential["id"])
		wrong := p.want(422, "POST", "/imap-pop3-accounts", values)
		if places := fmt.Sprint(wrong["errors"]); !strings.Contains(places, "body.secret") {
			t.Errorf("a new destination wants the secret: %s", places)
		}
		values["secret"] = owner.Password
		tried := p.want(200, "POST", "/imap-pop3-accounts/test", fields{"account": values})
		stored := p.want(201, "POST", "/imap-pop3-accounts", values)
		if stored["keep_copy_on_server"] != true || stored["automatic_check"] != true || stored["active"] != true {
			t.Errorf("defaults are those of the form: %v", stored)
		}
		at := "/imap-pop3-accounts/" + strconv.Itoa(int(stored["id"].(float64)))
		test := operator.want(200, "POST", at+"/test", nil)
		if tried["state"] != "opened" || test["state"] != "opened" || test["reply"] != last || test["mailbox"] != owner.Address {
			t.Errorf("%s: %v\n%v", protocol, tried, test)
		}
		if history := p.want(200, "GET", at+"/tests", nil); len(history["items"].([]any)) != 1 {
			t.Errorf("history: %v", history)
		}
		changed := p.want(200, "PATCH", at, fields{"keep_copy_on_server": false, "version": stored["version"]})
		if changed["keep_copy_on_server"] != false || changed["address"] != "127.0.0.1" {
			t.Errorf("only what is sent changes: %v", changed)
		}
		p.want(409, "PATCH", at, fields{"active": false, "version": stored["version"]})
		p.want(200, "PATCH", at, fields{"active": false})
		if listed := p.want(200, "GET", "/imap-pop3-accounts?active=false&protocol="+protocol, nil); len(listed["items"].([]any)) != 1 {
			t.Errorf("filtered: %v", listed)
		}
		p.want(201, "POST", at+"/clone", nil)
		p.want(204, "DELETE", at, nil)
		p.want(404, "GET", at, nil)
		p.want(404, "GET", at+"/tests", nil)
	}
}

func TestTheAPISaysEverythingThatIsWrongWithAMailbox(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	wrong := p.want(422, "POST", "/imap-pop3-accounts", fields{"account_name": "", "address": "imaps://x", "folder": "a\nb"})
	for _, field := range []string{"account_name", "address", "folder", "credential_id"} {
		if !strings.Contains(fmt.Sprint(wrong["errors"]), "body."+field) {
			t.Errorf("%s is not among %v", field, wrong["errors"])
		}
	}
	wrong = p.want(422, "POST", "/imap-pop3-accounts/test", fields{"account": fields{"account_name": "x"}})
	if places := fmt.Sprint(wrong["errors"]); !strings.Contains(places, "body.account.address") {
		t.Errorf("what is wrong, and where: %s", places)
	}
	auditor := h.program(t, identity.Auditor)
	auditor.want(403, "POST", "/imap-pop3-accounts", fields{})
	auditor.want(403, "POST", "/imap-pop3-accounts/1/test", nil)
	if listed := auditor.want(200, "GET", "/imap-pop3-accounts", nil); len(listed["items"].([]any)) != 0 {
		t.Errorf("nothing is stored: %v", listed)
	}
}

// The chapter "How to set up an IMAP account" with its values: before anybody has consented, through the embedded
// proxy to the sandbox, and to a real server.
func TestTheDocumentsMailboxOpensThroughTheProxy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	register(t, h, d, d.AppOnlyArguments())
	inbox := h.documentsMailbox(t, d.AppOnlyMailbox())
	test := wantOpened(t, h, inbox.ID, "INBOX has ")
	var climbed []string
	for _, step := range test.Steps {
		climbed = append(climbed, string(step.Name))
	}
	if got := strings.Join(climbed, " "); got != "resolve connect greeting ehlo auth select idle" {
		t.Errorf("the ladder: %s", got)
	}

	good, err := h.OAuth.Token(t.Context(), d.AppOnlyMailbox(), credential.Self)
	if err != nil {
		t.Fatal(err)
	}
	judge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"active": r.FormValue("token") == good.Reveal(), "username": d.AppOnlyMailbox()})
	}))
	t.Cleanup(judge.Close)
	real := mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: judge.URL, Users: map[string]string{d.AppOnlyMailbox(): mailtest.Password}})
	real.Deliver(t, d.AppOnlyMailbox(), []byte("Subject: one\n\nOne.\n"))
	l := h.imapListener(t)
	l.ServerAddress, l.ServerPort, l.CertificateCA = "localhost", real.IMAPS, real.Cert.CA
	if _, err := h.Proxies.Save(t.Context(), l.ID, proxyhost.Change{Settings: l.Settings, Version: l.Version}); err != nil {
		t.Fatal(err)
	}
	eventuallyOpened(t, h, inbox.ID, "INBOX has 1 message")
}

// eventuallyOpened waits until a changed listener leads where it should.
func eventuallyOpened(t *testing.T, h *house, id int64, last string) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(20 * time.Second)
	for {
		test, err := h.Accounts.TestMailbox(t.Context(), account.MailboxTestRequest{AccountID: id}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.Reply == last {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("want %s, got %s %+v", last, test.Reply, test.Fault())
		}
	}
}

func TestAMailboxThatNobodyAuthorisedOffersIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	register(t, h, d, d.RegisterArguments())
	inbox := h.documentsMailbox(t, "alerts@orbit.example")
	test, err := h.Accounts.TestMailbox(t.Context(), account.MailboxTestRequest{AccountID: inbox.ID}, nil)
	if err != nil || test.State != account.TestFailed {
		t.Fatalf("%+v, %v", test, err)
	}
	if fault := test.Fault(); !fault.Authorise || !strings.Contains(fault.Cause, "alerts@orbit.example is not authorised") {
		t.Errorf("%+v", fault)
	}
	direct := account.MailboxChange{MailboxSettings: inbox.MailboxSettings}
	direct.Port, direct.AuthenticationType = d.Sandbox.Ports.IMAPS, account.OAuth2
	direct.UseSecureConnection, direct.SecureConnectionType = true, dial.Implicit
	if test, err = h.Accounts.TestMailbox(t.Context(), account.MailboxTestRequest{Unsaved: &direct}, nil); err != nil || !test.Fault().Authorise {
		t.Errorf("without the proxy: %+v, %v", test.Fault(), err)
	}
}

// documentsMailbox is the account of the document, at the local IMAP port of this house.
func (h *house) documentsMailbox(t *testing.T, mailbox string) account.Mailbox {
	t.Helper()
	s := account.NewMailboxSettings()
	s.AccountName, s.Address, s.Port, s.IgnoreCertificate = "Office365 inbox", "127.0.0.1", h.imapListener(t).LocalPort, true
	s.UseSecureConnection, s.SecureConnectionType, s.CredentialID = false, "", account.NewCredentialID
	stored, err := h.Accounts.CreateMailbox(t.Context(), account.MailboxChange{
		MailboxSettings: s, Secret: vault.NewSecret("what the account sends to the proxy"),
		NewCredential: account.NewCredential{Name: "Inbox", Username: mailbox},
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func (h *house) imapListener(t *testing.T) proxyhost.Listener {
	t.Helper()
	all, err := h.Proxies.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(l proxyhost.Listener) bool { return l.Protocol == proxy.IMAP })
	if i < 0 {
		t.Fatal("there is no IMAP listener")
	}
	return all[i]
}

func wantOpened(t *testing.T, h *house, id int64, last string) account.MailboxTest {
	t.Helper()
	test, err := h.Accounts.TestMailbox(t.Context(), account.MailboxTestRequest{AccountID: id}, nil)
	if err != nil || test.State != account.TestOpened || !strings.HasPrefix(test.Reply, last) {
		t.Fatalf("want %s, got %s %+v, %v", last, test.Reply, test.Fault(), err)
	}
	return test
}
