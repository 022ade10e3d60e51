package idp

import (
	"maps"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// introspect tells mail servers what a token is good for (RFC 7662).
func (p *Provider) introspect(w http.ResponseWriter, r *http.Request) {
	p.count(func(s *Stats) { s.Introspect++ })
	a, ok := p.find(r.PostFormValue("token"))
	if !ok {
		answerJSON(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{
		"active": true, "username": a.mailbox, "email": a.mailbox, "sub": a.mailbox, "client_id": a.client,
		"scope": strings.Join(a.scopes, " "), "exp": a.expires.Unix(), "token_type": "Bearer", "iss": p.o.Issuer,
	})
}

// userInfo tells the bearer of a token who they are (OpenID Connect Core 5.3).
func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, ok := p.find(token)
	if !ok || a.mailbox == "" {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		answerJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"sub": a.mailbox, "email": a.mailbox, "email_verified": true})
}

func (p *Provider) find(token string) (*access, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tokens.get(token)
}

// discovery is OpenID Connect's description of the provider.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	e := p.Endpoints()
	answerJSON(w, http.StatusOK, map[string]any{
		"issuer": p.o.Issuer + "/" + Tenant + "/v2.0", "authorization_endpoint": e.Authorise, "token_endpoint": e.Token,
		"device_authorization_endpoint": e.Device, "introspection_endpoint": e.Introspect, "userinfo_endpoint": e.UserInfo,
		"jwks_uri": p.o.Issuer + "/keys", "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported":            grants,
		"code_challenge_methods_supported": []string{"S256"}, "subject_types_supported": []string{"pairwise"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "none"},
		"id_token_signing_alg_values_supported": []string{"ES256"}, "scopes_supported": plain,
	})
}

// keys is the key that signs tokens.
func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: p.key.Public(), KeyID: keyID, Algorithm: string(jose.ES256), Use: "sig"},
	}})
}

// Stats counts what the provider was asked.
type Stats struct {
	Authorise  int            `json:"authorise"` // visits of the consent page
	Consents   int            `json:"consents"`
	Declined   int            `json:"declined"`
	Device     int            `json:"device"`
	Token      map[string]int `json:"token"`   // token requests by grant type
	Refused    map[string]int `json:"refused"` // by error
	Issued     int            `json:"issued"`  // access tokens
	Introspect int            `json:"introspect"`
}

func newStats() Stats { return Stats{Token: make(map[string]int), Refused: make(map[string]int)} }

// TokenRequests is how many there were of all grant types.
func (s Stats) TokenRequests() int {
	n := 0
	for _, count := range s.Token {
		n += count
	}
	return n
}

// Stats returns the counters.
func (p *Provider) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Token, s.Refused = maps.Clone(s.Token), maps.Clone(s.Refused)
	return s
}

func (p *Provider) count(add func(*Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.stats)
}

func (p *Provider) showStats(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, p.Stats())
}
