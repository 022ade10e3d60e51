package web

import (
	"net/http"
	"net/url"
	"strings"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/web/page"
	"orbit/web/ui"
)

// showFailure answers with a failure where the person is: in the window, in the frame, or alone.
func (s *Server) showFailure(w http.ResponseWriter, r *http.Request, v page.FailureView) error {
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case fromHTMX(r):
		// htmx shows nothing of a 5xx; the page was found out, so it is told in words.
		return s.window(w, r, htmxStatus(v.Status), ui.WindowView{Title: v.Title}, page.FailureText(v))
	case identity.SessionFrom(r.Context()).SignedIn():
		return s.show(w, r, v.Status, v.Title, page.Failure(v))
	}
	return s.land(w, r, v.Status, ui.LandingView{Title: v.Title, Tone: ui.Bad}, page.FailureText(v))
}

// htmxStatus keeps the statuses that htmx swaps into the page.
func htmxStatus(status int) int {
	if status == http.StatusConflict {
		return status
	}
	return http.StatusUnprocessableEntity
}

// askAgain asks whether a consequence is wanted, and sends the same form with the answer.
func (s *Server) askAgain(w http.ResponseWriter, r *http.Request, c problem.Confirm) error {
	values := carried(r.PostForm)
	values[c.Name] = "yes"
	v := ui.ConfirmView{Text: c.Text, Action: r.URL.Path, Submit: "Do it", Values: values, Back: back(r)}
	return s.window(w, r, http.StatusConflict, ui.WindowView{Title: "This has a consequence", Back: v.Back}, ui.Confirm(v))
}

// carried is what was posted, for a page that asks something in between and then posts it again. What is secret does
// not travel through a page: an action that takes a secret asks with a form of its own.
func carried(posted url.Values) map[string]string {
	values := map[string]string{}
	for name := range posted {
		if !strings.Contains(name, "password") && !strings.Contains(name, "secret") {
			values[name] = posted.Get(name)
		}
	}
	return values
}

// back is the page from which the request came, or home.
func back(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Path == "" || from.Host != r.Host {
		return "/"
	}
	return from.RequestURI()
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) error { return problem.ErrNotFound }

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) error {
	return s.showFailure(w, r, page.FailureView{Status: http.StatusMethodNotAllowed, Title: "This address does not take that",
		Lines: []string{"Open the page again from the menu."}})
}
