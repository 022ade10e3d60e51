package proxyhost

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"orbit/internal/credential"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

// The document's walk without its terminal: listeners, consent, mail.
func TestMailProgramsUseTheMailboxWithALocalPassword(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	r.must(r.mail.Deliver(mailbox, []byte("Subject: Hello\r\n\r\nWorld\r\n")))
	c := r.imap(l)
	r.must(c.Login(mailbox, password).Wait())
	inbox, err := c.Select("INBOX", nil).Wait()
	if err != nil || inbox.NumMessages != 1 {
		t.Fatalf("got %+v, %v; want one message", inbox, err)
	}
	r.must(c.Logout().Wait())
	e := r.awaitEvent("signed_in", "Successfully authenticated IMAP connection - releasing session")
	if e.Account != mailbox || e.ListenerID != l.ID || e.Session == 0 || e.Client == "" {
		t.Errorf("the event is %+v", e)
	}
	r.awaitEvent("ended", "bytes from the client")
	r.awaitEvent("accepted", "Accepting new connection from 127.0.0.1")
	r.awaitEvent("listening", "Starting IMAP server at "+l.Local()+" (unsecured) proxying "+l.Server()+" (SSL/TLS)")
}

func TestSMTPPassesThrough(t *testing.T) {
	r, l := ready(t, proxy.SMTP)
	auth := smtp.PlainAuth("", mailbox, password, "127.0.0.1")
	r.must(smtp.SendMail(l.Local(), auth, mailbox, []string{"bea@orbit.example"}, []byte("Subject: Hello\r\n\r\nWorld\r\n")))
	if n := len(r.mail.Mail.Messages("bea@orbit.example")); n != 1 {
		t.Errorf("%d messages arrived, want 1", n)
	}
}

func TestPOP3PassesThrough(t *testing.T) {
	r, l := ready(t, proxy.POP3)
	r.must(r.mail.Deliver(mailbox, []byte("Subject: Hello\r\n\r\nWorld\r\n")))
	c, err := textproto.Dial("tcp", l.Local())
	r.must(err)
	defer c.Close()
	for _, step := range []struct{ say, hear string }{
		{"", "+OK"}, {"USER " + mailbox, "+OK"}, {"PASS " + password, "+OK"}, {"STAT", "+OK 1 "}, {"QUIT", "+OK"},
	} {
		if step.say != "" {
			r.must(c.PrintfLine("%s", step.say))
		}
		if line, err := c.ReadLine(); err != nil || !strings.HasPrefix(line, step.hear) {
			t.Fatalf("%s: got %q, %v; want %s", step.say, line, err, step.hear)
		}
	}
}

func wantCode(t *testing.T, err error, code imap.ResponseCode) {
	t.Helper()
	var refused *imap.Error
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("got %v, want [%s]", err, code)
	}
}

func TestOnlyRegisteredCredentialsOpenAnything(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	for _, c := range []struct{ username, secret string }{
		{mailbox, "wrong"}, {"bea@orbit.example", password}, {"no address", password},
	} {
		wantCode(t, r.login(l, c.username, c.secret), imap.ResponseCodeAuthenticationFailed)
	}
	r.must(r.login(l, strings.ToUpper(mailbox), password))
	r.awaitEvent("refused", "Invalid password to decrypt credentials for account "+mailbox+" - aborting login")
	grant, err := r.oauth.Grant(r.ctx, mailbox)
	if err != nil || grant.State != oauth.Active {
		t.Errorf("after wrong passwords the grant is %s, %v", grant.State, err)
	}
	if st := r.status(l.ID); st.Wanted != Running {
		t.Errorf("got %+v", st)
	}
}

func TestCatchAllIsForRegisteredCredentialsOnly(t *testing.T) {
	r, l := ready(t, proxy.IMAP) // the registration is "@"
	wantCode(t, r.login(l, "bea@orbit.example", password), imap.ResponseCodeAuthenticationFailed)
	r.credential("bea@orbit.example")
	r.authorise("bea@orbit.example")
	r.until("the new credential is known", func() bool { return r.login(l, "bea@orbit.example", password) == nil })
}

func TestCredentialWithoutARegistrationIsUnknown(t *testing.T) {
	r := newRig(t)
	l := r.listen(r.settings(proxy.IMAP))
	r.register(r.registration("@other.example", oauth.AuthorizationCode))
	r.credential(mailbox)
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	wantCode(t, r.login(l, mailbox, password), imap.ResponseCodeAuthenticationFailed)
	r.awaitEvent("refused", "No config file entry found for account "+mailbox+" - aborting login")
}

func TestRegistrationMayBeForOneListenerAlone(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	other := r.listen(r.settings(proxy.IMAP))
	c := r.registration(mailbox, oauth.AuthorizationCode)
	c.ProxyListenerID = other.ID
	r.register(c)
	r.authorise(mailbox)
	r.awaitState(other.ID, proxy.Running)
	r.must(r.login(other, mailbox, password))
	r.until("the new registration counts", func() bool { return r.login(l, mailbox, password) != nil })
	wantCode(t, r.login(l, mailbox, password), imap.ResponseCodeAuthenticationFailed)
	r.awaitEvent("refused", "is for another listener")
	if err := r.Delete(r.ctx, other.ID, 0); err == nil || !strings.Contains(err.Error(), "registration") {
		t.Errorf("deleting a listener that a registration is for: %v", err)
	}
}

// Clients hear at once that somebody has to act, and the log says what, once for all that ask.
func TestMissingAuthorisationIsAskedForOnceInTheLog(t *testing.T) {
	r := newRig(t)
	imapListener, smtpListener := r.listen(r.settings(proxy.IMAP)), r.listen(r.settings(proxy.SMTP))
	r.register(r.registration("@orbit.example", oauth.AuthorizationCode))
	r.credential(mailbox)
	r.run(r.process)
	r.awaitState(imapListener.ID, proxy.Running)
	r.awaitState(smtpListener.ID, proxy.Running)
	for range 3 {
		wantCode(t, r.login(imapListener, mailbox, password), imap.ResponseCodeUnavailable)
	}
	err := smtp.SendMail(smtpListener.Local(), smtp.PlainAuth("", mailbox, password, "127.0.0.1"), mailbox, []string{mailbox}, nil)
	var refused *textproto.Error
	if !errors.As(err, &refused) || refused.Code != 454 {
		t.Errorf("SMTP got %v, want 454", err)
	}
	r.awaitEvent("request", "Authorisation request received for "+mailbox+" (local server auth mode)")
	e := r.awaitEvent("authorise", "Please visit the following URL to authenticate account "+mailbox+": http://127.0.0.1:8080"+oauth.StartPath)
	if n := len(r.eventsOf("authorise")); n != 1 {
		t.Errorf("%d prompts, want 1", n)
	}
	r.follow(e.Text)
	r.must(r.login(imapListener, mailbox, password))
	r.awaitEvent("proved", "IMAP at "+imapListener.Server()+" accepts the access token")
}

// The remedy for a token of somebody else names that person: a shared mailbox has to let them in.
func TestRemedyNamesWhoSignedIn(t *testing.T) {
	r := newRig(t)
	r.listen(r.settings(proxy.IMAP))
	r.register(r.registration("@", oauth.AuthorizationCode))
	session := []byte("session of ana")
	visit, err := r.oauth.Visit(r.ctx, mailbox, session)
	r.must(err)
	back := sandboxtest.Accept(t, visit, "bea@orbit.example")
	outcome, err := r.oauth.Complete(r.ctx, oauth.ReadCallback(back.Query(), session))
	r.must(err)
	const want = "Add-MailboxPermission -Identity '" + mailbox + "' -User 'bea@orbit.example' -AccessRights FullAccess"
	if outcome.Fault == nil || !strings.Contains(outcome.Fault.Remedy, want) {
		t.Errorf("%+v, want %q", outcome.Fault, want)
	}
}

// Who registers the mailbox for another flow is asked anew at once: the earlier way leads nowhere now.
func TestAnotherRegistrationIsAskedForAnew(t *testing.T) {
	r := newRig(t)
	r.register(r.registration("@", oauth.AuthorizationCode))
	r.must(r.Prompt(r.ctx, mailbox))
	r.must(r.Prompt(r.ctx, mailbox))
	if got := r.eventsOf("authorise"); len(got) != 1 {
		t.Fatalf("%d prompts, want 1", len(got))
	}
	r.register(r.registration(mailbox, oauth.DeviceCode))
	r.must(r.Prompt(r.ctx, mailbox))
	r.awaitEvent("authorise", "Visit http://")
}

// follow visits the address in a prompt and consents.
func (r *rig) follow(prompt string) {
	r.t.Helper()
	_, id, _ := strings.Cut(prompt, oauth.StartPath)
	visit, err := r.oauth.VisitStart(r.ctx, id, nil)
	r.must(err)
	back := sandboxtest.Accept(r.t, visit, mailbox)
	outcome, err := r.oauth.Complete(r.ctx, oauth.ReadCallback(back.Query(), nil))
	r.must(err)
	if outcome.State != oauth.Active {
		r.t.Fatalf("after the consent the grant is %s: %+v", outcome.State, outcome.Fault)
	}
}

func TestDeviceFlowIsAskedForWithItsCode(t *testing.T) {
	r := newRig(t)
	l := r.listen(r.settings(proxy.IMAP))
	r.register(r.registration(mailbox, oauth.DeviceCode))
	r.credential(mailbox)
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	wantCode(t, r.login(l, mailbox, password), imap.ResponseCodeUnavailable)
	r.awaitEvent("request", "Authorisation request received for "+mailbox+" (external auth mode)")
	e := r.awaitEvent("authorise", "Visit http://")
	_, code, found := strings.Cut(e.Text, "and use code ")
	if !found {
		t.Fatalf("no code in %q", e.Text)
	}
	sandboxtest.AcceptDevice(t, r.mail, code, mailbox)
}

// A dead grant is said, and leads to a new prompt although there was one a moment ago.
func TestRevokedGrantIsAskedForAgain(t *testing.T) {
	r := newRig(t)
	l := r.listen(r.settings(proxy.IMAP))
	r.register(r.registration(mailbox, oauth.AuthorizationCode))
	r.credential(mailbox)
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	wantCode(t, r.login(l, mailbox, password), imap.ResponseCodeUnavailable)
	r.follow(r.awaitEvent("authorise", "").Text)
	r.must(r.login(l, mailbox, password))
	r.mail.Identity.Revoke(mailbox)
	r.tokenIsOld()
	r.prompts.forget()
	wantCode(t, r.login(l, mailbox, password), imap.ResponseCodeUnavailable)
	r.until("a second prompt", func() bool { return len(r.eventsOf("authorise")) == 2 })
}

func (p *prompts) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked = nil
}

// tokenIsOld makes the token old enough to be worth renewing when a server refuses it.
func (r *rig) tokenIsOld() {
	r.exec("update oauth_grant set issued_at = issued_at - interval '10 minutes'")
}

// The client hears nothing of a token that has become bad before its time.
func TestTokenThatTheServerRefusesIsRenewedOnce(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	before := r.mail.Identity.Stats().TokenRequests()
	r.replaceToken("no token that anybody has given")
	r.must(r.login(l, mailbox, password))
	if n := r.mail.Identity.Stats().TokenRequests() - before; n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	r.awaitEvent("retried", "Retrying login due to exception while refreshing access token for account "+mailbox+" (attempt 1)")
}

// replaceToken stores another access token; processes find it within a second.
func (r *rig) replaceToken(token string) {
	r.t.Helper()
	grant, err := r.oauth.Grant(r.ctx, mailbox)
	r.must(err)
	sealed, err := r.box.Seal(vault.NewSecret(token), vault.Binding{
		Table: "oauth_grant", Row: grant.ID, Destination: "access token of " + mailbox})
	r.must(err)
	r.exec("update oauth_grant set sealed_access = $1, generation = generation + 1", []byte(sealed))
	r.tokenIsOld()
	r.until("the other token is found", func() bool {
		found, err := r.oauth.Token(r.ctx, mailbox, credential.Self)
		return err == nil && found.Equal(vault.NewSecret(token))
	})
}

// A server's no to a fresh token is kept with the account, explained.
func TestMailboxWithoutTheProtocolIsExplained(t *testing.T) {
	boxes := idp.DefaultMailboxes()
	boxes[0].Off = []idp.Protocol{idp.SMTP}
	r := newRigWith(t, idp.Options{Mailboxes: boxes})
	l := r.listen(r.settings(proxy.SMTP))
	r.register(r.registration(mailbox, oauth.AuthorizationCode))
	r.credential(mailbox)
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	outcome := r.authorise(mailbox)
	if outcome.State == oauth.Active || outcome.Fault == nil {
		t.Fatalf("a token that the server refuses makes the grant %s, fault %+v", outcome.State, outcome.Fault)
	}
	if !strings.Contains(outcome.Fault.Remedy, "Authenticated SMTP") && !strings.Contains(outcome.Fault.Remedy, "SmtpClientAuthentication") {
		t.Errorf("the remedy is %q", outcome.Fault.Remedy)
	}
	r.awaitEvent("not_proved", "Authorisation result error for account "+mailbox)
	err := smtp.SendMail(l.Local(), smtp.PlainAuth("", mailbox, password, "127.0.0.1"), mailbox, []string{mailbox}, nil)
	var refused *textproto.Error
	if !errors.As(err, &refused) || refused.Code != 535 {
		t.Errorf("SMTP got %v, want 535", err)
	}
	r.awaitEvent("refused", "Authorisation result error for account "+mailbox+" - aborting login")
}

// One protocol that is off says nothing about the token.
func TestAServersNoLeavesTheGrantThatAnotherAccepts(t *testing.T) {
	boxes := idp.DefaultMailboxes()
	boxes[0].Off = []idp.Protocol{idp.SMTP}
	r := newRigWith(t, idp.Options{Mailboxes: boxes})
	imapListener, smtpListener := r.listen(r.settings(proxy.IMAP)), r.listen(r.settings(proxy.SMTP))
	r.register(r.registration(mailbox, oauth.AuthorizationCode))
	r.credential(mailbox)
	r.run(r.process)
	r.awaitState(imapListener.ID, proxy.Running)
	r.awaitState(smtpListener.ID, proxy.Running)
	if outcome := r.authorise(mailbox); outcome.State != oauth.Active || outcome.ProvenBy != "IMAP at "+imapListener.Server() {
		t.Fatalf("got %+v", outcome)
	}
	err := smtp.SendMail(smtpListener.Local(), smtp.PlainAuth("", mailbox, password, "127.0.0.1"), mailbox, []string{mailbox}, nil)
	if err == nil {
		t.Error("SMTP is off and accepts a token")
	}
	r.until("the refusal is explained", func() bool { return len(r.eventsOf("not_proved")) == 2 })
	if grant, err := r.oauth.Grant(r.ctx, mailbox); err != nil || grant.State != oauth.Active {
		t.Errorf("the grant is %s, %v", grant.State, err)
	}
}

func TestLocalTLS(t *testing.T) {
	r := newRig(t)
	certificate, key := writePair(t, r.mail.Certificate.Chain, r.mail.Certificate.Key)
	s := r.settings(proxy.IMAP)
	s.LocalSecurity, s.CertificateFile, s.KeyFile = "ssl", certificate, key
	l := r.listen(s)
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	conn, err := tls.Dial("tcp", l.Local(), r.trusting())
	r.must(err)
	defer conn.Close()
	var greeting string
	if _, err := fmt.Fscan(conn, &greeting, &greeting); err != nil || greeting != "OK" {
		t.Errorf("got %q, %v", greeting, err)
	}
}

func writePair(t *testing.T, chain, key string) (certificate, keyFile string) {
	t.Helper()
	dir := t.TempDir()
	certificate, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(certificate, []byte(chain), 0o600), os.WriteFile(keyFile, []byte(key), 0o600)); err != nil {
		t.Fatal(err)
	}
	return certificate, keyFile
}
