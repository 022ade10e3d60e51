package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/provider"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// smtpForm is what the form of an SMTP account posts.
type smtpForm struct {
	account.SMTPSettings
	Version               int          `form:"version"`
	Secret                vault.Secret `form:"secret"`
	NewCredentialName     string       `form:"new_credential_name" label:"Name of the new credential"`
	NewCredentialUsername string       `form:"new_credential_username" label:"Username"`
	AcceptNoDefault       bool         `form:"accept_no_default"`
}

func (f smtpForm) change() account.SMTPChange {
	return account.SMTPChange{
		SMTPSettings: f.SMTPSettings, Version: f.Version, Secret: f.Secret, AcceptNoDefault: f.AcceptNoDefault,
		NewCredential: account.NewCredential{Name: f.NewCredentialName, Username: f.NewCredentialUsername},
	}
}

// newSMTP shows an empty form. Where nothing is sent for want of a default account, the new one is to be it.
func (s *Server) newSMTP(w http.ResponseWriter, r *http.Request) error {
	found, err := s.Accounts.HasDefault(r.Context())
	if err != nil {
		return err
	}
	settings := account.NewSMTPSettings()
	settings.DefaultAccount = !found
	return s.showSMTPForm(w, r, http.StatusOK, 0, smtpForm{SMTPSettings: settings}, &ui.FormView{})
}

// cloneSMTP shows a form filled in like another account.
func (s *Server) cloneSMTP(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	settings, err := s.Accounts.CloneSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	return s.showSMTPForm(w, r, http.StatusOK, 0, smtpForm{SMTPSettings: settings}, &ui.FormView{})
}

// editSMTP shows the form of a stored account.
func (s *Server) editSMTP(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	f := smtpForm{SMTPSettings: found.SMTPSettings, Version: found.Version}
	f.pin(r.URL.Query().Get("pin"))
	return s.showSMTPForm(w, r, http.StatusOK, id, f, &ui.FormView{})
}

// pin fills in the certificate that a failed test has seen. Nothing is accepted before the form is sent, and a
// credential's secret is asked for then: another certificate is another destination.
func (f *smtpForm) pin(fingerprint string) {
	if fingerprint != "" {
		f.IgnoreCertificateError, f.CertificateRule, f.CertificateFingerprint = false, dial.Pin, fingerprint
	}
}

// createSMTP stores a new account.
func (s *Server) createSMTP(w http.ResponseWriter, r *http.Request) error {
	return s.submitSMTP(w, r, 0, account.NewSMTPSettings(), func(ctx context.Context, c account.SMTPChange) (account.SMTP, error) {
		return s.Accounts.CreateSMTP(ctx, c)
	})
}

// saveSMTP stores a changed account.
func (s *Server) saveSMTP(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	return s.submitSMTP(w, r, id, found.SMTPSettings, func(ctx context.Context, c account.SMTPChange) (account.SMTP, error) {
		return s.Accounts.SaveSMTP(ctx, id, c)
	})
}

// submitSMTP reads the form over present, since fields that a switch hides are not posted, and stores it. What is
// wrong comes back with everything that was typed, secrets excepted.
func (s *Server) submitSMTP(w http.ResponseWriter, r *http.Request, id int64, present account.SMTPSettings, store func(context.Context, account.SMTPChange) (account.SMTP, error)) error {
	f := smtpForm{SMTPSettings: present}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	v := &ui.FormView{Typed: typed}
	wrong, err = form.Join(wrong, s.Accounts.CheckSMTP(r.Context(), id, f.change()))
	if err = together(err, wrong.Err(), s.confirmSMTP(w, r, id, f)); err != nil {
		return s.returnSMTP(w, r, id, f, v, err)
	}
	stored, err := store(r.Context(), f.change())
	if err != nil {
		return s.returnSMTP(w, r, id, f, v, err)
	}
	return s.redirect(w, r, smtpPath, ui.FlashView{
		Tone: ui.Good, Text: stored.AccountName + " is saved. Test it before you rely on it.",
		Link: &ui.Link{Label: "Test configuration", Href: page.SMTPPath(stored.ID) + "/test"},
	})
}

// confirmSMTP asks for the password again before a secret or the default account changes.
func (s *Server) confirmSMTP(w http.ResponseWriter, r *http.Request, id int64, f smtpForm) error {
	sensitive, err := s.changesSecretOrDefault(r.Context(), id, f)
	if err != nil || !sensitive {
		return err
	}
	return s.confirmOnce(w, r)
}

func (s *Server) changesSecretOrDefault(ctx context.Context, id int64, f smtpForm) (bool, error) {
	if !f.Secret.IsZero() {
		return true, nil
	}
	if id == 0 {
		return f.DefaultAccount, nil
	}
	found, err := s.Accounts.FindSMTP(ctx, id)
	switched := found.DefaultAccount && found.Active != f.Active
	return err == nil && (switched || found.DefaultAccount != f.DefaultAccount), err
}

// returnSMTP shows the form again with what stood in the way; errors that are nobody's input go on.
func (s *Server) returnSMTP(w http.ResponseWriter, r *http.Request, id int64, f smtpForm, v *ui.FormView, why error) error {
	status, err := refill(v, why)
	if err != nil {
		return err
	}
	if v.Conflict != nil { // saving again is a decision now
		found, err := s.Accounts.FindSMTP(r.Context(), id)
		if err != nil {
			return err
		}
		f.Version = found.Version
	}
	askSecretAgain(&v.Problems, f.Secret)
	return s.showSMTPForm(w, r, status, id, f, v)
}

func (s *Server) showSMTPForm(w http.ResponseWriter, r *http.Request, status int, id int64, f smtpForm, v *ui.FormView) error {
	view, err := s.smtpFormView(r, id, f, v)
	if err != nil {
		return err
	}
	return s.show(w, r, status, view.Title(), page.SMTPForm(view))
}

func (s *Server) smtpFormView(r *http.Request, id int64, f smtpForm, v *ui.FormView) (page.SMTPFormView, error) {
	ctx := r.Context()
	view := page.SMTPFormView{Form: v, ID: id, Values: f.SMTPSettings, Providers: providerOptions(), Presets: presets}
	role := identity.UserFrom(ctx).Role
	v.Action, v.Submit, v.Cancel, v.Version = smtpPath, "Send", smtpPath, f.Version
	v.Hint, v.ReadOnly = "Saves the account; no mail is sent.", !role.CanChange()
	if id != 0 {
		v.Action = page.SMTPPath(id)
	}
	if role.CanChange() {
		v.Extra = page.TestValuesButton(smtpPath + "/test")
		view.AskPassword = s.mustConfirm(r)
	}
	var err error
	if view.Credentials, err = s.credentialOptions(ctx); err != nil {
		return view, err
	}
	if view.Connectors, err = s.connectorOptions(ctx); err != nil {
		return view, err
	}
	if view.Hints, err = s.Accounts.SMTPHints(ctx, f.Normalise()); err != nil {
		return view, err
	}
	view.Summary, err = s.smtpSummaryView(ctx, f)
	v.Aside = ui.LiveSummary(ui.SummaryView{
		URL: smtpPath + "/summary", Title: "In short", Without: "secret,current_password", Content: page.SMTPSummary(view.Summary),
	})
	return view, err
}

// smtpSummary answers the form while somebody types.
func (s *Server) smtpSummary(w http.ResponseWriter, r *http.Request) error {
	var f smtpForm
	if _, _, err := form.Read(r, &f); err != nil {
		return err
	}
	view, err := s.smtpSummaryView(r.Context(), f)
	if err != nil {
		return err
	}
	hints, err := s.Accounts.SMTPHints(r.Context(), f.Normalise())
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.SMTPSummaryLive(view, hints))
}

func (s *Server) smtpSummaryView(ctx context.Context, f smtpForm) (page.SMTPSummaryView, error) {
	v := page.SMTPSummaryView{Values: f.Normalise()}
	var err error
	if v.Username, err = s.chosenUsername(ctx, v.Values.CredentialID, f.NewCredentialUsername); err != nil {
		return v, err
	}
	v.Connector, err = s.leaves(ctx, v.Values.UseNetworkConnector, v.Values.NetworkConnectorID)
	return v, err
}

// suggestSMTP offers the server that a sender address probably belongs to.
func (s *Server) suggestSMTP(w http.ResponseWriter, r *http.Request) error {
	suggestion, found := provider.Suggest(r.Context(), s.Resolver, strings.TrimSpace(r.URL.Query().Get("sender_email")))
	if !found {
		return s.render(w, r, http.StatusOK, page.ServerSuggestion("", "", ""))
	}
	fill, err := json.Marshal(fillSMTP(suggestion.Provider, suggestion.SMTP))
	if err != nil {
		return err
	}
	server := suggestion.SMTP.Host + ", port " + strconv.Itoa(suggestion.SMTP.Port)
	return s.render(w, r, http.StatusOK, page.ServerSuggestion(suggestion.Why, server, string(fill)))
}
