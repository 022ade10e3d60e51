package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"orbit/internal/sandbox/sandboxtest"
)

func unescape(text string) string { return html.UnescapeString(text) }

func TestTheRedirectEndpointExplainsItselfToStrangers(t *testing.T) {
	s := newProxySite(t)
	stranger := s.guest()
	stranger.get("/email-oauth2-proxy-authorize/").is(http.StatusOK, "Nothing is waiting here", "nothing was changed").hides("Back to Orbit", "<nav")
	stranger.get("/email-oauth2-proxy-authorize/?code=1&state=unknown").is(http.StatusBadRequest, "This sign-in is over", "Nothing was changed")
	stranger.get("/email-oauth2-proxy-authorize/start/unknown").is(http.StatusNotFound, "This link is not valid any more", "orbit email-oauth2-proxy authorize ADDRESS")
	s.ana().get("/email-oauth2-proxy-authorize/").is(http.StatusOK, "Back to Orbit")
}

var startAddress = regexp.MustCompile(`http://[^"<\s]+/email-oauth2-proxy-authorize/start/[A-Z2-7]+`)

// path is an address of Orbit without its host.
func (s *site) path(address string) string { return strings.TrimPrefix(address, s.url) }

func TestSomebodyWithoutOrbitAuthorisesByTheLink(t *testing.T) {
	s := newProxySite(t)
	s.registered(nil)
	s.listener()
	page := s.ana().post("/settings/notifications/oauth2-proxy/authorise", "address", " Alerts@Example.com ")
	page.is(http.StatusOK, "You can sign in as "+mailbox, "Send them this link", "No credential has the username")
	link := s.path(startAddress.FindString(page.body))

	owner := s.guest()
	owner.do(http.MethodHead, link, nil).is(http.StatusOK)
	first := owner.get(link)
	second := owner.get(link)
	if first.status != http.StatusFound || first.header.Get("Location") == second.header.Get("Location") {
		t.Fatalf("each visit makes a fresh state: %d %s", first.status, first.header.Get("Location"))
	}
	back := s.path(sandboxtest.Accept(t, first.header.Get("Location"), mailbox).String())

	phone := s.guest() // another browser than the one that opened the link: people copy the provider's page
	phone.do(http.MethodHead, back, nil).is(http.StatusOK)
	phone.do(http.MethodGet, back, nil, "Sec-Purpose", "prefetch").is(http.StatusOK).hides("succeeded")
	done := phone.get(back)
	done.is(http.StatusOK, "Email OAuth 2.0 authentication succeeded", mailbox, "SMTP at 127.0.0.1", "Your password stayed with the provider").hides("<nav", "Back to Orbit")
	if done.header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(done.header.Get("Cache-Control"), "no-store") {
		t.Errorf("the address with the code may travel on: %v", done.header)
	}
	phone.get(back).is(http.StatusOK, "Email OAuth 2.0 authentication succeeded")
	phone.get(link).is(http.StatusNotFound, "It has been used with success")
	if grant, err := s.oauth.Grant(t.Context(), mailbox); err != nil || grant.State != "active" {
		t.Errorf("%+v %v", grant, err)
	}
}

func TestAVisitBelongsToTheSessionThatBeganIt(t *testing.T) {
	s := newProxySite(t)
	s.registered(nil)
	ana := s.ana()
	consent := consentOn(t, ana.post("/settings/notifications/oauth2-proxy/authorise", "address", mailbox))
	back := s.path(sandboxtest.Accept(t, consent, mailbox).String())
	s.guest().get(back).is(http.StatusBadRequest, "begun in another browser")
	if grant, err := s.oauth.Grant(t.Context(), mailbox); err != nil || grant.State != "none" {
		t.Errorf("a stranger changed the grant: %+v %v", grant, err)
	}
	ana.get(back).is(http.StatusOK, "Email OAuth 2.0 authentication succeeded", "proves itself with the first sign-in", "Back to Orbit")
	ana.get("/settings/notifications/oauth2-proxy/grants").is(http.StatusOK, mailbox, "Waiting for proof")
}

func TestWhoDeclinesReadsWhatToDo(t *testing.T) {
	s := newProxySite(t)
	s.registered(nil)
	ana := s.ana()
	consent := consentOn(t, ana.post("/settings/notifications/oauth2-proxy/authorise", "address", mailbox))
	back := s.path(sandboxtest.Decline(t, consent).String())
	ana.get(back).is(http.StatusBadRequest, "Email OAuth 2.0 authentication failed", "What happened", "What to do", "Authorise again").hides("succeeded")
	ana.get(back).is(http.StatusBadRequest, "Email OAuth 2.0 authentication failed")
	ana.get("/settings/notifications/oauth2-proxy/grants?state=failed").is(http.StatusOK, mailbox)
}

func TestAnotherMailboxIsSaid(t *testing.T) {
	s := newProxySite(t)
	s.registered(nil)
	ana := s.ana()
	consent := consentOn(t, ana.post("/settings/notifications/oauth2-proxy/authorise", "address", mailbox))
	back := s.path(sandboxtest.Accept(t, consent, other).String())
	ana.get(back).is(http.StatusOK, "You signed in as "+other, "expected "+mailbox)
	ana.get("/settings/notifications/oauth2-proxy/grants").is(http.StatusOK, "signed in as "+other)
}

// The provider sends people to another host, from where a reverse proxy leads here: no session is known there.
func TestAnotherRedirectURIIsBoundToTheLink(t *testing.T) {
	s := newProxySite(t)
	r := s.registered(nil)
	ana := s.ana()
	ana.post("/settings/notifications/oauth2-proxy/"+itoa(r.ID), "preset", "other", "pattern", "@", "flow", "authorization_code",
		"token_url", r.TokenURL, "permission_url", r.PermissionURL, "scope", r.Scope, "client_id", client, "secret_kind", "keep", "version", "1",
		"redirect_uri", "https://vault.example.com/email-oauth2-proxy-authorize/").leads("/settings/notifications/oauth2-proxy")
	page := ana.post("/settings/notifications/oauth2-proxy/authorise", "address", mailbox)
	page.is(http.StatusOK, `class="btn btn-primary" href="`+startAddress.FindString(page.body)+`"`)
}
