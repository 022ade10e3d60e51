package web

import (
	"errors"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/ui"
)

// Whoever changes secrets, users or the default account has typed the password within the last five minutes. A form
// that may need it shows the field current_password while mustConfirm says so, and its handler calls confirmOnce. An
// action without a form is wrapped in confirmed, which asks in between.

// mustConfirm reports whether the password has to be typed again before something important is changed.
func (s *Server) mustConfirm(r *http.Request) bool {
	return !identity.Confirmed(identity.SessionFrom(r.Context()), s.Clock())
}

// confirm checks the password of whoever is signed in, and gives the session a new key.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request, password vault.Secret) error {
	session, err := s.Identity.ConfirmPassword(r.Context(), identity.SessionFrom(r.Context()), password)
	if err != nil {
		return err
	}
	if err := s.sessions.Begin(w, r, session); err != nil {
		return err
	}
	*r = *r.WithContext(identity.WithSession(r.Context(), session)) // what follows must know the new key
	return nil
}

// confirmOnce reads current_password from the form if it must be asked at all. A missing or wrong password is a problem
// of the field.
func (s *Server) confirmOnce(w http.ResponseWriter, r *http.Request) error {
	if !s.mustConfirm(r) {
		return nil
	}
	var in struct {
		Password vault.Secret `form:"current_password"`
	}
	if _, _, err := form.Read(r, &in); err != nil {
		return err
	}
	if in.Password.IsZero() {
		return problem.Invalid{{Name: ui.CurrentPassword, Text: "Enter your own password: you typed it last more than five minutes ago."}}
	}
	return s.confirm(w, r, in.Password)
}

// confirmed asks for the password, when it must, before h runs.
func (s *Server) confirmed(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := s.confirmOnce(w, r)
		if err == nil {
			return h(w, r)
		}
		var wrong problem.Invalid
		var refused *problem.Refused
		if errors.As(err, &wrong) || errors.As(err, &refused) {
			return s.askPassword(w, r, err)
		}
		return err
	}
}

// askPassword shows the question; the answer posts what was posted before, together with the password.
func (s *Server) askPassword(w http.ResponseWriter, r *http.Request, why error) error {
	v := ui.ConfirmView{
		Text:   "This changes who may do what, or a secret. Enter your password to go on.",
		Action: r.URL.Path, Submit: "Go on", Back: back(r), Password: true, Values: carried(r.PostForm),
		WholePage: !fromHTMX(r),
	}
	if r.PostForm.Get(ui.CurrentPassword) != "" {
		errors.As(why, &v.Problems)
	}
	if refused := (*problem.Refused)(nil); errors.As(why, &refused) {
		v.Refused = refused.Text
	}
	return s.window(w, r, http.StatusUnprocessableEntity, ui.WindowView{Title: "Confirm that it is you", Back: v.Back}, ui.Confirm(v))
}

// together makes one answer of what several checks found wrong. An error that is no problem of a field comes first.
func together(checks ...error) error {
	var all problem.Invalid
	for _, err := range checks {
		var wrong problem.Invalid
		if err != nil && !errors.As(err, &wrong) {
			return err
		}
		all = append(all, wrong...)
	}
	return all.Err()
}

// asProblem turns a refusal into a problem of the whole form, for forms that have no other place for it.
func asProblem(err error) error {
	var refused *problem.Refused
	if errors.As(err, &refused) {
		return problem.Invalid{{Text: refused.Text}}
	}
	return err
}
