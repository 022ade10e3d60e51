package web

import (
	"net/http"
	"strconv"

	"orbit/internal/credential"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// askCredentialSecret is the window that takes another secret for a credential.
func (s *Server) askCredentialSecret(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathCredential(r)
	if err != nil {
		return err
	}
	return s.showCredentialSecret(w, r, http.StatusOK, stored, nil)
}

func (s *Server) showCredentialSecret(w http.ResponseWriter, r *http.Request, status int, c credential.Credential, wrong problem.Invalid) error {
	v := page.CredentialSecretView{
		Credential: c, Action: credentialPage(c.ID) + "/secret", Back: credentialsPath, AskPassword: s.mustConfirm(r), Problems: wrong,
	}
	return s.window(w, r, status, ui.WindowView{Title: "Replace secret of " + c.Name, Back: v.Back}, page.CredentialSecret(v))
}

// replaceCredentialSecret stores another secret for every destination that had the old one.
func (s *Server) replaceCredentialSecret(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathCredential(r)
	if err != nil {
		return err
	}
	var in struct {
		Secret  vault.Secret `form:"secret" label:"Secret"`
		Version int          `form:"version"`
	}
	_, wrong, err := form.Read(r, &in)
	if err != nil {
		return err
	}
	if in.Secret.IsZero() && wrong.For("secret") == "" {
		wrong.Add("secret", "Enter the new secret.")
	}
	err = together(wrong.Err(), asProblem(s.confirmOnce(w, r)))
	if err == nil {
		_, err = s.Credentials.ReplaceSecret(r.Context(), stored.ID, in.Version, in.Secret)
	}
	if err == nil {
		return s.redirect(w, r, credentialsPath, ui.Said("The secret of "+stored.Name+" is replaced. Test an account that uses it."))
	}
	all, err := form.Join(nil, err)
	if err != nil {
		return err
	}
	askSecretAgain(&all, in.Secret)
	return s.showCredentialSecret(w, r, http.StatusUnprocessableEntity, stored, all)
}

// askDeleteCredential names the consequence, or why it cannot be deleted.
func (s *Server) askDeleteCredential(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathCredential(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete credential " + c.Name + "?", Action: credentialPage(c.ID) + "/delete", Submit: "Delete credential", Danger: true,
		Text:  "The secret is destroyed and cannot be shown or restored by anybody. Nothing uses this credential.",
		Facts: []ui.Fact{{Label: "Username", Value: c.Username}}, Values: map[string]string{"version": strconv.Itoa(c.Version)},
		Back: credentialsPath, Password: s.mustConfirm(r),
	}
	if why, refused := c.Undeletable(); refused {
		v.Text, v.Refused, v.Password = "This credential is in use.", why, false
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

// deleteCredential removes a credential that nothing uses.
func (s *Server) deleteCredential(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathCredential(r)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(r.FormValue("version"))
	if err != nil {
		return form.ErrMalformed
	}
	if err := s.Credentials.Delete(r.Context(), c.ID, version); err != nil {
		return err
	}
	return s.redirect(w, r, credentialsPath, ui.Said("Credential "+c.Name+" is deleted."))
}
