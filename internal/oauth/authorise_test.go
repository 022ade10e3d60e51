package oauth

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

func (b *bundle) visit(mailbox string) (string, url.Values) {
	b.t.Helper()
	visit, err := b.Visit(asAdmin(), mailbox, session)
	if err != nil {
		b.t.Fatal(err)
	}
	u, err := url.Parse(visit)
	if err != nil {
		b.t.Fatal(err)
	}
	return visit, u.Query()
}

func (b *bundle) complete(c Callback) Outcome {
	b.t.Helper()
	o, err := b.Complete(asAdmin(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

func interactive(t *testing.T) *bundle {
	b := setup(t)
	b.register(b.settings(AuthorizationCode), sharedSecret())
	return b
}

func TestConsentPageHasEverythingThatProvidersAndRFC9700Want(t *testing.T) {
	b := interactive(t)
	_, q := b.visit(address)
	for name, want := range map[string]string{
		"response_type": "code", "response_mode": "query", "client_id": "client-1", "code_challenge_method": "S256",
		"login_hint": address, "redirect_uri": "https://orbit.example.com/email-oauth2-proxy-authorize/",
		"scope": "https://outlook.office365.com/SMTP.Send offline_access",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 43 {
		t.Errorf("challenge %q or state %q is too short", q.Get("code_challenge"), q.Get("state"))
	}
	if n := b.count("select count(*) from oauth_authorization where state_hash = $1", []byte(q.Get("state"))); n != 0 {
		t.Error("the state itself is stored")
	}
}

func TestConsentPageKeepsTheQueryOfThePermissionURL(t *testing.T) {
	t.Parallel()
	page, err := consentPage(Settings{PermissionURL: "https://id.example.com/authorize?realm=a%20b", ClientID: "x", Scope: "mail"},
		address, "https://orbit.example.com/", "state", vault.NewSecret("verifier"))
	if err != nil || strings.Count(page, "?") != 1 || !strings.Contains(page, "realm=a+b") {
		t.Errorf("%s, %v", page, err)
	}
}

func TestGoogleIsAskedForARefreshTokenAndTheMailbox(t *testing.T) {
	t.Parallel()
	page, err := consentPage(Settings{
		PermissionURL: "https://accounts.google.com/o/oauth2/v2/auth", TokenURL: "https://oauth2.googleapis.com/token",
		ClientID: "x", Scope: "https://mail.google.com/",
	}, address, "https://orbit.example.com/", "state", vault.NewSecret("verifier"))
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(page)
	q := u.Query()
	if q.Get("access_type") != "offline" || q.Get("prompt") != "consent" || q.Get("scope") != "https://mail.google.com/ openid email" {
		t.Errorf("query %v", q)
	}
}

func TestGrantBecomesActiveOnlyWhenAMailServerAccepts(t *testing.T) {
	b := interactive(t)
	var proved string
	b.prover = ProverFunc(func(_ context.Context, a string, token vault.Secret) (string, error) {
		b.wantState(a, Waiting)
		proved = token.Reveal()
		return "SMTP at smtp.example.com:587", nil
	})
	o := b.authorise(address)
	if !o.Authorised || o.State != Active || o.ProvenBy != "SMTP at smtp.example.com:587" || o.Fault != nil {
		t.Errorf("outcome %+v", o)
	}
	if !strings.Contains(o.Text(), "Email OAuth 2.0 authentication succeeded") || !strings.Contains(o.Text(), o.ProvenBy) {
		t.Errorf("text %q", o.Text())
	}
	if b.token(address) != proved {
		t.Error("another token was proven")
	}
	g := b.wantState(address, Active)
	if g.AuthorisedBy != "admin" || g.ProvenAt == nil {
		t.Errorf("grant %+v", g)
	}
}

func TestMailServerThatRefusesTheTokenIsSaid(t *testing.T) {
	b := interactive(t)
	fault := ladder.Fault{Code: "smtp_535_5.7.3", Cause: "SMTP AUTH is off for the mailbox.", Who: ladder.Microsoft365, Remedy: "Enable it."}
	b.prover = ProverFunc(func(context.Context, string, vault.Secret) (string, error) {
		return "", &ladder.Error{Step: ladder.Auth, Fault: fault}
	})
	o := b.authorise(address)
	if !o.Authorised || o.State != Failed || o.Fault == nil || o.Fault.Code != fault.Code {
		t.Errorf("outcome %+v", o)
	}
	g := b.wantState(address, Failed)
	if g.FailedBecause != UpstreamNo || g.Fault.Remedy != "Enable it." {
		t.Errorf("grant %+v", g)
	}
	if b.token(address) == "" {
		t.Error("tokens have to go on, or nobody would see when the mail server accepts again")
	}
	if err := b.Proved(context.Background(), address, "SMTP"); err != nil {
		t.Fatal(err)
	}
	if g := b.wantState(address, Active); g.Fault != nil {
		t.Errorf("grant %+v", g)
	}
}

func TestNothingToProveLeavesTheGrantWaiting(t *testing.T) {
	b := interactive(t)
	b.prover = ProverFunc(func(context.Context, string, vault.Secret) (string, error) { return "", ErrNothingToProve })
	if o := b.authorise(address); o.State != Waiting || o.Fault != nil || !strings.Contains(o.Text(), "first sign-in") {
		t.Errorf("outcome %+v: %s", o, o.Text())
	}
}

func TestWrongMailboxIsSaid(t *testing.T) {
	b := interactive(t)
	b.provider.idClaims = map[string]any{"preferred_username": "somebody@example.com"}
	o := b.authorise(address)
	if !o.WrongMailbox || o.SignedInAs != "somebody@example.com" || !strings.Contains(o.Text(), "You signed in as somebody@example.com, not as "+address) {
		t.Errorf("outcome %+v: %s", o, o.Text())
	}
	b.provider.idClaims = map[string]any{"email": "Alerts@Example.COM"}
	if o := b.authorise(address); o.WrongMailbox {
		t.Errorf("the same mailbox in other letters is no other: %+v", o)
	}
}

func TestReloadingTellsTheSameAndChangesNothing(t *testing.T) {
	b := interactive(t)
	visit, _ := b.visit(address)
	c := b.provider.consent(visit)
	c.Session = session
	first := b.complete(c)
	before, entries := b.provider.requests(), b.count("select count(*) from audit_entry")
	second := b.complete(c)
	if !second.Authorised || second.Address != first.Address || second.State != first.State {
		t.Errorf("first %+v, then %+v", first, second)
	}
	if b.provider.requests() != before || b.count("select count(*) from audit_entry") != entries {
		t.Error("reloading asked or changed something")
	}
}

func TestStateIsUsedOnceBy20Browsers(t *testing.T) {
	b := interactive(t)
	visit, _ := b.visit(address)
	c := b.provider.consent(visit)
	c.Session = session
	before := b.provider.requests()
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := b.Complete(asAdmin(), c); err != nil {
				t.Errorf("complete: %v", err)
			}
		})
	}
	group.Wait()
	if n := b.provider.requests() - before; n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
}

func TestStrayRequestsChangeNothing(t *testing.T) {
	b := interactive(t)
	visit, _ := b.visit(address)
	right := b.provider.consent(visit)
	right.Session = session
	for name, change := range map[string]func(*Callback){
		"no state":        func(c *Callback) { c.State = "" },
		"another state":   func(c *Callback) { c.State = "x" + c.State },
		"no session":      func(c *Callback) { c.Session = nil },
		"another session": func(c *Callback) { c.Session = []byte("somebody else") },
	} {
		c := right
		change(&c)
		if _, err := b.Complete(context.Background(), c); !errors.Is(err, ErrStray) {
			t.Errorf("%s: %v, want ErrStray", name, err)
		}
	}
	if b.provider.requests() != 0 {
		t.Error("the provider was asked")
	}
	if o := b.complete(right); !o.Authorised {
		t.Errorf("the right request does not work any more: %+v", o)
	}
}

func TestStateEndsAfterTenMinutes(t *testing.T) {
	b := interactive(t)
	visit, _ := b.visit(address)
	c := b.provider.consent(visit)
	c.Session = session
	b.clock.advance(10*time.Minute + time.Second)
	if _, err := b.Complete(asAdmin(), c); !errors.Is(err, ErrStray) {
		t.Errorf("%v, want ErrStray", err)
	}
}

func TestDeclinedConsentIsExplainedAndKeepsAWorkingGrant(t *testing.T) {
	b := interactive(t)
	_, q := b.visit(address)
	o := b.complete(Callback{State: q.Get("state"), Session: session, Error: "access_denied", ErrorDescription: "AADSTS65004: User declined to consent"})
	if o.Authorised || o.Fault == nil || o.Fault.Code != "AADSTS65004" {
		t.Errorf("outcome %+v", o)
	}
	b.wantState(address, Failed)

	b.authorise(address)
	token := b.token(address)
	_, q = b.visit(address)
	b.complete(Callback{State: q.Get("state"), Session: session, Error: "access_denied"})
	b.wantState(address, Waiting)
	if err := b.Refused(context.Background(), address, ladder.Fault{Code: "smtp_535_5.7.3"}); err != nil {
		t.Fatal(err)
	}
	_, q = b.visit(address)
	b.complete(Callback{State: q.Get("state"), Session: session, Error: "access_denied"})
	if g := b.wantState(address, Failed); g.FailedBecause != UpstreamNo {
		t.Errorf("grant %+v", g)
	}
	if b.token(address) != token {
		t.Error("a declined second consent cost the first")
	}
}

func TestForeignIssuerIsRefused(t *testing.T) {
	b := interactive(t)
	for iss, accepted := range map[string]bool{"https://evil.example.com": false, b.provider.URL: true, "": true} {
		visit, _ := b.visit(address)
		c := b.provider.consent(visit)
		c.Session, c.Issuer = session, iss
		if o := b.complete(c); o.Authorised != accepted {
			t.Errorf("iss %q: %+v", iss, o)
		}
	}
}

func TestDirectAddressIsTheProviders(t *testing.T) {
	b := interactive(t)
	page, err := b.Direct(asAdmin(), address)
	if err != nil || !strings.HasPrefix(page, b.provider.URL+"/authorize?") {
		t.Fatalf("%s, %v", page, err)
	}
	if o := b.complete(b.provider.consent(page)); !o.Authorised {
		t.Errorf("outcome %+v", o)
	}
}

func TestRegisteredRedirectURIIsUsedExactly(t *testing.T) {
	b := setup(t)
	s := b.settings(AuthorizationCode)
	s.RedirectURI = "http://localhost:8801/back"
	b.register(s, sharedSecret())
	if _, q := b.visit(address); q.Get("redirect_uri") != s.RedirectURI {
		t.Errorf("redirect_uri %q", q.Get("redirect_uri"))
	}
	if o := b.authorise(address); !o.Authorised {
		t.Errorf("outcome %+v", o)
	}
	if got := b.provider.last().Get("redirect_uri"); got != s.RedirectURI {
		t.Errorf("exchanged with %q", got)
	}
}

func TestAddressWithoutRegistrationIsExplained(t *testing.T) {
	b := setup(t)
	_, err := b.access(context.Background(), address)
	if fault := wantFault(t, err); fault.Code != "oauth_unregistered" || !strings.Contains(fault.Remedy, "@example.com") {
		t.Errorf("fault %+v", fault)
	}
	if _, err := b.Visit(asAdmin(), address, session); err == nil {
		t.Error("a visit for nobody")
	}
}

func TestUnauthorisedAddressAsksForAPerson(t *testing.T) {
	b := interactive(t)
	_, err := b.access(context.Background(), address)
	if fault := wantFault(t, err); fault.Code != "oauth_unauthorised" || !fault.Authorise {
		t.Errorf("fault %+v", fault)
	}
}
