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
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/provider"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// mailboxForm is what the form of an IMAP/POP3 account posts.
type mailboxForm struct {
	account.MailboxSettings
	AccountID             int64        `form:"account_id"` // for the hints while somebody types; 0: a new account
	Version               int          `form:"version"`
	Secret                vault.Secret `form:"secret"`
	NewCredentialName     string       `form:"new_credential_name" label:"Name of the new credential"`
	NewCredentialUsername string       `form:"new_credential_username" label:"Username"`
}

func (f mailboxForm) change() account.MailboxChange {
	return account.MailboxChange{
		MailboxSettings: f.MailboxSettings, Version: f.Version, Secret: f.Secret,
		NewCredential: account.NewCredential{Name: f.NewCredentialName, Username: f.NewCredentialUsername},
	}
}

// newMailbox shows an empty form.
func (s *Server) newMailbox(w http.ResponseWriter, r *http.Request) error {
	return s.showMailboxForm(w, r, http.StatusOK, 0, mailboxForm{MailboxSettings: account.NewMailboxSettings()}, &ui.FormView{})
}

// cloneMailbox shows a form filled in like another account.
func (s *Server) cloneMailbox(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	settings, err := s.Accounts.CloneMailbox(r.Context(), id)
	if err != nil {
		return err
	}
	return s.showMailboxForm(w, r, http.StatusOK, 0, mailboxForm{MailboxSettings: settings}, &ui.FormView{})
}

// editMailbox shows the form of a stored account, with the certificate that a failed test has seen when it is to be
// pinned.
func (s *Server) editMailbox(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	f := mailboxForm{MailboxSettings: found.MailboxSettings, Version: found.Version}
	if pin := r.URL.Query().Get("pin"); pin != "" {
		f.IgnoreCertificate, f.CertificateRule, f.CertificateFingerprint = false, dial.Pin, pin
	}
	return s.showMailboxForm(w, r, http.StatusOK, found.ID, f, &ui.FormView{})
}

// createMailbox stores a new account.
func (s *Server) createMailbox(w http.ResponseWriter, r *http.Request) error {
	return s.submitMailbox(w, r, 0, account.NewMailboxSettings(), s.Accounts.CreateMailbox)
}

// saveMailbox stores a changed account.
func (s *Server) saveMailbox(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	return s.submitMailbox(w, r, found.ID, found.MailboxSettings, func(ctx context.Context, c account.MailboxChange) (account.Mailbox, error) {
		return s.Accounts.SaveMailbox(ctx, found.ID, c)
	})
}

type storeMailbox func(context.Context, account.MailboxChange) (account.Mailbox, error)

// submitMailbox reads the form over present, since fields that a switch hides are not posted, and stores it. What is
// wrong comes back with everything that was typed, secrets excepted.
func (s *Server) submitMailbox(w http.ResponseWriter, r *http.Request, id int64, present account.MailboxSettings, store storeMailbox) error {
	f := mailboxForm{MailboxSettings: present}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	v := &ui.FormView{Typed: typed}
	var confirmed error
	if !f.Secret.IsZero() {
		confirmed = s.confirmOnce(w, r)
	}
	wrong, err = form.Join(wrong, s.Accounts.CheckMailbox(r.Context(), id, f.change()))
	if err = together(err, wrong.Err(), confirmed); err != nil {
		return s.returnMailbox(w, r, id, f, v, err)
	}
	stored, err := store(r.Context(), f.change())
	if err != nil {
		return s.returnMailbox(w, r, id, f, v, err)
	}
	return s.redirect(w, r, mailboxPath, ui.FlashView{
		Tone: ui.Good, Text: stored.AccountName + " is saved. Test it before you rely on it.",
		Link: &ui.Link{Label: "Test configuration", Href: page.MailboxPath(stored.ID) + "/test"},
	})
}

// returnMailbox shows the form again with what stood in the way; errors that are nobody's input go on.
func (s *Server) returnMailbox(w http.ResponseWriter, r *http.Request, id int64, f mailboxForm, v *ui.FormView, why error) error {
	status, err := refill(v, why)
	if err != nil {
		return err
	}
	if v.Conflict != nil { // saving again is a decision now
		found, err := s.Accounts.FindMailbox(r.Context(), id)
		if err != nil {
			return err
		}
		f.Version = found.Version
	}
	askSecretAgain(&v.Problems, f.Secret)
	return s.showMailboxForm(w, r, status, id, f, v)
}

func (s *Server) showMailboxForm(w http.ResponseWriter, r *http.Request, status int, id int64, f mailboxForm, v *ui.FormView) error {
	view, err := s.mailboxFormView(r, id, f, v)
	if err != nil {
		return err
	}
	return s.show(w, r, status, view.Title(), page.MailboxForm(view))
}

func (s *Server) mailboxFormView(r *http.Request, id int64, f mailboxForm, v *ui.FormView) (page.MailboxFormView, error) {
	ctx := r.Context()
	view := page.MailboxFormView{
		Form: v, ID: id, Values: f.MailboxSettings, Preset: mailboxPresetOf(f.MailboxSettings),
		Providers: mailboxProviderOptions(), Presets: mailboxPresets,
	}
	role := identity.UserFrom(ctx).Role
	v.Action, v.Submit, v.Cancel, v.Version = mailboxPath, "Save", mailboxPath, f.Version
	v.ReadOnly = !role.CanChange()
	if id != 0 {
		v.Action = page.MailboxPath(id)
	}
	if role.CanChange() {
		v.Extra = page.TestValuesButton(mailboxPath + "/test")
		view.AskPassword = s.mustConfirm(r)
	}
	var err error
	if view.Credentials, err = s.credentialOptions(ctx); err != nil {
		return view, err
	}
	if view.Connectors, err = s.connectorOptions(ctx); err != nil {
		return view, err
	}
	if view.Hints, err = s.Accounts.MailboxHints(ctx, id, f.Normalise()); err != nil {
		return view, err
	}
	view.Summary, err = s.mailboxSummaryView(ctx, f)
	v.Aside = ui.LiveSummary(ui.SummaryView{
		URL: mailboxPath + "/summary", Title: "In short", Without: "secret,current_password", Content: page.MailboxSummary(view.Summary),
	})
	return view, err
}

// mailboxSummary answers the form while somebody types.
func (s *Server) mailboxSummary(w http.ResponseWriter, r *http.Request) error {
	var f mailboxForm
	if _, _, err := form.Read(r, &f); err != nil {
		return err
	}
	view, err := s.mailboxSummaryView(r.Context(), f)
	if err != nil {
		return err
	}
	hints, err := s.Accounts.MailboxHints(r.Context(), f.AccountID, f.Normalise())
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.MailboxSummaryLive(view, hints))
}

func (s *Server) mailboxSummaryView(ctx context.Context, f mailboxForm) (page.MailboxSummaryView, error) {
	v := page.MailboxSummaryView{Values: f.Normalise()}
	var err error
	if v.Username, err = s.chosenUsername(ctx, v.Values.CredentialID, f.NewCredentialUsername); err != nil {
		return v, err
	}
	v.Connector, err = s.leaves(ctx, v.Values.UseNetworkConnector, v.Values.NetworkConnectorID)
	return v, err
}

// suggestMailbox offers the server that the mailbox of a credential probably is at. What is filled in already is not
// offered.
func (s *Server) suggestMailbox(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	id, _ := strconv.ParseInt(query.Get("credential_id"), 10, 64) // what is no id is no credential
	username, err := s.chosenUsername(r.Context(), id, strings.TrimSpace(query.Get("new_credential_username")))
	if err != nil {
		return err
	}
	suggestion, found := provider.Suggest(r.Context(), s.Resolver, username)
	server := suggestion.IMAP
	if query.Get("protocol") == string(fetch.POP3) {
		server = provider.Find(suggestion.Provider).POP3
	}
	if !found || server.Host == "" || server.Host == query.Get("address") {
		return s.render(w, r, http.StatusOK, page.ServerSuggestion("", "", ""))
	}
	fill, err := json.Marshal(fillMailbox(fetch.Protocol(query.Get("protocol")), server))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.ServerSuggestion(suggestion.Why, server.Host+", port "+strconv.Itoa(server.Port), string(fill)))
}
