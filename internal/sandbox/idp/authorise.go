package idp

import (
	"net/http"
	"net/url"
	"strings"

	"orbit/internal/sandbox/look"
)

// visit is a person who was asked for consent and has not answered yet.
type visit struct {
	client      Client
	scopes      []string
	offline     bool
	redirectURI string
	state       string
	challenge   string
	nonce       string
	hint        string  // the mailbox that the client expects
	device      *device // instead of a redirect
}

// authorise shows the consent page (RFC 6749 4.1.1).
func (p *Provider) authorise(w http.ResponseWriter, r *http.Request) {
	p.count(func(s *Stats) { s.Authorise++ })
	failure, scripted := p.nextFailure(AtAuthorise)
	if scripted && failure.OnPage {
		p.showFailure(w, r, failure)
		return
	}
	v, err := p.newVisit(r)
	if err != nil {
		p.showRefusal(w, r, err)
		return
	}
	if scripted {
		p.sendBack(w, r, v, failure)
		return
	}
	if no := v.check(p, r.URL.Query()); no != nil {
		p.sendBack(w, r, v, Known(p.prefix(no.microsoft, no.google)))
		return
	}
	name := newName()
	p.mu.Lock()
	p.visits.put(name, v, visitLife)
	p.mu.Unlock()
	p.showConsent(w, r, name, v, "")
}

// newVisit checks what must be right before anybody is sent back: client and redirect URI.
func (p *Provider) newVisit(r *http.Request) (visit, error) {
	query := r.URL.Query()
	p.mu.Lock()
	client, ok := p.clients[query.Get("client_id")]
	p.mu.Unlock()
	redirect := query.Get("redirect_uri")
	switch {
	case r.PathValue("tenant") != Tenant:
		return visit{}, refuse(unknownTenant, "tenant", r.PathValue("tenant"))
	case !ok:
		return visit{}, refuse(unknownClient)
	case !client.returnsTo(redirect):
		return visit{}, refuse(wrongRedirect)
	}
	return visit{
		client: client, redirectURI: redirect, state: query.Get("state"), nonce: query.Get("nonce"),
		challenge: query.Get("code_challenge"), hint: query.Get("login_hint"), offline: query.Get("access_type") == "offline",
	}, nil
}

// check is what the client is told by redirect when it is wrong.
func (v *visit) check(p *Provider, query url.Values) *reason {
	if query.Get("response_type") != "code" || query.Get("response_mode") != "" && query.Get("response_mode") != "query" {
		return &malformed
	}
	if v.challenge == "" || query.Get("code_challenge_method") != "S256" {
		return &noChallenge
	}
	var err error
	if v.scopes, err = p.scopes(query.Get("scope")); err != nil {
		return &unknownScope
	}
	return nil
}

// consent takes the answer of the consent page.
func (p *Provider) consent(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("visit")
	p.mu.Lock()
	v, ok := p.visits.get(name)
	p.mu.Unlock()
	if !ok {
		p.showPage(w, r, http.StatusBadRequest, ended())
		return
	}
	if r.PostFormValue("answer") != "accept" {
		p.end(name)
		p.count(func(s *Stats) { s.Declined++ })
		p.decline(w, r, v)
		return
	}
	mailbox, problem := p.signIn(r.PostFormValue("mailbox"))
	if problem != "" {
		p.showConsent(w, r, name, v, problem)
		return
	}
	if !p.end(name) { // pressed twice
		p.showPage(w, r, http.StatusBadRequest, ended())
		return
	}
	p.count(func(s *Stats) { s.Consents++ })
	p.accept(w, r, v, mailbox)
}

// end takes a visit off the shelf; only the first to ask gets true.
func (p *Provider) end(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.visits.take(name)
	return ok
}

func (p *Provider) signIn(address string) (mailbox, problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.mailboxes[strings.ToLower(strings.TrimSpace(address))]
	switch {
	case strings.TrimSpace(address) == "":
		return "", "Choose the mailbox to sign in as."
	case !ok:
		return "", "There is no mailbox " + address + " here."
	case m.Blocked:
		return "", "The sign-in of " + m.Address + " is disabled."
	}
	return m.Address, ""
}

func (p *Provider) accept(w http.ResponseWriter, r *http.Request, v visit, mailbox string) {
	if v.device != nil {
		p.mu.Lock()
		v.device.mailbox = mailbox
		p.mu.Unlock()
		p.showPage(w, r, http.StatusOK, deviceDone(v.client.Name, mailbox))
		return
	}
	name := newName() + newName()
	p.mu.Lock()
	p.codes.put(name, &code{
		family: p.family(v.client, mailbox, v.scopes, v.offline), redirectURI: v.redirectURI, challenge: v.challenge, nonce: v.nonce,
	}, visitLife)
	p.mu.Unlock()
	redirect(w, r, v, url.Values{"code": {name}, "session_state": {guid()}})
}

func (p *Provider) decline(w http.ResponseWriter, r *http.Request, v visit) {
	if v.device != nil {
		p.mu.Lock()
		v.device.declined = true
		p.mu.Unlock()
		p.showPage(w, r, http.StatusOK, deviceDeclinedPage(v.client.Name))
		return
	}
	p.sendBack(w, r, v, Known(p.prefix(declined.microsoft, declined.google)))
}

// sendBack tells the client what went wrong (RFC 6749 4.1.2.1).
func (p *Provider) sendBack(w http.ResponseWriter, r *http.Request, v visit, f Failure) {
	p.count(func(s *Stats) { s.Refused[f.name()]++ })
	answer := url.Values{"error": {f.Error}}
	if text := p.describe(f, r); text != "" {
		answer.Set("error_description", text)
	}
	if f.Subtype != "" {
		answer.Set("error_subcode", f.Subtype)
	}
	redirect(w, r, v, answer)
}

func redirect(w http.ResponseWriter, r *http.Request, v visit, answer url.Values) {
	address, err := url.Parse(v.redirectURI)
	if err != nil { // it was compared with registered ones
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	query := address.Query()
	for name, values := range answer {
		query[name] = values
	}
	if v.state != "" {
		query.Set("state", v.state)
	}
	address.RawQuery = query.Encode()
	http.Redirect(w, r, address.String(), http.StatusSeeOther)
}

// devicePage is where a person types the code of the device flow.
func (p *Provider) devicePage(w http.ResponseWriter, r *http.Request) {
	p.showPage(w, r, http.StatusOK, enterCodePage(r.FormValue("code"), ""))
}

// enterCode goes from the code to the consent page.
func (p *Provider) enterCode(w http.ResponseWriter, r *http.Request) {
	typed := r.PostFormValue("code")
	name := newName()
	p.mu.Lock()
	d, ok := p.deviceByCode(typed)
	var v visit
	if ok {
		v = visit{client: d.client, scopes: d.scopes, device: d}
		p.visits.put(name, v, visitLife)
	}
	p.mu.Unlock()
	if !ok {
		p.showPage(w, r, http.StatusUnprocessableEntity, enterCodePage(typed, "This code is not known, was used, or its time is over."))
		return
	}
	p.showConsent(w, r, name, v, "")
}

// showConsent shows what is asked for and by whom.
func (p *Provider) showConsent(w http.ResponseWriter, r *http.Request, name string, v visit, problem string) {
	if to, err := url.Parse(v.redirectURI); err == nil && to.Host != "" {
		look.SubmitTo(w, to.Scheme+"://"+to.Host)
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	p.showPage(w, r, status, consentPage(p.consentView(name, v, r.PostFormValue("mailbox"), problem)))
}
