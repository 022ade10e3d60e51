package web

import (
	"errors"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const profilePath = "/profile"

// showProfile is everybody's own page: name, language, time zone, password, and where they are signed in.
func (s *Server) showProfile(w http.ResponseWriter, r *http.Request) error {
	return s.landProfile(w, r, http.StatusOK, &ui.FormView{}, &ui.FormView{})
}

// saveProfile changes what people may change about themselves; there is nothing in it that others must allow.
func (s *Server) saveProfile(w http.ResponseWriter, r *http.Request) error {
	var f struct {
		FullName string `form:"full_name" label:"Full name"`
		Email    string `form:"email" label:"E-mail"`
		Language string `form:"language" label:"Language"`
		TimeZone string `form:"time_zone" label:"Time zone"`
		Version  int    `form:"version"`
	}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	if err = wrong.Err(); err == nil {
		_, err = s.Identity.SaveProfile(r.Context(), identity.User{
			ID: identity.UserFrom(r.Context()).ID, FullName: f.FullName, Email: f.Email,
			Language: identity.Language(f.Language), TimeZone: f.TimeZone, Version: f.Version,
		})
	}
	v := &ui.FormView{Typed: typed}
	switch {
	case err == nil:
		return s.redirect(w, r, profilePath, ui.Said("Your profile is saved."))
	case errors.As(err, &v.Conflict):
		return s.landProfile(w, r, http.StatusConflict, v, &ui.FormView{})
	case errors.As(err, &v.Problems):
		return s.landProfile(w, r, http.StatusUnprocessableEntity, v, &ui.FormView{})
	}
	return err
}

// changePassword ends all other sessions: whoever knew the old password is out.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	var f struct {
		Current vault.Secret `form:"current_password" label:"Present password"`
		Wanted  vault.Secret `form:"new_password" label:"New password"`
	}
	_, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	session := identity.SessionFrom(r.Context())
	if err = wrong.Err(); err == nil {
		session, err = s.Identity.ChangePassword(r.Context(), session, f.Current, f.Wanted)
	}
	if v := (&ui.FormView{}); errors.As(asProblem(err), &v.Problems) {
		return s.landProfile(w, r, http.StatusUnprocessableEntity, &ui.FormView{}, v)
	}
	if err == nil {
		err = s.sessions.Begin(w, r, session)
	}
	if err != nil {
		return err
	}
	return s.redirect(w, r, profilePath, ui.Said("Your password is changed. All other browsers are signed out."))
}

func (s *Server) landProfile(w http.ResponseWriter, r *http.Request, status int, profile, password *ui.FormView) error {
	session := identity.SessionFrom(r.Context())
	user, err := s.Identity.FindUser(r.Context(), session.User.ID)
	if err != nil {
		return err
	}
	sessions, err := s.Identity.Sessions(r.Context(), user.ID)
	if err != nil {
		return err
	}
	profile.ID, profile.Action, profile.Submit, profile.Version = "profile", profilePath, "Save", user.Version
	password.ID, password.Action, password.Submit = "password", profilePath+"/password", "Change password"
	return s.show(w, r, status, "Your profile", page.Profile(page.ProfileView{
		User: user, Profile: profile, Password: password, Zones: identity.TimeZones(),
		Sessions: sessions, Here: session.ID, Clock: s.clock(r), Path: profilePath,
	}))
}

// endOwnSession signs one other browser out.
func (s *Server) endOwnSession(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	err = s.Identity.SignOutOf(r.Context(), identity.UserFrom(r.Context()), id)
	if err != nil && !errors.Is(err, problem.ErrNotFound) { // already ended: that is what was wanted
		return err
	}
	return s.redirect(w, r, profilePath, ui.Said("That browser is signed out."))
}

// signOutEverywhere ends this session too.
func (s *Server) signOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Identity.SignOutEverywhere(r.Context(), identity.UserFrom(r.Context())); err != nil {
		return err
	}
	s.sessions.Forget(w)
	return s.redirect(w, r, "/login", ui.Said("You are signed out in every browser."))
}
