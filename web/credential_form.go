package web

import (
	"context"
	"errors"
	"net/http"

	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// credentialForm is what the form of a credential posts.
type credentialForm struct {
	Name     string       `form:"name" label:"Name"`
	Username string       `form:"username" label:"Username"`
	Secret   vault.Secret `form:"secret" label:"Secret"`
	Version  int          `form:"version"`
}

// credential is what the form makes of a stored one, or of none.
func (f credentialForm) credential(id int64) credential.Credential {
	return credential.Credential{ID: id, Name: f.Name, Username: f.Username, Version: f.Version}
}

// newCredential shows an empty form.
func (s *Server) newCredential(w http.ResponseWriter, r *http.Request) error {
	return s.showCredential(w, r, http.StatusOK, credential.Credential{}, &ui.FormView{})
}

// editCredential shows a stored credential; to somebody who may not change it, to read.
func (s *Server) editCredential(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathCredential(r)
	if err != nil {
		return err
	}
	return s.showCredential(w, r, http.StatusOK, stored, &ui.FormView{})
}

// createCredential stores a new credential.
func (s *Server) createCredential(w http.ResponseWriter, r *http.Request) error {
	return s.submitCredential(w, r, credential.Credential{}, func(ctx context.Context, f credentialForm) (credential.Credential, error) {
		return s.Credentials.Create(ctx, f.Name, f.Username, f.Secret)
	})
}

// saveCredential stores a changed credential.
func (s *Server) saveCredential(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathCredential(r)
	if err != nil {
		return err
	}
	return s.submitCredential(w, r, stored, func(ctx context.Context, f credentialForm) (credential.Credential, error) {
		return s.Credentials.Update(ctx, f.credential(stored.ID), f.Secret)
	})
}

type storeCredential func(context.Context, credentialForm) (credential.Credential, error)

// submitCredential reads the form and stores it; what is wrong comes back with everything that was typed but the secret.
func (s *Server) submitCredential(w http.ResponseWriter, r *http.Request, stored credential.Credential, store storeCredential) error {
	var f credentialForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	var saved credential.Credential
	if err = s.checkCredential(w, r, stored.ID, f, wrong); err == nil {
		saved, err = store(r.Context(), f)
	}
	if err != nil {
		return s.returnCredential(w, r, stored, f, typed, err)
	}
	return s.redirect(w, r, credentialsPath, credentialSaved(stored, saved))
}

// checkCredential says all that is wrong before anything is stored. A secret that was typed asks for the password, too.
func (s *Server) checkCredential(w http.ResponseWriter, r *http.Request, id int64, f credentialForm, wrong problem.Invalid) error {
	var unconfirmed error
	if id == 0 || !f.Secret.IsZero() {
		unconfirmed = s.confirmOnce(w, r)
	}
	all, err := form.Join(wrong, together(f.credential(id).Validate(f.Secret).Err(), unconfirmed))
	if err != nil {
		return err
	}
	return all.Err()
}

// credentialSaved says what was stored, and what has to be done elsewhere because of it.
func credentialSaved(before, saved credential.Credential) ui.FlashView {
	switch {
	case before.ID == 0:
		return ui.Said("Credential " + saved.Name + " is stored. Choose it in the accounts that sign in with it.")
	case before.Username != saved.Username && len(before.UsedBy) > 0:
		return ui.Warned("Credential " + saved.Name + " now signs in as " + saved.Username + ". Open each account that uses it and enter the secret there " +
			"once; until then it cannot sign in.")
	}
	return ui.Said("Credential " + saved.Name + " is saved.")
}

// returnCredential shows the form again with what stood in the way; errors that are nobody's input go on.
func (s *Server) returnCredential(w http.ResponseWriter, r *http.Request, stored credential.Credential, f credentialForm, typed form.Typed, why error) error {
	v := &ui.FormView{Typed: typed}
	status := http.StatusConflict
	var refused *problem.Refused
	switch {
	case errors.As(why, &v.Problems):
		status = http.StatusUnprocessableEntity
	case errors.As(why, &refused):
		v.Refused = refused.Text
	case errors.As(why, &v.Conflict):
		newest, err := s.Credentials.Find(r.Context(), stored.ID)
		if err != nil {
			return err
		}
		stored = newest // saving again is a decision now
	default:
		return why
	}
	askSecretAgain(&v.Problems, f.Secret)
	return s.showCredential(w, r, status, stored, v)
}

// askSecretAgain points to a secret that was typed and is not on the page any more: saving what is left of the form
// would keep the old one without a word.
func askSecretAgain(wrong *problem.Invalid, typed vault.Secret) {
	if !typed.IsZero() && wrong.For("secret") == "" {
		wrong.Add("secret", "Enter the secret once more: the page does not keep it.")
	}
}

func (s *Server) showCredential(w http.ResponseWriter, r *http.Request, status int, c credential.Credential, v *ui.FormView) error {
	v.Action, v.Submit, v.Cancel, v.Version = credentialsPath, "Save", credentialsPath, c.Version
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	view := page.CredentialView{Form: v, Credential: c, Clock: s.clock(r), AskPassword: s.mustConfirm(r)}
	if c.ID != 0 {
		places, err := s.Credentials.Places(r.Context(), c.ID)
		if err != nil {
			return err
		}
		v.Action, v.Aside, view.Places = credentialPage(c.ID), page.CredentialFacts(c, view.Clock), places
	}
	return s.show(w, r, status, view.Title(), page.Credential(view))
}

// pathCredential is the credential that the path names.
func (s *Server) pathCredential(r *http.Request) (credential.Credential, error) {
	id, err := pathID(r)
	if err != nil {
		return credential.Credential{}, err
	}
	return s.Credentials.Find(r.Context(), id)
}
