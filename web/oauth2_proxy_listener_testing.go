package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"orbit/internal/identity"
	"orbit/internal/oauth"
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
	if v.Mailboxes, err = s.mailboxesFor(r.Context(), v.Listener); err != nil {
		return err
	}
	if !r.URL.Query().Has("address") && len(v.Mailboxes) > 0 {
		v.Address = v.Mailboxes[0]
	}
	return s.showListenerTest(w, r, http.StatusOK, v)
}

// testListener answers with the ladder that streamListenerTest fills. Without JavaScript the answer is the whole test.
func (s *Server) testListener(w http.ResponseWriter, r *http.Request) error {
	v, err := s.listenerTest(r)
	if err != nil {
		return err
	}
	if fromHTMX(r) {
		v.Trial = &proxyhost.Trial{}
		return s.showListenerTest(w, r, http.StatusOK, v)
	}
	ctx, cancel := context.WithTimeout(r.Context(), listenerTestTime)
	defer cancel()
	trial, err := s.Proxies.Test(ctx, v.Listener.ID, v.Address, nil)
	if err != nil {
		return err
	}
	return s.showListenerTest(w, r, http.StatusOK, s.tested(r, v, trial))
}

// streamListenerTest goes the way of a mail program to the mail server while somebody watches, and sends each step.
func (s *Server) streamListenerTest(w http.ResponseWriter, r *http.Request) error {
	v, err := s.listenerTest(r)
	if err != nil {
		return err
	}
	events, err := startWork(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), listenerTestTime)
	defer cancel()
	for trial, err := range s.Proxies.Watch(ctx, v.Listener.ID, v.Address) {
		if err != nil {
			v.Refused = strings.Join(s.explain(r, err).Lines, " ")
		}
		if err := events.send("ladder", page.ListenerTestLive(s.tested(r, v, trial))); err != nil {
			return nil //nolint:nilerr // the browser went away
		}
	}
	return events.done()
}

// tested is the window with a test as far as it is.
func (s *Server) tested(r *http.Request, v page.ListenerTestView, trial proxyhost.Trial) page.ListenerTestView {
	v.Trial = &trial
	if trial.Fault != nil && trial.Fault.Authorise && identity.UserFrom(r.Context()).Role.CanChange() {
		v.Authorise = authorisePath + "?" + url.Values{"address": {v.Address}}.Encode()
	}
	return v
}

func (s *Server) showListenerTest(w http.ResponseWriter, r *http.Request, status int, v page.ListenerTestView) error {
	return s.window(w, r, status, ui.WindowView{Title: "Test listener " + v.Listener.Name, Back: v.Back}, page.ListenerTest(v))
}

// listenerTest is the window for whom the request names.
func (s *Server) listenerTest(r *http.Request) (page.ListenerTestView, error) {
	found, err := s.pathListener(r)
	if err != nil {
		return page.ListenerTestView{}, err
	}
	return page.ListenerTestView{
		Listener: found.Listener, Address: oauth.Normal(r.FormValue("address")), Action: listenerPage(found.ID) + "/test", Back: listenersPath,
	}, nil
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
