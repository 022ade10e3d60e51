package web

import (
	"errors"
	"net/http"

	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const invitationPath = "/invitation"

// showInvitation asks somebody who was invited to choose a password.
func (s *Server) showInvitation(w http.ResponseWriter, r *http.Request) error {
	return s.landInvitation(w, r, http.StatusOK, &ui.FormView{})
}

func (s *Server) landInvitation(w http.ResponseWriter, r *http.Request, status int, v *ui.FormView) error {
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the token
	user, err := s.Identity.Invited(r.Context(), pathToken(r))
	if errors.Is(err, problem.ErrNotFound) {
		return s.land(w, r, http.StatusNotFound, ui.LandingView{
			Title: "This invitation can't be used", Tone: ui.Warning,
			About: "It was used already, has expired, or a newer one was sent. Ask an administrator of Orbit for a new one, or sign in if you have chosen a password.",
		}, page.LandingLink(ui.Link{Label: "Sign in", Href: "/login"}))
	}
	if err != nil {
		return err
	}
	v.Action, v.Submit, v.Quiet = r.URL.Path, "Set password and sign in", true
	frame := ui.LandingView{Title: "Welcome, " + user.DisplayName(), About: "Choose a password to sign in with. Your username is " + user.Username + "."}
	return s.land(w, r, status, frame, page.Invitation(page.InvitationView{Form: v, Username: user.Username}))
}

func (s *Server) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Password vault.Secret `form:"password" label:"Password"`
	}
	_, wrong, err := form.Read(r, &in)
	if err != nil {
		return err
	}
	if in.Password.IsZero() {
		wrong.Add("password", "Choose a password.")
	}
	if len(wrong) > 0 {
		return s.landInvitation(w, r, http.StatusUnprocessableEntity, &ui.FormView{Problems: wrong})
	}
	session, err := s.Identity.AcceptInvitation(r.Context(), pathToken(r), in.Password, visitor(r))
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return s.landInvitation(w, r, http.StatusNotFound, &ui.FormView{})
	case err != nil:
		if v := returned(nil, err); v != nil {
			return s.landInvitation(w, r, http.StatusUnprocessableEntity, v)
		}
		return err
	}
	if err := s.sessions.Begin(w, r, session); err != nil {
		return err
	}
	return s.redirect(w, r, approvalsPath, ui.Said("Welcome. Your password is set."))
}

// inviteUser sends somebody a link to choose a password.
func (s *Server) inviteUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	if err := s.Identity.Invite(r.Context(), u.ID); err != nil {
		return err
	}
	return s.redirect(w, r, usersPath, ui.Said("A link to choose a password is on its way to "+u.Email+". It can be used for 7 days."))
}
