package web_test

import (
	"net/url"
	"strconv"
	"testing"
	"time"

	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/proxyhost"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
	"orbit/web/browsertest"
)

const proxyPage = "/settings/notifications/oauth2-proxy"

// hold sets a group of radio buttons or a Yes/No switch.
func hold(tab *browsertest.Tab, name, value string) {
	tab.Click(`label:has(> input[name="` + name + `"][value="` + value + `"])`)
}

func (s *proxySite) browser(t *testing.T) *browsertest.Tab {
	t.Helper()
	s.somebody("ana", identity.Administrator)
	tab := s.tab(t, "ana")
	u, err := url.Parse(s.provider.Endpoints.Token)
	if err != nil {
		t.Fatal(err)
	}
	tab.Allow(u.Host)
	return tab
}

func TestRegisteringMicrosoft365InABrowser(t *testing.T) {
	s := newProxySite(t)
	tab := s.browser(t)
	tab.Open(proxyPage)
	tab.Check("oauth-registrations-empty")
	tab.Follow(".nothing a.btn-primary")
	tab.SeeText("#summary", "The tenant is missing")
	tab.Check("oauth-registration-new")
	tab.Follow(submit)
	tab.SeeText(".error-summary", "Give the tenant")
	tab.Axe()
	fill(tab, "tenant", "6f2c9b7a-0000-4000-8000-1d2e3f4a5b6c", "client_id", "6731de76-14a6-49ae-97bc-6eba6914391e")
	hold(tab, "secret_kind", "secret")
	fill(tab, "client_secret", "the value", "secret_expires_on", "2027-03-31")
	tab.SeeText("#summary", "https://login.microsoftonline.com/6f2c9b7a-0000-4000-8000-1d2e3f4a5b6c/oauth2/v2.0/token")
	tab.Click(`details:has([name="permission_url"]) summary`)
	hold(tab, "flow", "client_credentials")
	fill(tab, "permission_url", "https://login.microsoftonline.com/6f2c9b7a/oauth2/v2.0/authorize")
	tab.SeeText("#summary", "the effective flow is authorization_code")
	tab.Check("oauth-registration-contradiction")
	fill(tab, "permission_url", "")
	tab.SeeText("#summary", "nobody signs in")
	tab.Follow(submit)
	tab.SeeText("main", "Make the application known to Exchange Online")
	tab.Check("oauth-steps-application")
	all, err := s.proxies.List(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("the usual ports were not opened: %v %v", all, err)
	}
	tab.Open(proxyPage)
	tab.Follow("#registration-1 .row-name a")
	hold(tab, "flow", "authorization_code")
	tab.Follow(submit)
	tab.SeeText("main", "is saved")
	tab.Open(proxyPage + "/1/steps?mailbox=alerts%40example.com")
	tab.SeeText("main", "Redirect URI")
}

// crowded is a site with something of everything.
func crowded(t *testing.T) *proxySite {
	t.Helper()
	s := newProxySite(t)
	soon := time.Now().AddDate(0, 0, 12)
	r := s.registered(func(c *oauth.Change) { c.Secret.ExpiresAt = &soon })
	s.registered(func(c *oauth.Change) {
		c.Settings = oauth.Settings{
			Pattern: "@contoso.example", Flow: oauth.ClientCredentials, Provider: "microsoft365", Tenant: "contoso", ClientID: "6731de76-14a6-49ae-97bc-6eba6914391e",
			TokenURL: "https://login.microsoftonline.com/contoso/oauth2/v2.0/token", PermissionURL: "https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize",
			Scope: "https://outlook.office365.com/SMTP.Send offline_access",
		}
	})
	s.registered(func(c *oauth.Change) {
		c.Pattern, c.Flow, c.PermissionURL, c.DeviceURL = "device@example.com", oauth.DeviceCode, "", s.provider.Endpoints.Device
	})
	s.credential("Alerts", mailbox)
	s.credential("Invoices", other)
	s.listener()
	broken := freePort(t)
	if _, err := s.proxies.Create(t.Context(), proxyhost.Change{Wanted: proxyhost.Stopped, Settings: proxyhost.Settings{
		Name: "IMAP-2993", Protocol: proxy.IMAP, LocalAddress: "127.0.0.1", LocalPort: broken, ServerAddress: "outlook.office365.com", ServerPort: 993, ServerSecurity: dial.Implicit,
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.oauth.AddSecret(t.Context(), r.ID, oauth.NewSecret{Secret: vault.NewSecret("another-word")}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPagesOfTheMailProxy(t *testing.T) {
	s := crowded(t)
	s.run()
	s.provider.Identity.Fail()
	tab := s.browser(t)

	tab.Open(proxyPage + "/grants")
	tab.SeeText("main", "Not authorised")
	tab.Click(".report-table tbody tr:first-child .dots")
	tab.Click(`.report-table tbody tr:first-child .menu a[href*="/authorise"]`)
	tab.SeeText("dialog", "signs in at the provider once")
	tab.Axe()
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("dialog", "Send them this link")
	tab.Check("oauth-authorise-link")
	tab.Follow(`dialog[open] a.btn-primary`)
	tab.SeeText("h1", "Permissions requested")
	tab.Click(`label:has(input[value="` + mailbox + `"])`)
	tab.Follow(`button[value="accept"]`)
	tab.SeeText("h1", "Email OAuth 2.0 authentication succeeded")
	tab.Check("oauth-landing-succeeded")
	tab.Follow("main a.btn")
	tab.SeeText("main", "accepted by SMTP at 127.0.0.1")

	visit, err := s.oauth.Direct(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	tab.Open(s.path(sandboxtest.Decline(t, visit).String()))
	tab.SeeText("h1", "Email OAuth 2.0 authentication failed")
	tab.Check("oauth-landing-failed")
	tab.Open("/email-oauth2-proxy-authorize/")
	tab.Check("oauth-landing-nothing")
	tab.Open("/email-oauth2-proxy-authorize/start/gone")
	tab.Axe()

	s.approved(mailbox, credential.Destination{Host: "mail.example.com", Port: 587, TLS: "tls"})
	tab.Open(proxyPage + "/grants")
	tab.SeeText("main", "token also goes to mail.example.com:587, STARTTLS")
	tab.Check("oauth-grants")
	tab.Click(`main a[href$="/error"]`)
	tab.SeeText("dialog", "What to do")
	tab.Check("oauth-grant-error")
	tab.Open(proxyPage)
	tab.SeeText("main", "expires in 1")
	tab.Check("oauth-registrations")
	tab.Open(proxyPage + "/1/secret")
	tab.Check("oauth-secret")
	tab.Follow(`.slot-buttons button[formaction$="/prove"]`)
	tab.SeeText("main", "What to do")
	tab.Axe()
	tab.Follow(`.slot-buttons button[formaction$="/switch"]`)
	tab.SeeText("main", "has not accepted this secret yet")
	tab.Follow(`main form button.btn-primary`)
	tab.SeeText("main", "Switched")
	tab.Open(proxyPage)
	tab.Click("#registration-1 .dots")
	tab.Click(`#registration-1 .menu a[href$="/test"]`)
	tab.SeeText("dialog", "to the token endpoint")
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("dialog", "Accepted.")
	tab.Check("oauth-test-window")

	tab.Open(proxyPage + "/listeners")
	tab.SeeText("main", "Running")
	tab.Check("oauth-listeners")
	tab.Click("#listener-1 .dots")
	tab.Click(`#listener-1 .menu a[href$="/test"]`)
	tab.SeeText("dialog", "the way of a mail program")
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("dialog", "accepts "+mailbox)
	tab.Check("oauth-listener-test")
	tab.Open(proxyPage + "/listeners")
	tab.Follow("#listener-1 .row-name a")
	tab.SeeText(".form-aside", "Open port")
	tab.Check("oauth-listener")
	tab.Open(proxyPage + "/listeners/new")
	tab.Choose(`[name="protocol"]`, "smtp")
	tab.Until(`document.querySelector('[name="local_port"]').value === "2465"`)
	tab.Axe()
}

func TestTheDeviceFlowInABrowser(t *testing.T) {
	s := newProxySite(t)
	s.registered(func(c *oauth.Change) {
		c.Flow, c.PermissionURL, c.DeviceURL = oauth.DeviceCode, "", s.provider.Endpoints.Device
	})
	s.listener()
	s.run()
	tab := s.browser(t)
	tab.Open(proxyPage + "/authorise?address=" + url.QueryEscape(mailbox))
	tab.Click(`main button[type="submit"]`)
	tab.SeeText("main", "Waiting for you")
	code := tab.Text(".device-code")
	tab.Check("oauth-device")
	sandboxtest.AcceptDevice(t, s.provider, code, mailbox)
	tab.SeeText("main", "Email OAuth 2.0 authentication succeeded")
}

func TestPastingAConfigurationInABrowser(t *testing.T) {
	s := newProxySite(t)
	tab := s.browser(t)
	tab.Open(proxyPage + "/paste")
	tab.Check("oauth-paste")
	tab.Eval(`(() => { document.querySelector("#paste-text").value = ` + strconv.Quote(vendorConfig) + `; return "" })()`)
	tab.Click(`.paste-buttons button`)
	tab.SeeText("#preview", "corrections")
	tab.SeeText("#preview", "SMTP.Send")
	tab.Check("oauth-paste-preview")
	if tab.Eval(`document.querySelector("#preview").innerHTML.includes("value-of-the-secret") ? "shown" : "hidden"`) != "hidden" {
		t.Error("the preview shows the secret")
	}
	tab.Follow(`#preview .btn-primary`)
	tab.SeeText("main", "Stored: registration @")

	tab.Open(proxyPage + "/paste")
	tab.Eval(`(() => { document.querySelector("#paste-text").value = ` + strconv.Quote(vendorConfig) + `; return "" })()`)
	tab.Click(`.paste-buttons button`)
	tab.Click(`#preview .btn-primary`)
	tab.SeeText("#preview", "is registered already")
	tab.Click(`#preview input[name="force"]`)
	tab.Follow(`#preview .btn-primary`)
	tab.SeeText("main", "Stored: registration @")
}

const vendorConfig = `delete_account_token_on_password_error = True
encrypt_client_secret_on_first_use = False
allow_catch_all_accounts = True
server_address = outlook.office365.com
server_port = 993
server_address = smtp.office365.com
server_port = 587
starttls = True
redirect_uri = http://vault.example.com/email-oauth2-proxy-authorize/
redirect_list_address = http://127.0.0.1:8801/
token_url = [https://login.microsoftonline.com/contoso/oauth2/v2.0/token](https://login.microsoftonline.com/contoso/oauth2/v2.0/token)
permission_url = https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize
oauth2_scope = https://outlook.office365.com/IMAP.AccessAsUser.All https://outlook.office365.com/SMPT.Send offline_access
client_id = 6731de76-14a6-49ae-97bc-6eba6914391e
client_secret = value-of-the-secret
oauth2_flow = client_credentials
`

func TestTheLogIsLive(t *testing.T) {
	s := newProxySite(t)
	s.registered(nil)
	s.credential("Alerts", mailbox)
	l := s.listener()
	s.run()
	tab := s.browser(t)
	tab.Open(proxyPage + "/log")
	tab.SeeText(".log-lines", "Starting SMTP server at 127.0.0.1")
	if err := s.proxies.Prompt(t.Context(), mailbox); err != nil {
		t.Fatal(err)
	}
	tab.SeeText(".log-lines", "Please visit the following URL to authenticate account "+mailbox)
	tab.See(`.log-lines a[href*="/start/"]`)
	tab.Check("oauth-log")
	if err := s.proxies.Stop(t.Context(), l.ID); err != nil {
		t.Fatal(err)
	}
	tab.Until(`document.querySelectorAll(".log-line").length > 2`)

	s.somebody("otto", identity.Auditor)
	reader := s.tab(t, "otto")
	reader.Open(proxyPage + "/log?account=" + url.QueryEscape(mailbox))
	reader.SeeText(".log-lines", "(shown to administrators only)")
}
