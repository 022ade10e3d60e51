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

// setUpForm is what the first administrator fills in.
type setUpForm struct {
	Code     vault.Secret `form:"code"`
	Username string       `form:"username" label:"Username"`
	FullName string       `form:"full_name" label:"Full name"`
	Email    string       `form:"email" label:"E-mail"`
	Password vault.Secret `form:"password"`
	TimeZone string       `form:"time_zone" label:"Time zone"`
}

// withSetUp answers h only while there is no administrator; afterwards the set-up page is gone.
func (s *Server) withSetUp(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		needed, err := s.Identity.NeedsSetup(r.Context())
		if err != nil {
			return err
		}
		if !needed {
			return s.redirect(w, r, "/login", ui.FlashView{})
		}
		return h(w, r)
	}
}

// showSetUp takes the code from the address too, so that the line in the log can be followed with one click.
func (s *Server) showSetUp(w http.ResponseWriter, r *http.Request) error {
	return s.landSetUp(w, r, http.StatusOK, &ui.FormView{Typed: form.Typed{"code": r.URL.Query().Get("code")}})
}

func (s *Server) setUp(w http.ResponseWriter, r *http.Request) error {
	var in setUpForm
	typed, converted, err := form.Read(r, &in)
	if err != nil {
		return err
	}
	typed["code"] = r.PostForm.Get("code") // worthless without what stands beside it, and tedious to type
	if len(converted) > 0 {
		return s.landSetUp(w, r, http.StatusUnprocessableEntity, &ui.FormView{Typed: typed, Problems: converted})
	}
	session, err := s.Identity.SetUp(r.Context(), identity.FirstAdministrator{
		Code: in.Code, Password: in.Password, Visitor: visitor(r),
		User: identity.User{Username: in.Username, FullName: in.FullName, Email: in.Email, TimeZone: in.TimeZone},
	})
	if err != nil {
		return s.refuseSetUp(w, r, typed, err)
	}
	if err := s.sessions.Begin(w, r, session); err != nil {
		return err
	}
	return s.redirect(w, r, "/", ui.Said("Welcome. You are the first administrator; add others under Settings, Users."))
}

func (s *Server) refuseSetUp(w http.ResponseWriter, r *http.Request, typed form.Typed, err error) error {
	v := &ui.FormView{Typed: typed}
	if wrong := (problem.Invalid)(nil); errors.As(err, &wrong) {
		v.Problems = wrong
		return s.landSetUp(w, r, http.StatusUnprocessableEntity, v)
	}
	status, text := refusal(w, err)
	if text == "" {
		return err
	}
	v.Refused = text
	return s.landSetUp(w, r, status, v)
}

func (s *Server) landSetUp(w http.ResponseWriter, r *http.Request, status int, v *ui.FormView) error {
	v.Action, v.Submit, v.Quiet = "/setup", "Create administrator", true
	frame := ui.LandingView{Title: "Set up Orbit", About: "Create the first administrator. This page disappears afterwards.", Wide: true}
	return s.land(w, r, status, frame, page.SetUp(page.SetUpView{Form: v, Zones: identity.TimeZones()}))
}
