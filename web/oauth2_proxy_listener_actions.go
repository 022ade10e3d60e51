package web

import (
	"context"
	"net/http"
	"strconv"

	"orbit/web/ui"
)

// want makes a handler of what people want of a listener: started, stopped, restarted.
func (s *Server) want(do func(context.Context, ...int64) error, said string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		found, err := s.pathListener(r)
		if err != nil {
			return err
		}
		if err := do(r.Context(), found.ID); err != nil {
			return err
		}
		return s.redirect(w, r, listenersPath, ui.Said("Listener "+found.Name+" is being "+said+"."))
	}
}

// wantAll does the same with all listeners.
func (s *Server) wantAll(do func(context.Context, ...int64) error, said string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := do(r.Context()); err != nil {
			return err
		}
		return s.redirect(w, r, listenersPath, ui.Said("All listeners are being "+said+"."))
	}
}

// askAll asks before all listeners are stopped or restarted.
func (s *Server) askAll(title, text, submit string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := ui.ConfirmView{Title: title, Text: text, Action: r.URL.Path, Submit: submit, Back: listenersPath}
		return s.window(w, r, http.StatusOK, ui.WindowView{Title: title, Back: v.Back}, ui.Confirm(v))
	}
}

func (s *Server) askDeleteListener(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathListener(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete listener " + found.Name + "?", Action: listenerPage(found.ID) + "/delete", Submit: "Delete listener", Danger: true,
		Text:   "Its port is closed and its sessions end. Accounts and mail programs that use " + found.Local() + " cannot connect any more.",
		Facts:  []ui.Fact{{Label: "Local", Value: found.Local()}, {Label: "Mail server", Value: found.Server()}, {Label: "Sessions now", Value: ui.Number(found.Sessions)}},
		Values: map[string]string{"version": strconv.Itoa(found.Version)}, Back: listenersPath,
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) deleteListener(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathListener(r)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(r.FormValue("version"))
	if err != nil {
		version = 0
	}
	if err := s.Proxies.Delete(r.Context(), found.ID, version); err != nil {
		return err
	}
	return s.redirect(w, r, listenersPath, ui.Said("Listener "+found.Name+" is deleted."))
}
