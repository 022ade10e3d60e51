package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/web/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

func identityURL(s *sandbox.Sandbox) string { return "http://" + s.Address(s.Ports.Identity) }

// application is somebody who asks for consent and shows what came back.
func application(t *testing.T, s *sandbox.Sandbox) (site *httptest.Server, ask string) {
	t.Helper()
	site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>Back</title><h1>Back</h1><p>` + url.QueryEscape(r.URL.RawQuery)))
	}))
	t.Cleanup(site.Close)
	c := oauth2.Config{
		ClientID: idp.DefaultClient().ID, RedirectURL: site.URL + "/email-oauth2-proxy-authorize/", Endpoint: oauth2.Endpoint{AuthURL: s.Endpoints.Authorise},
		Scopes: []string{"https://outlook.office365.com/IMAP.AccessAsUser.All", "https://outlook.office365.com/SMTP.Send", "offline_access"},
	}
	address := c.AuthCodeURL("the-state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("login_hint", alerts))
	return site, strings.TrimPrefix(address, identityURL(s))
}

const (
	accept  = `button[value="accept"]`
	decline = `button[value="decline"]`
)

func TestConsentInABrowser(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	site, ask := application(t, s)
	tab := browsertest.New(t, identityURL(s))
	tab.Allow(strings.TrimPrefix(site.URL, "http://"))
	tab.Open(ask)
	tab.SeeText("main", "Send mail as you")
	tab.Check("sandbox-consent")
	tab.Click(`.choice:has([value="` + bea + `"])`)
	tab.Follow(accept)
	tab.SeeText("h1", "Back")
	tab.SeeText("p", "code%3D")

	tab.Open(ask)
	tab.Follow(decline)
	tab.SeeText("p", "AADSTS65004")

	tab.Open(strings.Replace(ask, "alerts%40orbit.example", "nobody%40example.com", 1))
	tab.SeeText(".notice", "nobody@example.com, which does not exist here")
	tab.Follow(accept)
	tab.SeeText(".notice.bad", "Choose the mailbox to sign in as.")
	tab.Check("sandbox-consent-problem")

	tab.Open(strings.Replace(ask, "redirect_uri=http", "redirect_uri=https", 1))
	tab.SeeText("main", "AADSTS50011")
	tab.Check("sandbox-consent-failure")
}

func TestDeviceInABrowser(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	c := oauth2.Config{ClientID: idp.DefaultClient().ID, Endpoint: oauth2.Endpoint{DeviceAuthURL: s.Endpoints.Device}, Scopes: []string{"https://outlook.office365.com/SMTP.Send"}}
	began, err := c.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tab := browsertest.New(t, identityURL(s))
	tab.Open("/device")
	tab.Type("#code", "BCDF-GHJK")
	tab.Follow(`button[type="submit"]`)
	tab.SeeText(".notice.bad", "not known")
	tab.Check("sandbox-device-problem")
	tab.Type("#code", began.UserCode)
	tab.Follow(`button[type="submit"]`)
	tab.Click(`.choice:has([value="` + bea + `"])`)
	tab.Follow(accept)
	tab.SeeText("h1", "You are signed in")
	tab.Check("sandbox-device-done")
	tab.Open("/")
	tab.Check("sandbox-identity")
}

// wild is a mail whose writer would like to do more than it may.
const wild = "From: =?utf-8?q?J=C3=BCrgen?= <juergen@example.com>\r\nTo: bea@orbit.example\r\nSubject: =?utf-8?q?Lampe_sieben_=E2=9C=93?=\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n" +
	"--y\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nLampe sieben ging aus. Bitte eine neue einsetzen, bevor es dunkel wird, und danach hier Bescheid geben.\r\n" +
	"--y\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<style>body { font-family: sans-serif }</style><h1 style=\"color:#0b5cad\">Lampe sieben</h1><p>ging aus.</p>" +
	"<script>document.title = \"taken\"; parent.document.title = \"taken\"</script><form action=\"https://example.com\"><button>Send</button></form>\r\n" +
	"--y--\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n"

func TestMailInABrowser(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	tab := browsertest.New(t, strings.TrimSuffix(s.MailURL, "/"))
	tab.Open("/")
	tab.SeeText("main", "No mail yet")
	tab.Check("sandbox-mail-empty")
	for _, raw := range []string{mail, wild, "no mail at all"} {
		if err := s.Deliver(bea, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(s, alerts); err != nil {
		t.Fatal(err)
	}
	tab.Open("/")
	tab.SeeText("main", "Lampe sieben ✓")
	tab.SeeText("main", "Jürgen")
	tab.Check("sandbox-mail-list")
	tab.Choose("#mailbox", alerts)
	tab.Follow(`form button`)
	if got := tab.Eval(`String(document.querySelectorAll("tbody tr").length)`); got != "1" {
		t.Errorf("the mailbox of alerts shows %s mails", got)
	}

	tab.Open("/mail/1")
	tab.SeeText("pre", "It went out.")
	tab.Check("sandbox-mail-text")
	for _, view := range []string{"headers", "raw", "text"} {
		tab.Open("/mail/2?view=" + view)
		tab.SeeText("main", "Lampe sieben")
	}
	tab.SeeText("main", "plan.pdf (application/pdf, 3 bytes)")
	tab.Open("/mail/3")
	tab.SeeText("main", "no mail at all")
	tab.Open("/mail/99")
	tab.SeeText("main", "This mail is not here")
}

// The frame of a mail runs no script and has no form, and nothing of it reaches the page around it. The browser
// reports what it has forbidden, which is why another browser than the watched one looks at the frame.
func TestHTMLMailIsHarmless(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	if err := s.Deliver(bea, []byte(wild)); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(s.MailURL + "mail/1/html")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	policy := response.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "sandbox"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "allow-") || strings.Contains(policy, "script-src") {
		t.Errorf("the policy %q allows too much", policy)
	}
	tame := strings.NewReplacer("<script>", "<i>", "</script>", "</i>").Replace(wild)
	if err := s.Deliver(bea, []byte(tame)); err != nil {
		t.Fatal(err)
	}
	tab := browsertest.New(t, strings.TrimSuffix(s.MailURL, "/"))
	tab.Open("/mail/2")
	tab.See(`iframe[sandbox=""]`)
	tab.Screenshot("sandbox-mail-html")
}

func TestProviderInABrowser(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	tab := browsertest.New(t, strings.TrimSuffix(s.MailURL, "/"))
	tab.Open("/provider")
	tab.Choose("#failure", "AADSTS7000222")
	tab.Type("#times", "2")
	tab.Follow(`form[action="/provider/fail"] button`)
	tab.SeeText("main", "2 requests will fail.")
	tab.Check("sandbox-provider")
	tab.Follow(`form[action="/provider/recover"] button`)
	tab.SeeText(".notice", "as usual again")
	if n := s.Identity.Scripted(); n != 0 {
		t.Errorf("%d failures are left", n)
	}
	token := s.Identity.AccessToken(alerts)
	tab.Follow(`button[aria-label="Revoke the grants of alerts@orbit.example"]`)
	if s.Identity.CheckToken(idp.IMAP, alerts, token) == nil {
		t.Error("a revoked token opens the mailbox")
	}
}
