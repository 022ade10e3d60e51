package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// showSignIn is the door. Before there is an administrator it leads to the set-up page.
func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request) error {
	if identity.SessionFrom(r.Context()).SignedIn() {
		return s.redirect(w, r, nextPage(r), ui.FlashView{})
	}
	needed, err := s.Identity.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	if needed {
		return s.redirect(w, r, "/setup", ui.FlashView{})
	}
	return s.landSignIn(w, r, http.StatusOK, &ui.FormView{})
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Username string       `form:"username"`
		Password vault.Secret `form:"password"`
	}
	typed, wrong, err := form.Read(r, &in)
	if err != nil {
		return err
	}
	if in.Username == "" {
		wrong.Add("username", "Enter your username.")
	}
	if in.Password.IsZero() {
		wrong.Add("password", "Enter your password.")
	}
	if len(wrong) > 0 {
		return s.landSignIn(w, r, http.StatusUnprocessableEntity, &ui.FormView{Typed: typed, Problems: wrong})
	}
	session, err := s.Identity.SignIn(r.Context(), identity.Attempt{
		Username: in.Username, Password: in.Password, Visitor: visitor(r), Previous: identity.SessionFrom(r.Context()),
	})
	if err != nil {
		return s.refuseSignIn(w, r, typed, err)
	}
	if err := s.sessions.Begin(w, r, session); err != nil {
		return err
	}
	return s.redirect(w, r, nextPage(r), ui.FlashView{})
}

// refuseSignIn says why nobody was signed in, in one sentence above the form.
func (s *Server) refuseSignIn(w http.ResponseWriter, r *http.Request, typed form.Typed, err error) error {
	status, text := refusal(w, err)
	if text == "" {
		return err
	}
	return s.landSignIn(w, r, status, &ui.FormView{Typed: typed, Refused: text})
}

// refusal is the status and the sentence for a password that was not accepted; no sentence for any other error.
func refusal(w http.ResponseWriter, err error) (status int, text string) {
	var (
		wait    *identity.Throttled
		wrong   problem.Invalid
		refused *problem.Refused
	)
	switch {
	case errors.As(err, &wait):
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Wait.Seconds()))))
		return http.StatusTooManyRequests, wait.Error()
	case errors.As(err, &wrong):
		return http.StatusUnprocessableEntity, wrong[0].Text
	case errors.As(err, &refused):
		return http.StatusConflict, refused.Text
	}
	return 0, ""
}

func (s *Server) landSignIn(w http.ResponseWriter, r *http.Request, status int, v *ui.FormView) error {
	v.Action, v.Submit, v.Quiet = "/login", "Sign in", true
	frame := ui.LandingView{Title: "Sign in", Help: "No password, or forgotten it? An administrator of Orbit sets a new one for you."}
	return s.land(w, r, status, frame, page.SignIn(page.SignInView{Form: v, Next: nextPage(r)}))
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if session := identity.SessionFrom(r.Context()); session.SignedIn() {
		if err := s.Identity.SignOut(r.Context(), session); err != nil {
			return err
		}
	}
	s.sessions.Forget(w)
	return s.redirect(w, r, "/login", ui.Said("You are signed out."))
}
