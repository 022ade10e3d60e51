package idp

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

const (
	grantDevice = "urn:ietf:params:oauth:grant-type:device_code"
	grantJWT    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// token is the token endpoint.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.answerRefusal(w, r, refuse(malformed))
		return
	}
	p.count(func(s *Stats) { s.Token[counted(r.PostForm.Get("grant_type"))]++ })
	failure, scripted := p.nextFailure(AtToken)
	if scripted && p.play(w, r, failure) {
		return
	}
	answer, err := p.decide(r.PathValue("tenant"), r.PostForm)
	if scripted && failure.LoseAnswer {
		panic(http.ErrAbortHandler) // the connection ends; what was done stays done
	}
	if err != nil {
		p.answerRefusal(w, r, err)
		return
	}
	answerJSON(w, http.StatusOK, answer)
}

// grants are the grant types that there are.
var grants = []string{"authorization_code", "refresh_token", "client_credentials", "password", grantDevice, grantJWT}

// counted is what a grant type is counted as: strangers choose no names here.
func counted(grant string) string {
	if slices.Contains(grants, grant) {
		return grant
	}
	return "other"
}

// decide checks a token request and gives what it asks for.
func (p *Provider) decide(tenant string, form url.Values) (tokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if tenant != Tenant {
		return tokens{}, refuse(unknownTenant, "tenant", tenant)
	}
	grant := form.Get("grant_type")
	if grant == grantJWT {
		return p.byServiceAccount(form)
	}
	client, err := p.prove(form)
	if err != nil {
		return tokens{}, err
	}
	switch grant {
	case "authorization_code":
		return p.byCode(client, form)
	case "refresh_token":
		return p.byRefresh(client, form)
	case "client_credentials":
		return p.byItself(client, form)
	case "password":
		return p.byPassword(client, form)
	case grantDevice:
		return p.byDevice(client, form)
	}
	return tokens{}, refuse(unknownGrant, "grant", grant)
}

// code is what a consent gives to the browser (RFC 6749 4.1.2).
type code struct {
	family      *family
	redirectURI string
	challenge   string // PKCE, S256
	nonce       string
	used        bool
}

// byCode redeems a code. Used twice it ends all that came of it (RFC 6749 4.1.2).
func (p *Provider) byCode(client Client, form url.Values) (tokens, error) {
	c, ok := p.codes.get(form.Get("code"))
	switch {
	case !ok:
		return tokens{}, refuse(expiredCode)
	case c.used:
		c.family.revoked = true
		return tokens{}, refuse(usedCode)
	case c.family.client != client.ID, c.redirectURI != form.Get("redirect_uri"):
		return tokens{}, refuse(otherRedirect, "redirect", form.Get("redirect_uri"))
	case c.challenge != oauth2.S256ChallengeFromVerifier(form.Get("code_verifier")):
		return tokens{}, refuse(wrongVerifier)
	}
	c.used = true
	return p.grant(c.family, nil, c.nonce)
}

// byRefresh gives new tokens. The one before stays good until its successor is used, so that a client that was
// killed before it stored the successor goes on; with strict rotation it does not.
func (p *Provider) byRefresh(client Client, form url.Values) (tokens, error) {
	name := form.Get("refresh_token")
	t, ok := p.refreshes.get(name)
	switch {
	case p.refreshes.expired(name):
		return tokens{}, refuse(idleGrant)
	case !ok, t.family.client != client.ID:
		return tokens{}, refuse(unknownRefresh)
	case t.family.revoked:
		return tokens{}, refuse(revoked)
	case t.uses > 0 && p.o.StrictRotation, t.uses > 1, t.superseded:
		t.family.revoked = true
		return tokens{}, refuse(reusedRefresh)
	}
	t.uses++
	if t.parent != nil {
		t.parent.superseded = true
	}
	return p.grant(t.family, t, "")
}

// byItself is the flow of applications: client credentials.
func (p *Provider) byItself(client Client, form url.Values) (tokens, error) {
	scope := form.Get("scope")
	switch {
	case client.public():
		return tokens{}, refuse(noSecret)
	case !strings.HasSuffix(scope, "/.default"):
		return tokens{}, refuse(notDefaultScope, "scope", scope)
	case !known(scope):
		return tokens{}, refuse(unknownResource, "resource", strings.TrimSuffix(scope, "/.default"))
	}
	return p.give(&access{client: client.ID, mailboxes: client.Mailboxes, scopes: []string{scope}})
}

// byPassword is the flow in which the program knows the mailbox's password.
func (p *Provider) byPassword(client Client, form url.Values) (tokens, error) {
	m, ok := p.mailboxes[strings.ToLower(form.Get("username"))]
	switch {
	case !ok:
		return tokens{}, refuse(unknownUser, "mailbox", form.Get("username"))
	case m.Blocked:
		return tokens{}, refuse(blockedUser)
	case m.Password == "" || m.Password != form.Get("password"):
		return tokens{}, refuse(wrongPassword)
	}
	scopes, err := p.scopes(form.Get("scope"))
	if err != nil {
		return tokens{}, err
	}
	return p.grant(p.family(client, m.Address, scopes, false), nil, "")
}

func (p *Provider) family(client Client, mailbox string, scopes []string, offline bool) *family {
	return &family{client: client.ID, mailbox: mailbox, scopes: scopes, offline: offline || slices.Contains(scopes, "offline_access")}
}

// resources are the audiences of mail tokens.
var resources = []string{"https://outlook.office365.com", "https://outlook.office.com", "https://graph.microsoft.com"}

// plain are the permissions without a resource.
var plain = []string{"openid", "email", "profile", "offline_access", googleMail}

// scopes takes a scope parameter apart and refuses what nobody knows.
func (p *Provider) scopes(parameter string) ([]string, error) {
	scopes := strings.Fields(parameter)
	if len(scopes) == 0 {
		return nil, refuse(noScope)
	}
	for _, scope := range scopes {
		if !known(scope) {
			return nil, refuse(unknownScope, "scope", scope)
		}
	}
	return scopes, nil
}

func known(scope string) bool {
	if slices.Contains(plain, scope) {
		return true
	}
	resource, permission := scope[:max(0, strings.LastIndexByte(scope, '/'))], lastPart(scope)
	return slices.Contains(resources, resource) && (permission == ".default" ||
		permission == rights[IMAP].person || permission == rights[POP3].person || permission == rights[SMTP].person)
}

func answerJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
