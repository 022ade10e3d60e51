// Package mailpage shows the mail that the sandbox has kept, and lets people script what its identity provider
// answers next. It needs no script; the HTML of a mail is shown in a frame that can do nothing.
package mailpage

import (
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/look"
	"orbit/internal/sandbox/mailbox"
)

// site is the pages.
type site struct {
	mail     *mailbox.Store
	identity *idp.Provider
}

// Handler is every page.
func Handler(mail *mailbox.Store, identity *idp.Provider) http.Handler {
	s := &site{mail: mail, identity: identity}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /mail/{id}", s.message)
	mux.HandleFunc("GET /mail/{id}/html", s.html)
	mux.HandleFunc("GET /mail/{id}/raw", s.raw)
	mux.HandleFunc("GET /provider", s.provider)
	mux.HandleFunc("POST /provider/fail", s.fail)
	mux.HandleFunc("POST /provider/recover", s.recover)
	mux.HandleFunc("POST /provider/revoke", s.revoke)
	look.Mount(mux)
	return look.Secure(http.MaxBytesHandler(mux, 64<<10))
}

// perPage bounds the list; older mail is found by its mailbox.
const perPage = 100

func (s *site) list(w http.ResponseWriter, r *http.Request) {
	chosen := r.FormValue("mailbox")
	view := listView{Chosen: chosen, Addresses: s.mail.Addresses()}
	kept := s.mail.Messages(chosen)
	view.More = max(0, len(kept)-perPage)
	for _, m := range kept[:min(len(kept), perPage)] {
		view.Mails = append(view.Mails, row(m, time.Now()))
	}
	show(w, r, http.StatusOK, listPage(view))
}

// row is a message in the list.
func row(m mailbox.Message, now time.Time) rowView {
	letter := read(m.Raw)
	return rowView{
		Href: href(m), Subject: letter.Subject, From: letter.From, Mailbox: m.Mailbox, Folder: m.Folder,
		Snippet: letter.snippet(), When: ago(m.Received, now), At: m.Received,
	}
}

func href(m mailbox.Message) string { return "/mail/" + strconv.FormatInt(m.ID, 10) }

func (s *site) message(w http.ResponseWriter, r *http.Request) {
	m, ok := s.find(w, r)
	if !ok {
		return
	}
	letter := read(m.Raw)
	show(w, r, http.StatusOK, messagePage(messageView{
		Href: href(m), Letter: letter, Mail: m, View: choose(r.FormValue("view"), letter), When: ago(m.Received, time.Now()),
	}))
}

// choose is the asked view, or else the best that the message has.
func choose(asked string, l letter) string {
	switch {
	case asked == "headers", asked == "raw", asked == "html" && l.HTML != "", asked == "text" && l.Text != "":
		return asked
	case l.HTML != "":
		return "html"
	}
	return "text"
}

// html is the message as its writer made it. The policy allows its style and inline pictures only; sandbox takes
// scripts, forms and the page's origin from it.
func (s *site) html(w http.ResponseWriter, r *http.Request) {
	m, ok := s.find(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(read(m.Raw).HTML))
}

func (s *site) raw(w http.ResponseWriter, r *http.Request) {
	m, ok := s.find(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", `attachment; filename="mail-`+strconv.FormatInt(m.ID, 10)+`.eml"`)
	_, _ = w.Write(m.Raw)
}

func (s *site) find(w http.ResponseWriter, r *http.Request) (mailbox.Message, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	m, ok := s.mail.Find(id)
	if err != nil || !ok {
		show(w, r, http.StatusNotFound, gonePage())
		return mailbox.Message{}, false
	}
	return m, true
}

func show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = page.Render(r.Context(), w)
}

// ago is a time as people say it.
func ago(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min ago"
	case d < 24*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h ago"
	}
	return at.Local().Format("2 Jan 15:04")
}
