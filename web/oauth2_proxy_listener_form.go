package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// listenerForm is what the form of a listener posts.
type listenerForm struct {
	proxyhost.Settings
	Version int `form:"version"`
}

// listenerFills is what choosing a protocol fills in (static/js/fill.js).
var listenerFills = func() string {
	text, err := json.Marshal(map[string]map[string]string{
		"imap": {"local_port": "2993", "server_port": "993", "server_security": "ssl"},
		"smtp": {"local_port": "2465", "server_port": "587", "server_security": "tls"},
		"pop3": {"local_port": "2995", "server_port": "995", "server_security": "ssl"},
	})
	if err != nil {
		panic(err) // a map of texts always encodes
	}
	return string(text)
}()

func (s *Server) newListener(w http.ResponseWriter, r *http.Request) error {
	return s.showListener(w, r, http.StatusOK, proxyhost.Status{}, listenerForm{Settings: proxyhost.NewSettings()}, &ui.FormView{})
}

func (s *Server) editListener(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathListener(r)
	if err != nil {
		return err
	}
	return s.showListener(w, r, http.StatusOK, stored, listenerForm{Settings: stored.Settings, Version: stored.Version}, &ui.FormView{})
}

func (s *Server) createListener(w http.ResponseWriter, r *http.Request) error {
	return s.submitListener(w, r, proxyhost.Status{}, s.Proxies.Create)
}

func (s *Server) saveListener(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathListener(r)
	if err != nil {
		return err
	}
	return s.submitListener(w, r, stored, func(ctx context.Context, c proxyhost.Change) (proxyhost.Listener, error) {
		return s.Proxies.Save(ctx, stored.ID, c)
	})
}

type storeListener func(context.Context, proxyhost.Change) (proxyhost.Listener, error)

func (s *Server) submitListener(w http.ResponseWriter, r *http.Request, stored proxyhost.Status, store storeListener) error {
	f := listenerForm{Settings: proxyhost.NewSettings()}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	wrong, _ = form.Join(wrong, f.Normalise().Validate().Err())
	var saved proxyhost.Listener
	if err = together(wrong.Err(), asProblem(s.confirmOnce(w, r))); err == nil {
		saved, err = store(r.Context(), proxyhost.Change{Settings: f.Settings, Version: f.Version})
	}
	if err != nil {
		return s.returnListener(w, r, stored, f, typed, err)
	}
	return s.redirect(w, r, listenersPath, listenerSaid(saved))
}

// listenerSaid adds what deserves a thought.
func listenerSaid(saved proxyhost.Listener) ui.FlashView {
	v := ui.Said("Listener " + saved.Name + " is saved. It follows within a second.")
	for _, warning := range saved.Warnings() {
		v.Tone = ui.Warning
		v.Text += " " + warning.Text
	}
	return v
}

func (s *Server) returnListener(w http.ResponseWriter, r *http.Request, stored proxyhost.Status, f listenerForm, typed form.Typed, why error) error {
	v := &ui.FormView{Typed: typed}
	status := http.StatusConflict
	var refused *problem.Refused
	switch {
	case errors.As(why, &v.Problems):
		status = http.StatusUnprocessableEntity
	case errors.As(why, &refused):
		v.Refused = refused.Text
	case errors.As(why, &v.Conflict):
		newest, err := s.Proxies.Find(r.Context(), stored.ID)
		if err != nil {
			return err
		}
		f.Version = newest.Version // saving again is a decision now
	default:
		return why
	}
	return s.showListener(w, r, status, stored, f, v)
}

func (s *Server) showListener(w http.ResponseWriter, r *http.Request, status int, stored proxyhost.Status, f listenerForm, v *ui.FormView) error {
	connectors, err := s.connectorOptions(r.Context())
	if err != nil {
		return err
	}
	view := page.ListenerFormView{
		Form: v, Listener: stored, Values: f.Settings, Connectors: connectors, Fills: listenerFills, AskPassword: s.mustConfirm(r), Clock: s.clock(r),
	}
	v.Action, v.Submit, v.Cancel, v.Version = listenersPath, "Save", listenersPath, f.Version
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	if stored.ID != 0 {
		v.Action, v.Aside = listenerPage(stored.ID), page.ListenerNow(stored, view.Clock)
	}
	return s.show(w, r, status, view.Title(), page.ListenerForm(view))
}

// pathListener is the listener that the path names, with what the processes do with it.
func (s *Server) pathListener(r *http.Request) (proxyhost.Status, error) {
	id, err := pathID(r)
	if err != nil {
		return proxyhost.Status{}, err
	}
	all, err := s.Proxies.Statuses(r.Context())
	if err != nil {
		return proxyhost.Status{}, err
	}
	for _, l := range all {
		if l.ID == id {
			return l, nil
		}
	}
	return proxyhost.Status{}, problem.ErrNotFound
}
