package web

import (
	"errors"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// A secret is rotated in three steps on one page: add the new one, prove it at the provider, switch. The one before stays
// in the other slot, so that switching again rolls back.

func (s *Server) showSecret(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	return s.secretPage(w, r, http.StatusOK, newSecretView(found))
}

func newSecretView(found oauth.Registration) page.SecretView {
	v := page.SecretView{Form: &ui.FormView{}, Registration: found, Kind: page.ProofSecret}
	if active, ok := found.Active(); ok && active.Kind == oauth.ClientCertificate {
		v.Kind = page.ProofCertificate
	}
	if found.EffectiveFlow() == oauth.ServiceAccount {
		v.Kind = page.ProofServiceAccount
	}
	return v
}

func (s *Server) secretPage(w http.ResponseWriter, r *http.Request, status int, v page.SecretView) error {
	v.Clock, v.AskPassword = s.clock(r), s.mustConfirm(r)
	v.Form.Action, v.Form.Submit, v.Form.Cancel = page.RegistrationPath(v.Registration.ID)+"/secret", "Add", proxyPath
	v.Form.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	return s.show(w, r, status, v.Title(), page.Secret(v))
}

// addSecret fills the slot that is not in use.
func (s *Server) addSecret(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	var f registrationForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	f.Settings, f.Preset = found.Settings, "other" // only the secret of this form counts
	change, more := f.change()
	if err = together(wrong.Err(), more.Err(), asProblem(s.confirmOnce(w, r))); err == nil {
		_, err = s.OAuth.AddSecret(r.Context(), found.ID, change.Secret)
	}
	if err == nil {
		return s.redirect(w, r, r.URL.Path, ui.Said("The new secret is stored beside the one in use. Prove it at the provider, then switch to it."))
	}
	v := newSecretView(found)
	v.Form.Typed, v.Kind, v.ExpiresOn = typed, f.SecretKind, f.ExpiresOn
	if !errors.As(err, &v.Form.Problems) {
		return err
	}
	f.askAgain(v.Form)
	return s.secretPage(w, r, http.StatusUnprocessableEntity, v)
}

// proveSecret shows what the token endpoint says about the second slot.
func (s *Server) proveSecret(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	proof, err := s.OAuth.ProveSecret(r.Context(), found.ID)
	if err != nil {
		return err
	}
	if found, err = s.OAuth.Find(r.Context(), found.ID); err != nil {
		return err
	}
	v := newSecretView(found)
	v.Proof = &proof
	return s.secretPage(w, r, http.StatusOK, v)
}

// switchSecret makes the other secret the one in use. Going back to the one before needs no proof: it was in use.
func (s *Server) switchSecret(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	accepted := page.RollsBack(found) || r.FormValue("accept_unproven") == "yes"
	if _, err := s.OAuth.SwitchSecret(r.Context(), found.ID, accepted); err != nil {
		return err
	}
	return s.redirect(w, r, page.RegistrationPath(found.ID)+"/secret", ui.Said("Switched. The one before stays in the second slot until you remove it."))
}

func (s *Server) removeSecret(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	stored, err := s.OAuth.Find(r.Context(), id)
	if err != nil {
		return err
	}
	if _, waiting := stored.Candidate(); !waiting {
		return problem.Refuse("The second slot of %s is empty already.", stored.Pattern)
	}
	if _, err := s.OAuth.RemoveSecret(r.Context(), id); err != nil {
		return err
	}
	return s.redirect(w, r, page.RegistrationPath(id)+"/secret", ui.Said("The second slot is empty."))
}
