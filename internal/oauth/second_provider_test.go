package oauth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// A provider that others wrote has its own reading of the standards: it checks PKCE, the redirect URI and the
// client, takes each code once and rotates refresh tokens strictly.
func TestAProviderOfOthersIsSignedInAt(t *testing.T) {
	b := setup(t)
	second := newSecondProvider(t)
	r := b.settings(AuthorizationCode)
	r.PermissionURL, r.TokenURL = second.URL+"/authorize", second.URL+"/oauth/token"
	r.ClientID, r.Scope = secondClientID, "openid email offline_access"
	b.register(r, sharedSecret())

	visit, err := b.Visit(asAdmin(), address, session)
	if err != nil {
		t.Fatal(err)
	}
	c := second.consent(t, visit, address)
	o := b.complete(c)
	if !o.Authorised || o.SignedInAs != address || o.WrongMailbox {
		t.Fatalf("outcome %+v", o)
	}
	first := b.token(address)
	if o := b.complete(c); !o.Authorised {
		t.Errorf("reloading: %+v", o)
	}
	for range 2 { // the second refresh needs the refresh token that the first one brought
		b.clock.advance(time.Hour)
		next := b.token(address)
		if next == first {
			t.Fatal("the token was not renewed")
		}
		first = next
	}

	second.revoke()
	b.clock.advance(time.Hour)
	_, err = b.access(t.Context(), address)
	if fault := wantFault(t, err); !fault.Authorise {
		t.Errorf("a revoked grant is authorised again: %+v", fault)
	}
	b.wantState(address, Failed)
}

// An ID token may be thin. Then the issuer is asked, where the registration names it.
func TestAnIssuerIsAskedWhoSignedIn(t *testing.T) {
	b := setup(t)
	second := newSecondProvider(t)
	second.thin = true
	r := b.settings(AuthorizationCode)
	r.PermissionURL, r.TokenURL = second.URL+"/authorize", second.URL+"/oauth/token"
	r.ClientID, r.Scope = secondClientID, "openid email offline_access"
	registered := b.register(r, sharedSecret())
	walk := func() Outcome {
		t.Helper()
		visit, err := b.Visit(asAdmin(), address, session)
		if err != nil {
			t.Fatal(err)
		}
		return b.complete(second.consent(t, visit, "somebody.else@example.com"))
	}
	if o := walk(); !o.Authorised || o.SignedInAs != "" {
		t.Errorf("nobody says who signed in: %+v", o)
	}
	r.Issuer = second.URL
	if _, _, err := b.Save(asAdmin(), registered.ID, Change{Settings: r, Version: registered.Version}); err != nil {
		t.Fatal(err)
	}
	if o := walk(); !o.Authorised || o.SignedInAs != "somebody.else@example.com" || !o.WrongMailbox {
		t.Errorf("the issuer says who signed in: %+v", o)
	}
}

const secondClientID = "client of the second provider"

// secondProvider is the storage of zitadel/oidc's provider. What it does not override, no flow of the test uses.
type secondProvider struct {
	op.Storage
	*httptest.Server
	key  *rsa.PrivateKey
	thin bool // ID tokens name no mailbox

	mu      sync.Mutex
	visits  map[string]*secondVisit // by id
	codes   map[string]string       // to ids of visits
	refresh map[string]*secondVisit // by refresh token
}

func newSecondProvider(t *testing.T) *secondProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &secondProvider{key: key, visits: map[string]*secondVisit{}, codes: map[string]string{}, refresh: map[string]*secondVisit{}}
	p.Server = httptest.NewUnstartedServer(nil)
	config := &op.Config{CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true}
	provider, err := op.NewProvider(config, p, op.StaticIssuer("http://"+p.Listener.Addr().String()),
		op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	p.Config.Handler = provider
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// consent does what a person does in a browser, who signs in as mailbox.
func (p *secondProvider) consent(t *testing.T, visit, mailbox string) Callback {
	t.Helper()
	browser := p.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	follow := func(address string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusFound {
			t.Fatalf("%s answered %s", address, response.Status)
		}
		return response
	}
	login, err := follow(visit).Location()
	if err != nil {
		t.Fatal(err)
	}
	id := login.Query().Get("visit")
	p.mu.Lock()
	p.visits[id].subject = mailbox
	p.mu.Unlock()
	back, err := follow(p.URL + "/authorize/callback?id=" + id).Location()
	if err != nil {
		t.Fatal(err)
	}
	return ReadCallback(back.Query(), session)
}

// revoke ends every grant.
func (p *secondProvider) revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.refresh)
}

var errUnknown = errors.New("unknown")

func (p *secondProvider) CreateAuthRequest(_ context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := &secondVisit{id: rand.Text(), asked: *r}
	p.visits[v.id] = v
	return v, nil
}

func (p *secondProvider) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := p.visits[id]; ok {
		return v, nil
	}
	return nil, errUnknown
}

func (p *secondProvider) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	p.mu.Lock()
	id := p.codes[code]
	delete(p.codes, code)
	p.mu.Unlock()
	return p.AuthRequestByID(ctx, id)
}

func (p *secondProvider) SaveAuthCode(_ context.Context, id, code string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = id
	return nil
}

func (p *secondProvider) DeleteAuthRequest(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.visits, id)
	return nil
}

func (p *secondProvider) CreateAccessAndRefreshTokens(_ context.Context, r op.TokenRequest, old string) (string, string, time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.refresh, old)
	token := rand.Text()
	p.refresh[token] = r.(*secondVisit)
	return rand.Text(), token, time.Now().Add(time.Hour), nil
}

func (p *secondProvider) TokenRequestByRefreshToken(_ context.Context, token string) (op.RefreshTokenRequest, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := p.refresh[token]; ok {
		return v, nil
	}
	return nil, op.ErrInvalidRefreshToken
}

func (p *secondProvider) SigningKey(context.Context) (op.SigningKey, error) {
	return secondKey{p.key}, nil
}

func (p *secondProvider) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (p *secondProvider) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != secondClientID {
		return nil, errUnknown
	}
	return secondClient{thin: p.thin}, nil
}

func (p *secondProvider) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != secondClientID || secret != "client-secret" {
		return errUnknown
	}
	return nil
}

func (p *secondProvider) SetUserinfoFromScopes(_ context.Context, u *oidc.UserInfo, user, _ string, scopes []string) error {
	if slices.Contains(scopes, oidc.ScopeEmail) {
		u.Email = user
	}
	return nil
}

// SetUserinfoFromToken answers at the userinfo endpoint; the subject is the mailbox here.
func (p *secondProvider) SetUserinfoFromToken(_ context.Context, u *oidc.UserInfo, _, subject, _ string) error {
	u.Subject, u.Email = subject, subject
	return nil
}

func (p *secondProvider) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// secondVisit is a consent, from the question to the last refresh.
type secondVisit struct {
	id      string
	asked   oidc.AuthRequest
	subject string // who signed in
}

func (v *secondVisit) GetID() string                      { return v.id }
func (v *secondVisit) GetACR() string                     { return "" }
func (v *secondVisit) GetAMR() []string                   { return nil }
func (v *secondVisit) GetAudience() []string              { return []string{v.asked.ClientID} }
func (v *secondVisit) GetAuthTime() time.Time             { return time.Now() }
func (v *secondVisit) GetClientID() string                { return v.asked.ClientID }
func (v *secondVisit) GetNonce() string                   { return v.asked.Nonce }
func (v *secondVisit) GetRedirectURI() string             { return v.asked.RedirectURI }
func (v *secondVisit) GetResponseType() oidc.ResponseType { return v.asked.ResponseType }
func (v *secondVisit) GetResponseMode() oidc.ResponseMode { return v.asked.ResponseMode }
func (v *secondVisit) GetScopes() []string                { return v.asked.Scopes }
func (v *secondVisit) GetState() string                   { return v.asked.State }
func (v *secondVisit) GetSubject() string                 { return v.subject }
func (v *secondVisit) Done() bool                         { return v.subject != "" }
func (v *secondVisit) SetCurrentScopes(scopes []string)   { v.asked.Scopes = scopes }

func (v *secondVisit) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: v.asked.CodeChallenge, Method: v.asked.CodeChallengeMethod}
}

// secondClient is how the provider knows Orbit.
type secondClient struct {
	op.Client
	thin bool
}

func (secondClient) GetID() string { return secondClientID }
func (secondClient) RedirectURIs() []string {
	return []string{"https://orbit.example.com/email-oauth2-proxy-authorize/"}
}
func (secondClient) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (secondClient) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodPost }
func (secondClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (secondClient) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}
func (secondClient) LoginURL(id string) string           { return "/login?visit=" + id }
func (secondClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (secondClient) IDTokenLifetime() time.Duration      { return time.Hour }
func (secondClient) DevMode() bool                       { return false }
func (secondClient) IsScopeAllowed(string) bool          { return false }
func (secondClient) ClockSkew() time.Duration            { return 0 }

// IDTokenUserinfoClaimsAssertion puts the mail address into the ID token.
func (c secondClient) IDTokenUserinfoClaimsAssertion() bool { return !c.thin }

func (secondClient) RestrictAdditionalIdTokenScopes() func([]string) []string { return same }

func (secondClient) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }

func same(scopes []string) []string { return scopes }

// secondKey signs ID tokens.
type secondKey struct{ key *rsa.PrivateKey }

func (k secondKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k secondKey) Key() any                                    { return k.key }
func (k secondKey) ID() string                                  { return "1" }
