package web

import (
	"errors"
	"net/http"
	"time"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// userForm is what the form of a user posts.
type userForm struct {
	Username string       `form:"username" label:"Username"`
	FullName string       `form:"full_name" label:"Full name"`
	Email    string       `form:"email" label:"E-mail"`
	Role     string       `form:"role" label:"Role"`
	Language string       `form:"language" label:"Language"`
	TimeZone string       `form:"time_zone" label:"Time zone"`
	Active   bool         `form:"active" label:"Active"`
	Password vault.Secret `form:"password" label:"Password"`
	Version  int          `form:"version"`
}

func (f userForm) user(id int64) identity.User {
	return identity.User{
		ID: id, Username: f.Username, FullName: f.FullName, Email: f.Email, Role: identity.Role(f.Role),
		Language: identity.Language(f.Language), TimeZone: f.TimeZone, Active: f.Active, Version: f.Version,
	}
}

func (s *Server) newUser(w http.ResponseWriter, r *http.Request) error {
	reader := identity.UserFrom(r.Context())
	u := identity.User{Role: identity.Operator, Language: reader.Language, TimeZone: reader.TimeZone, Active: true}
	return s.showUser(w, r, http.StatusOK, u, &ui.FormView{})
}

// editUser shows the form of a user; to somebody who may not change it, to read.
func (s *Server) editUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	return s.showUser(w, r, http.StatusOK, u, &ui.FormView{})
}

func (s *Server) createUser(w http.ResponseWriter, r *http.Request) error {
	return s.submitUser(w, r, identity.User{Active: true}, func(f userForm) (identity.User, error) {
		return s.Identity.CreateUser(r.Context(), f.user(0), f.Password)
	})
}

func (s *Server) saveUser(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathUser(r)
	if err != nil {
		return err
	}
	return s.submitUser(w, r, stored, func(f userForm) (identity.User, error) {
		return s.Identity.UpdateUser(r.Context(), f.user(stored.ID))
	})
}

// submitUser reads the form and stores it; what is wrong comes back with everything that was typed, passwords excepted.
func (s *Server) submitUser(w http.ResponseWriter, r *http.Request, stored identity.User, store func(userForm) (identity.User, error)) error {
	var f userForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	if stored.ID == 0 && f.Password.IsZero() && wrong.For("password") == "" {
		wrong.Add("password", "Enter a password. Hand it over, and ask for it to be changed at once.")
	}
	confirmErr := s.confirmOnce(w, r)
	if confirmErr != nil || len(wrong) > 0 { // nothing is stored: say all that can be said without trying
		return s.returnUser(w, r, stored, typed, together(wrong, f.user(stored.ID).Validate(), confirmErr))
	}
	saved, err := store(f)
	if err != nil {
		return s.returnUser(w, r, stored, typed, err)
	}
	return s.redirect(w, r, afterUser(r, saved), ui.Said("User "+saved.Username+" is saved."))
}

// returnUser shows the form again and says why it was not stored.
func (s *Server) returnUser(w http.ResponseWriter, r *http.Request, stored identity.User, typed form.Typed, why error) error {
	v := &ui.FormView{Typed: typed}
	var refused *problem.Refused
	switch {
	case errors.As(why, &v.Problems):
		return s.showUser(w, r, http.StatusUnprocessableEntity, stored, v)
	case errors.As(why, &refused):
		v.Refused = refused.Text
		return s.showUser(w, r, http.StatusConflict, stored, v)
	case errors.As(why, &v.Conflict):
		// The form now shows what is stored, so saving it again is a decision: it gets the stored version.
		stored, err := s.Identity.FindUser(r.Context(), stored.ID)
		if err != nil {
			return err
		}
		return s.showUser(w, r, http.StatusConflict, stored, v)
	}
	return why
}

// afterUser leads back to the list, or out for administrators who have just taken their own role away.
func afterUser(r *http.Request, saved identity.User) string {
	if reader := identity.UserFrom(r.Context()); saved.ID == reader.ID && saved.Role != reader.Role {
		return "/login"
	}
	return usersPath
}

func (s *Server) showUser(w http.ResponseWriter, r *http.Request, status int, u identity.User, v *ui.FormView) error {
	reader := identity.UserFrom(r.Context())
	title := "New user"
	v.Action, v.Submit, v.Cancel, v.Version = usersPath, "Save", usersPath, u.Version
	v.ReadOnly = !reader.Role.CanChange()
	view := page.UserView{Form: v, User: u, Zones: identity.TimeZones(), AskPassword: s.mustConfirm(r)}
	if u.ID != 0 {
		title, v.Action = u.Username, userPage(u.ID)
		if reader.Role.CanChange() {
			view.Menu = userMenu(u, reader)[1:] // without Edit: that is here
		}
		sessions, err := s.Identity.Sessions(r.Context(), u.ID)
		if err != nil {
			return err
		}
		v.Aside = page.UserFacts(userFacts(u, len(sessions), s.clock(r)))
	}
	view.Title = title
	return s.show(w, r, status, title, page.User(view))
}

func userFacts(u identity.User, sessions int, clock ui.Clock) []ui.Fact {
	signedIn := "nowhere"
	if sessions > 0 {
		signedIn = "in " + ui.Count(sessions, "browser", "browsers")
	}
	lastSignIn := "never"
	if u.LastSignIn != nil {
		lastSignIn = clock.Moment(u.LastSignIn).Exact()
	}
	changed := clock.At(u.ChangedAt).Exact()
	if u.ChangedBy != "" {
		changed += " by " + u.ChangedBy
	}
	return []ui.Fact{
		{Label: "Signed in", Value: signedIn}, {Label: "Last sign-in", Value: lastSignIn},
		{Label: "Created", Value: clock.At(u.CreatedAt).Exact()}, {Label: "Changed", Value: changed},
	}
}

// utc writes a moment for files; nothing for never.
func utc(at *time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
