package app_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/app"
	"orbit/internal/config"
	"orbit/internal/mail/dial"
	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/proxyhost"
	"orbit/internal/sandbox"
	"orbit/internal/vault"
)

// openDemo opens a demo in dir on free ports, for an Orbit that is assembled with c; it runs until the test ends.
func openDemo(t *testing.T, dir string, h *house) *app.Demo {
	t.Helper()
	c := config.Config{DataDir: dir, BaseURL: h.Config.BaseURL}
	d, err := app.OpenDemo(t.Context(), &c, sandbox.Ports{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.AllowedDestinations) != 10 || c.AdminUsername != d.Administrator || !c.AdminPassword.Equal(vault.NewSecret(d.Password)) {
		t.Errorf("the configuration of the demo: %+v", c)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.Sandbox.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run the sandbox: %v", err)
		}
	})
	return d
}

// sends tests an account of the demo and looks for the mail.
func sends(t *testing.T, h *house, d *app.Demo, accountID int64) {
	t.Helper()
	test, err := h.Accounts.TestSMTP(t.Context(), account.SMTPTestRequest{AccountID: accountID, To: "somebody@example.com"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if test.State != account.TestDelivered {
		t.Fatalf("the test: %s, %+v", test.State, test.Fault())
	}
	got := d.Sandbox.Mail.Messages("somebody@example.com")
	if len(got) == 0 || !strings.Contains(string(got[0].Raw), account.TestMessage) {
		t.Errorf("%d mails arrived", len(got))
	}
}

func TestDemoIsReadyAndSeedsOnce(t *testing.T) {
	t.Parallel()
	h, dir := assemble(t), t.TempDir()
	d := openDemo(t, dir, h)
	for range 2 {
		if err := d.Seed(t.Context(), h.Orbit); err != nil {
			t.Fatal(err)
		}
	}
	rows, _, err := h.Accounts.ListSMTP(t.Context(), account.SMTPFilter{})
	if err != nil || len(rows) != 1 || rows[0].AccountName != "Demo mailbox" || !rows[0].DefaultAccount {
		t.Fatalf("%+v, %v", rows, err)
	}
	sends(t, h, d, rows[0].ID)
	inbox, err := h.Accounts.FindMailboxByName(t.Context(), "Demo inbox")
	if err != nil || inbox.CredentialID != rows[0].CredentialID {
		t.Fatalf("%+v, %v", inbox, err)
	}
	wantOpened(t, h, inbox.ID, "INBOX has ")
	if env, err := os.ReadFile(d.EnvFile); err != nil || !strings.Contains(string(env), "export ORBIT_BASE_URL='"+h.url+"'\n") {
		t.Errorf("demo.env: %s, %v", env, err)
	}

	again := openDemo(t, dir, h) // on other ports: the account follows
	if err := again.Seed(t.Context(), h.Orbit); err != nil {
		t.Fatal(err)
	}
	if again.Password != d.Password || again.Sandbox.Certificate != d.Sandbox.Certificate {
		t.Error("the demo has forgotten its password or its certificate")
	}
	sends(t, h, again, rows[0].ID)
	wantOpened(t, h, inbox.ID, "INBOX has ")
	if err := h.Accounts.DeleteMailbox(t.Context(), inbox.ID); err != nil {
		t.Fatal(err)
	}

	stored, err := h.Accounts.FindSMTP(t.Context(), rows[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	stored.AccountName = "Mine"
	if _, err := h.Accounts.SaveSMTP(t.Context(), stored.ID, account.SMTPChange{SMTPSettings: stored.SMTPSettings, Version: stored.Version}); err != nil {
		t.Fatal(err)
	}
	if err := again.Seed(t.Context(), h.Orbit); err != nil {
		t.Fatal(err)
	}
	if _, n, err := h.Accounts.ListSMTP(t.Context(), account.SMTPFilter{}); err != nil || n != 1 {
		t.Errorf("%d accounts, %v: what somebody has renamed is made again", n, err)
	}
	if _, n, err := h.Accounts.ListMailboxes(t.Context(), account.MailboxFilter{}); err != nil || n != 0 {
		t.Errorf("%d mailboxes, %v: what somebody has deleted is made again", n, err)
	}
}

// The document's tutorial against the sandbox: register, test, authorise at the address that the log prints,
// consent, success, test again, delivered.
func TestTutorialOfTheDocument(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	if err := d.Seed(t.Context(), h.Orbit); err != nil {
		t.Fatal(err)
	}
	local := register(t, h, d, d.RegisterArguments())
	credentials, err := h.Credentials.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := account.NewSMTPSettings()
	s.AccountName, s.SenderEmail, s.SMTPHost, s.Port = "Office365", "alerts@orbit.example", "127.0.0.1", local
	s.UseSecureConnection, s.SecureConnectionType, s.CredentialID = false, "", credentials[0].ID
	office, err := h.Accounts.CreateSMTP(t.Context(), account.SMTPChange{SMTPSettings: s})
	if err != nil {
		t.Fatal(err)
	}
	test, err := h.Accounts.TestSMTP(t.Context(), account.SMTPTestRequest{AccountID: office.ID, To: "somebody@example.com"}, nil)
	if err != nil || test.State != account.TestFailed {
		t.Fatalf("before anybody has consented the test says %s, %v", test.State, err)
	}
	link, err := h.OAuth.StartLink(t.Context(), "alerts@orbit.example")
	if err != nil {
		t.Fatal(err)
	}
	tab := h.enter(t)
	tab.Allow(d.Sandbox.Address(d.Sandbox.Ports.Identity))
	tab.Open(strings.TrimPrefix(link.URL, h.url))
	tab.SeeText("main", "Send mail as you")
	tab.Follow(`button[value="accept"]`)
	tab.SeeText("body", "Email OAuth 2.0 authentication succeeded")
	tab.Screenshot("demo-succeeded")
	sends(t, h, d, office.ID)
	if got := d.Sandbox.Mail.Messages("somebody@example.com")[0].SignedIn; got != "alerts@orbit.example" {
		t.Errorf("the mail was submitted by %q", got)
	}
}

// The same without anybody who consents: by a secret, a certificate, or a service account. The demo has them all, and
// they last: a demo that is started again knows what was registered before.
func TestTutorialWithoutConsent(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string]func(*app.Demo) [][]string{
		"secret": (*app.Demo).AppOnlyArguments, "certificate": (*app.Demo).CertificateArguments, "service account": (*app.Demo).ServiceAccountArguments,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, dir := newHouse(t), t.TempDir()
			before := arguments(openDemo(t, dir, h))
			files := contentsOf(t, before)
			d := openDemo(t, dir, h)
			if after := contentsOf(t, arguments(d)); !slices.Equal(after, files) {
				t.Error("a demo that is started again does not know the client that was registered")
			}
			opensByItself(t, h, d, arguments(d))
		})
	}
}

// contentsOf reads the keys that a command names. The address of the provider is not compared: ports here are free ones.
func contentsOf(t *testing.T, arguments [][]string) (keys []string) {
	t.Helper()
	for _, flag := range arguments {
		if !slices.Contains([]string{"--certificate", "--key", "--service-account"}, flag[0]) {
			continue
		}
		content, err := os.ReadFile(flag[1])
		if err != nil {
			t.Fatal(err)
		}
		key, _, _ := strings.Cut(string(content), "token_uri")
		keys = append(keys, key)
	}
	return keys
}

// opensByItself registers so, and sends through the proxy as the mailbox.
func opensByItself(t *testing.T, h *house, d *app.Demo, arguments [][]string) {
	t.Helper()
	address, secret := d.AppOnlyMailbox(), vault.NewSecret("what the account sends to the proxy")
	local := register(t, h, d, arguments)
	outcome, err := h.OAuth.Prove(t.Context(), address)
	if err != nil || outcome.State != oauth.Active || !strings.Contains(outcome.ProvenBy, "SMTP at ") {
		t.Fatalf("%v %+v", err, outcome)
	}
	s := account.NewSMTPSettings()
	s.AccountName, s.SenderEmail, s.SMTPHost, s.Port = "Application", address, "127.0.0.1", local
	s.UseSecureConnection, s.SecureConnectionType, s.CredentialID = false, "", account.NewCredentialID
	stored, err := h.Accounts.CreateSMTP(t.Context(), account.SMTPChange{
		SMTPSettings: s, Secret: secret, NewCredential: account.NewCredential{Name: "Application", Username: address},
	})
	if err != nil {
		t.Fatal(err)
	}
	sends(t, h, d, stored.ID)
	if got := d.Sandbox.Mail.Messages("somebody@example.com")[0].SignedIn; got != address {
		t.Errorf("the mail was submitted by %q", got)
	}
}

// register runs the command that the demo prints, with ports of its own and the sandbox's authority, which the demo's
// own process trusts as a whole. It returns the local SMTP port.
func register(t *testing.T, h *house, d *app.Demo, arguments [][]string) int {
	t.Helper()
	imap, smtp := freePort(t), freePort(t)
	args := slices.Concat(arguments...)
	args = append(args, "--imap-local-port", strconv.Itoa(imap), "--smtp-local-port", strconv.Itoa(smtp))
	p, err := plan.Register(args, plan.Options{RedirectURI: h.OAuth.RedirectURI(), ReadFile: os.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	applied, err := h.Proxies.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range applied.Listeners {
		l.CertificateRule, l.CertificateCA = dial.CustomCA, d.Sandbox.Certificate.CA
		if _, err := h.Proxies.Save(t.Context(), l.ID, proxyhost.Change{Settings: l.Settings, Version: l.Version}); err != nil {
			t.Fatal(err)
		}
		answers(t, h, l.ID)
	}
	return smtp
}

// answers waits until a listener does.
func answers(t *testing.T, h *house, id int64) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(20 * time.Second)
	for {
		_, err := h.Proxies.Knock(t.Context(), id)
		if err == nil {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
