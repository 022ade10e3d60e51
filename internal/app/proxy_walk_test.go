package app_test

import (
	"strconv"
	"strings"
	"testing"

	"orbit/internal/app"
	"orbit/internal/mail/dial"
	"orbit/internal/proxyhost"
)

// The walk of the document without a terminal: paste the register command, make an SMTP account through the local
// port, test it, authorise where the failed test offers it, test again.
func TestTheWalkThroughTheProxy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	tab := h.enter(t)
	tab.Allow(d.Sandbox.Address(d.Sandbox.Ports.Identity))
	smtp := freePort(t)

	tab.Click(`[aria-label="Grid Menu"]`)
	tab.Follow(`#grid-menu a[href="/settings"]`)
	tab.Follow(`#side-menu a[href="/settings/notifications/oauth2-proxy"]`)
	tab.Open("/settings/notifications/oauth2-proxy/paste")
	command := []string{"orbit", "email-oauth2-proxy", "register", "--smtp-local-port=" + strconv.Itoa(smtp)}
	for _, argument := range d.RegisterArguments() {
		if !strings.HasPrefix(argument[0], "--imap") {
			command = append(command, "'"+strings.Join(argument, "=")+"'")
		}
	}
	tab.Type("#paste-text", strings.Join(command, " "))
	tab.Click(`.paste-buttons button`)
	tab.SeeText("#preview", strconv.Itoa(smtp))
	tab.Follow(`#preview .btn-primary`)
	tab.SeeText("main", "Stored: registration @")
	trust(t, h, d)

	tab.Open("/settings/notifications/smtp/new")
	fill(tab, "account_name", "Office365", "sender_email", "alerts@orbit.example", "smtp_host", "127.0.0.1", "port", strconv.Itoa(smtp))
	choose(tab, "use_secure_connection", "no")
	tab.Choose(`[name="credential_id"]`, "-1")
	fill(tab, "new_credential_name", "Alert mailbox", "new_credential_username", "alerts@orbit.example", "secret", "a word of this machine")
	tab.Follow(submit)
	tab.SeeText("main", "Office365 is saved")

	tab.Open("/settings/notifications/smtp/1/test")
	fill(tab, "to", "somebody@example.com")
	tab.Click(submit)
	tab.SeeText("main", "alerts@orbit.example is not authorised at the provider yet")
	tab.SeeText("main", "Authorise now")
	authorise := tab.Eval(`[...document.querySelectorAll("main a")].find(a => a.textContent.includes("Authorise now")).getAttribute("href")`)
	tab.Open(authorise) // in a tab of its own when people press it
	tab.Click(`main button[type="submit"]`)
	tab.Follow(`main a.btn-primary[href*="authorize"]`)
	tab.SeeText("main", "Send mail as you")
	tab.Follow(`button[value="accept"]`)
	tab.SeeText("body", "Email OAuth 2.0 authentication succeeded")

	tab.Open("/settings/notifications/smtp/1/test")
	fill(tab, "to", "somebody@example.com")
	tab.Click(submit)
	tab.SeeText("main", "Test message sent. Accepted by 127.0.0.1: 250")
	mails := d.Sandbox.Mail.Messages("somebody@example.com")
	if len(mails) != 1 || mails[0].SignedIn != "alerts@orbit.example" {
		t.Errorf("the mail that arrived: %+v", mails)
	}
}

// trust lets the listeners believe the sandbox's authority, which the process of a demo trusts as a whole.
func trust(t *testing.T, h *house, d *app.Demo) {
	t.Helper()
	listeners, err := h.Proxies.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listeners {
		l.CertificateRule, l.CertificateCA = dial.CustomCA, d.Sandbox.Certificate.CA
		if _, err := h.Proxies.Save(t.Context(), l.ID, proxyhost.Change{Settings: l.Settings, Version: l.Version}); err != nil {
			t.Fatal(err)
		}
	}
}
