package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"orbit/internal/identity"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
	"orbit/web/page"
	"orbit/web/ui"
)

// listenerTestTime bounds a test that a person waits for.
const listenerTestTime = 50 * time.Second

// askTestListener shows the window in which a listener is tested.
func (s *Server) askTestListener(w http.ResponseWriter, r *http.Request) error {
	v, err := s.listenerTest(r)
	if err != nil {
		return err
	}
	if len(v.Mailboxes) > 0 {
		v.Address = v.Mailboxes[0]
	}
	return s.showListenerTest(w, r, http.StatusOK, v)
}

// testListener goes the way of a mail program to the mail server, and shows each step.
func (s *Server) testListener(w http.ResponseWriter, r *http.Request) error {
	v, err := s.listenerTest(r)
	if err != nil {
		return err
	}
	v.Address = oauth.Normal(r.FormValue("address"))
	ctx, cancel := context.WithTimeout(r.Context(), listenerTestTime)
	defer cancel()
	trial, err := s.Proxies.Test(ctx, v.Listener.ID, v.Address, nil)
	var wrong problem.Invalid
	if errors.As(err, &wrong) {
		v.Form.Problems = wrong
		return s.showListenerTest(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	v.Trial = &trial
	if trial.Fault != nil && trial.Fault.Authorise && identity.UserFrom(r.Context()).Role.CanChange() {
		v.Authorise = authorisePath + "?" + url.Values{"address": {v.Address}}.Encode()
	}
	return s.showListenerTest(w, r, http.StatusOK, v)
}

func (s *Server) showListenerTest(w http.ResponseWriter, r *http.Request, status int, v page.ListenerTestView) error {
	return s.window(w, r, status, ui.WindowView{Title: "Test listener " + v.Listener.Name, Back: v.Back}, page.ListenerTest(v))
}

// listenerTest is the window before anything was chosen.
func (s *Server) listenerTest(r *http.Request) (page.ListenerTestView, error) {
	found, err := s.pathListener(r)
	if err != nil {
		return page.ListenerTestView{}, err
	}
	v := page.ListenerTestView{
		Listener: found.Listener, Form: &ui.FormView{ID: "listener-test"}, Action: listenerPage(found.ID) + "/test", Back: listenersPath,
	}
	v.Mailboxes, err = s.mailboxesFor(r.Context(), found.Listener)
	return v, err
}

// mailboxesFor are those with a grant for the listener, the active ones first, and those that want none.
func (s *Server) mailboxesFor(ctx context.Context, l proxyhost.Listener) ([]string, error) {
	grants, err := s.OAuth.Grants(ctx, 0)
	if err != nil {
		return nil, err
	}
	all, err := s.withUngranted(ctx, grants)
	if err != nil {
		return nil, err
	}
	registrations, err := s.patterns(ctx)
	if err != nil {
		return nil, err
	}
	var active, others []string
	for _, g := range all {
		only := registrations[g.RegistrationID].ProxyListenerID
		switch {
		case only != 0 && only != l.ID:
		case g.State == oauth.Active:
			active = append(active, g.Address)
		default:
			others = append(others, g.Address)
		}
	}
	return append(active, others...), nil
}
