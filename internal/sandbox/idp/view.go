package idp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

func (p *Provider) showPage(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = page.Render(r.Context(), w)
}

// showRefusal tells the person, because it is not certain where to send them back.
func (p *Provider) showRefusal(w http.ResponseWriter, r *http.Request, err error) {
	var no *refusal
	if !errors.As(err, &no) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.showFailure(w, r, Known(p.prefix(no.reason.microsoft, no.reason.google)), no.words...)
}

func (p *Provider) showFailure(w http.ResponseWriter, r *http.Request, f Failure, words ...string) {
	p.count(func(s *Stats) { s.Refused[f.name()]++ })
	p.showPage(w, r, http.StatusBadRequest, failurePage(f.Error, p.describe(f, r, words...)))
}

// frontPage says what this is.
func (p *Provider) frontPage(w http.ResponseWriter, r *http.Request) {
	p.showPage(w, r, http.StatusOK, front(p.Endpoints(), p.o.Clients))
}

// consentView is the consent page with its words.
type consentView struct {
	Visit     string
	App       string
	To        string // host that the browser returns to
	Asks      []ask
	Mailboxes []face
	Expected  string // mailbox that the client expects and that does not exist here
	Problem   string
	Action    string
}

type ask struct{ Words, Resource, Permission string }

type face struct {
	Name, Address, Letter string
	Chosen                bool
}

func (p *Provider) consentView(name string, v visit, chosen, problem string) consentView {
	view := consentView{
		Visit: name, App: v.client.Name, Asks: asks(v.scopes), Problem: problem, Action: "/" + Tenant + "/oauth2/v2.0/consent",
	}
	if to, err := url.Parse(v.redirectURI); err == nil {
		view.To = to.Host
	}
	if chosen == "" {
		chosen = v.hint
	}
	for _, m := range p.o.Mailboxes {
		view.Mailboxes = append(view.Mailboxes, face{
			Name: m.Name, Address: m.Address, Letter: strings.ToUpper(m.Address[:1]), Chosen: strings.EqualFold(m.Address, chosen),
		})
	}
	if !slices.ContainsFunc(view.Mailboxes, func(f face) bool { return f.Chosen }) {
		view.Expected = v.hint
	}
	return view
}

// meanings are the permissions in words, in the order in which they are shown.
var meanings = []struct{ permission, words string }{
	{rights[SMTP].person, "Send mail as you"},
	{rights[IMAP].person, "Read and change your mail (IMAP)"},
	{rights[POP3].person, "Read and change your mail (POP3)"},
	{googleMail, "Read, compose, send and delete all your mail"},
	{"openid", "See who you are"},
	{"offline_access", "Keep this access until you take it back"},
}

func asks(scopes []string) []ask {
	var list []ask
	for _, m := range meanings {
		for _, scope := range scopes {
			if scope == m.permission || lastPart(scope) == m.permission {
				permission := lastPart(scope)
				list = append(list, ask{m.words, strings.TrimSuffix(scope, permission), permission})
			}
		}
	}
	return list
}
