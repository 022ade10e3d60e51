package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// idp is an identity provider on a real socket. By itself it accepts what is right and rotates refresh
// tokens; a test that wants something else sets answer.
type idp struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	asked    []url.Values                                 // every token request
	answer   func(form url.Values) (status int, body any) // nil, or status 0: as usual
	header   http.Header                                  // added to every answer
	codes    map[string]consent                           // authorization codes that were not used
	valid    map[string]bool                              // refresh tokens
	strict   bool                                         // a rotated refresh token is worth nothing any more
	lifetime time.Duration
	idClaims map[string]any // of the id_token, when there are any
	issued   int
	deviceOK bool
	entered  chan struct{} // receives when a token request has arrived
	release  chan struct{} // when set, token requests wait for it
}

type consent struct{ challenge, redirectURI, clientID string }

func newProvider(t testing.TB) *idp {
	p := &idp{t: t, codes: map[string]consent{}, valid: map[string]bool{}, lifetime: time.Hour, entered: make(chan struct{}, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /device", p.device)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *idp) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

func (p *idp) last() url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[len(p.asked)-1]
}

// script makes the provider answer like that; nil makes it usual again.
func (p *idp) script(answer func(form url.Values) (int, any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func refuse(code, description string) func(url.Values) (int, any) {
	return func(url.Values) (int, any) {
		status := http.StatusBadRequest
		if code == "invalid_client" {
			status = http.StatusUnauthorized
		}
		return status, map[string]any{"error": code, "error_description": description}
	}
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.t.Errorf("read a token request: %v", err)
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.PostForm)
	release := p.release
	p.mu.Unlock()
	p.entered <- struct{}{}
	if release != nil {
		<-release
	}
	status, body := p.decide(r.PostForm)
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if text, ok := body.(string); ok {
		_, _ = w.Write([]byte(text))
		return
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (p *idp) decide(form url.Values) (int, any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answer != nil {
		if status, body := p.answer(form); status != 0 {
			return status, body
		}
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		return p.exchange(form)
	case "refresh_token":
		return p.refresh(form.Get("refresh_token"))
	case "urn:ietf:params:oauth:grant-type:device_code":
		if !p.deviceOK {
			return refuse("authorization_pending", "")(nil)
		}
		return http.StatusOK, p.issue(true)
	}
	return http.StatusOK, p.issue(false)
}

func (p *idp) exchange(form url.Values) (int, any) {
	c, ok := p.codes[form.Get("code")]
	delete(p.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !ok:
		return refuse("invalid_grant", "AADSTS54005: code used twice")(nil)
	case c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		return refuse("invalid_grant", "PKCE does not match")(nil)
	case c.redirectURI != form.Get("redirect_uri"), c.clientID != form.Get("client_id"):
		return refuse("invalid_grant", "redirect URI or client differs")(nil)
	}
	return http.StatusOK, p.issue(true)
}

func (p *idp) refresh(token string) (int, any) {
	if !p.valid[token] {
		return refuse("invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.")(nil)
	}
	if p.strict {
		delete(p.valid, token)
	}
	return http.StatusOK, p.issue(true)
}

func (p *idp) issue(refresh bool) map[string]any {
	p.issued++
	body := map[string]any{
		"access_token": fmt.Sprintf("access-%d-secret", p.issued), "token_type": "Bearer", "expires_in": int(p.lifetime.Seconds()),
	}
	if refresh {
		token := fmt.Sprintf("refresh-%d-secret", p.issued)
		p.valid[token] = true
		body["refresh_token"] = token
	}
	if p.idClaims != nil {
		payload, _ := json.Marshal(p.idClaims)
		body["id_token"] = "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
	}
	return body
}

func (p *idp) device(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]any{
		"device_code": "device-secret", "user_code": "WDJB-MJHT", "verification_uri": p.URL + "/activate", "expires_in": 900, "interval": 5,
	})
}

// consent does what a person does at the provider's page: it accepts, and returns where the browser is sent.
func (p *idp) consent(address string) Callback {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	p.mu.Lock()
	defer p.mu.Unlock()
	code := fmt.Sprintf("code-%d", len(p.codes)+p.issued)
	p.codes[code] = consent{challenge: q.Get("code_challenge"), redirectURI: q.Get("redirect_uri"), clientID: q.Get("client_id")}
	return Callback{State: q.Get("state"), Code: code}
}
