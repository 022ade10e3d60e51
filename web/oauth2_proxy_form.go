package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"orbit/internal/identity"
	"orbit/internal/oauth"
	"orbit/internal/oauth/preset"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// registrationForm is what the form of a registration posts. Addresses and scope may be blank: then they are those of
// the provider that was chosen.
type registrationForm struct {
	Preset string `form:"preset" label:"Provider"`
	oauth.Settings
	SecretKind     string       `form:"secret_kind" label:"Proof"`
	ClientSecret   vault.Secret `form:"client_secret" label:"Client secret"`
	ExpiresOn      string       `form:"secret_expires_on" label:"Expires on"`
	Certificate    string       `form:"certificate,lines" label:"Certificate"`
	Key            vault.Secret `form:"key" label:"Private key"`
	ServiceAccount vault.Secret `form:"service_account" label:"Key file"`
	Version        int          `form:"version"`
	newPorts
}

func newRegistrationForm() registrationForm {
	return registrationForm{
		Preset: "microsoft365", SecretKind: page.ProofSecret,
		Settings: oauth.Settings{Pattern: "@", Flow: oauth.AuthorizationCode},
		newPorts: newPorts{OpenIMAP: true, OpenSMTP: true},
	}
}

// registrationFormOf is the form of a stored registration: what is the provider's own stays blank.
func registrationFormOf(r oauth.Registration) registrationForm {
	chosen := preset.Of(r.Settings)
	f := registrationForm{Preset: chosen.Key, Settings: chosen.Blank(r.Settings), SecretKind: page.ProofKeep, Version: r.Version}
	if _, stored := r.Active(); !stored {
		f.SecretKind = page.ProofNone
	}
	return f
}

// settings are the form's, with what the provider supplies.
func (f registrationForm) settings() oauth.Settings {
	chosen, _ := preset.Find(f.Preset)
	s := f.Settings
	if !chosen.Tenant {
		s.Tenant = ""
	}
	if !s.UseNetworkConnector {
		s.NetworkConnectorID = 0
	}
	return chosen.Fill(s)
}

// change is what the form asks for, with what is wrong with the fields that only the form has.
func (f registrationForm) change() (oauth.Change, problem.Invalid) {
	var wrong problem.Invalid
	chosen, known := preset.Find(f.Preset)
	if !known {
		wrong.Add("preset", "Choose a provider.")
	}
	if chosen.Tenant && f.Tenant == "" {
		wrong.Add("tenant", "Give the tenant: the Directory (tenant) ID, or a domain of it.")
	}
	c := oauth.Change{Settings: f.settings(), Version: f.Version}
	switch f.SecretKind {
	case page.ProofSecret:
		c.Secret.Secret = f.ClientSecret
		c.Secret.ExpiresAt = expiryOf(f.ExpiresOn, &wrong)
	case page.ProofCertificate:
		c.Secret.Certificate, c.Secret.Key = f.Certificate, f.Key
	case page.ProofServiceAccount:
		c.Secret.ServiceAccount = f.ServiceAccount
	}
	return c, wrong
}

// expiryOf reads the day on which a secret ends; the end of that day counts.
func expiryOf(day string, wrong *problem.Invalid) *time.Time {
	if day == "" {
		return nil
	}
	for _, layout := range []string{time.DateOnly, "2/1/2006", "2.1.2006", "2 Jan 2006", "Jan 2, 2006"} {
		if at, err := time.Parse(layout, day); err == nil {
			return &at
		}
	}
	wrong.Add("secret_expires_on", "Write the day as the year, the month and the day: 2027-03-31.")
	return nil
}

func (s *Server) newRegistration(w http.ResponseWriter, r *http.Request) error {
	return s.showRegistration(w, r, http.StatusOK, oauth.Registration{}, newRegistrationForm(), &ui.FormView{})
}

func (s *Server) editRegistration(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	return s.showRegistration(w, r, http.StatusOK, stored, registrationFormOf(stored), &ui.FormView{})
}

func (s *Server) createRegistration(w http.ResponseWriter, r *http.Request) error {
	return s.submitRegistration(w, r, oauth.Registration{}, s.createWithPorts)
}

func (s *Server) saveRegistration(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	return s.submitRegistration(w, r, stored, func(ctx context.Context, _ registrationForm, c oauth.Change) (oauth.Registration, []oauth.Note, error) {
		return s.OAuth.Save(ctx, stored.ID, c)
	})
}

type storeRegistration func(context.Context, registrationForm, oauth.Change) (oauth.Registration, []oauth.Note, error)

// submitRegistration reads the form and stores it; what is wrong comes back with everything that was typed but secrets.
func (s *Server) submitRegistration(w http.ResponseWriter, r *http.Request, stored oauth.Registration, store storeRegistration) error {
	f := registrationForm{}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	change, more := f.change()
	wrong = append(wrong, more...)
	if stored.ID == 0 {
		wrong = append(wrong, change.Check()...)
	}
	var saved oauth.Registration
	var notes []oauth.Note
	if err = together(wrong.Err(), asProblem(s.confirmOnce(w, r))); err == nil {
		saved, notes, err = store(r.Context(), f, change)
	}
	if err != nil {
		return s.returnRegistration(w, r, stored, f, typed, err)
	}
	if stored.ID != 0 {
		return s.redirect(w, r, proxyPath, registrationSaid("The registration for "+page.PatternWords(saved.Pattern)+" is saved.", notes))
	}
	return s.redirect(w, r, page.RegistrationPath(saved.ID)+"/steps", registrationSaid("The registration for "+page.PatternWords(saved.Pattern)+" is stored.", notes))
}

// registrationSaid adds what Orbit corrected, and above all which flow is really used.
func registrationSaid(text string, notes []oauth.Note) ui.FlashView {
	v := ui.Said(text)
	for _, n := range notes {
		if n.Rule == oauth.FlowContradiction || n.Corrected() {
			v.Tone = ui.Warning
			v.Text += " " + n.Why
		}
	}
	return v
}

// returnRegistration shows the form again with what stood in the way; errors that are nobody's input go on.
func (s *Server) returnRegistration(w http.ResponseWriter, r *http.Request, stored oauth.Registration, f registrationForm, typed form.Typed, why error) error {
	v := &ui.FormView{Typed: typed}
	status := http.StatusConflict
	var refused *problem.Refused
	switch {
	case errors.As(why, &v.Problems):
		status = http.StatusUnprocessableEntity
	case errors.As(why, &refused):
		v.Refused = refused.Text
	case errors.As(why, &v.Confirm):
	case errors.As(why, &v.Conflict):
		newest, err := s.OAuth.Find(r.Context(), stored.ID)
		if err != nil {
			return err
		}
		f.Version = newest.Version // saving again is a decision now
	default:
		return why
	}
	f.askAgain(v)
	f.showProof(v)
	return s.showRegistration(w, r, status, stored, f, v)
}

// showProof opens the field of a secret that is missing, so that it can be entered.
func (f *registrationForm) showProof(v *ui.FormView) {
	if f.SecretKind != page.ProofKeep && f.SecretKind != page.ProofNone {
		return
	}
	for _, field := range []struct{ name, proof string }{
		{"client_secret", page.ProofSecret}, {"key", page.ProofCertificate}, {"service_account", page.ProofServiceAccount},
	} {
		if v.Problems.For(field.name) != "" {
			f.SecretKind, v.Typed["secret_kind"] = field.proof, field.proof
		}
	}
}

// askAgain says beside each secret that was typed that the page does not keep it.
func (f registrationForm) askAgain(v *ui.FormView) {
	for name, secret := range map[string]vault.Secret{"client_secret": f.ClientSecret, "key": f.Key, "service_account": f.ServiceAccount} {
		if !secret.IsZero() && v.Problems.For(name) == "" {
			v.Problems.Add(name, "Enter it once more: the page does not keep it.")
		}
	}
}

func (s *Server) showRegistration(w http.ResponseWriter, r *http.Request, status int, stored oauth.Registration, f registrationForm, v *ui.FormView) error {
	view, err := s.registrationView(r, stored, f, v)
	if err != nil {
		return err
	}
	return s.show(w, r, status, view.Title(), page.RegistrationForm(view))
}

func (s *Server) registrationView(r *http.Request, stored oauth.Registration, f registrationForm, v *ui.FormView) (page.RegistrationFormView, error) {
	view := page.RegistrationFormView{
		Form: v, Stored: stored, Values: f.Settings, Preset: f.Preset, Proof: f.SecretKind, ExpiresOn: f.ExpiresOn,
		RedirectURI: s.OAuth.RedirectURI(), AskPassword: s.mustConfirm(r), Clock: s.clock(r),
	}
	v.Action, v.Submit, v.Cancel, v.Version = proxyPath, "Save", proxyPath, f.Version
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	if stored.ID != 0 {
		v.Action = page.RegistrationPath(stored.ID)
	}
	v.Aside = ui.LiveSummary(ui.SummaryView{
		URL: proxyPath + "/summary", Title: "In short", Without: "client_secret,key,service_account,certificate,current_password",
		Content: page.RegistrationSummary(s.registrationSummary(f)),
	})
	var err error
	if view.Mailboxes, err = s.knownMailboxes(r.Context()); err != nil {
		return view, err
	}
	if view.Listeners, err = s.listenerOptions(r.Context()); err != nil {
		return view, err
	}
	if stored.ID == 0 {
		if view.Ports, err = s.offeredPorts(r.Context(), f.newPorts); err != nil {
			return view, err
		}
	}
	view.Connectors, err = s.connectorOptions(r.Context())
	return view, err
}

// summariseRegistration answers the form while somebody types.
func (s *Server) summariseRegistration(w http.ResponseWriter, r *http.Request) error {
	var f registrationForm
	if _, _, err := form.Read(r, &f); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.RegistrationSummary(s.registrationSummary(f)))
}

func (s *Server) registrationSummary(f registrationForm) page.RegistrationSummaryView {
	chosen, _ := preset.Find(f.Preset)
	cleaned, notes := f.settings().Clean()
	redirect := cleaned.RedirectURI
	if redirect == "" {
		redirect = s.OAuth.RedirectURI()
	}
	return page.RegistrationSummaryView{
		Settings: cleaned, Provider: chosen.Name, Notes: append(notes, cleaned.Notes()...), RedirectURI: redirect,
		NoTenant: chosen.Tenant && cleaned.Tenant == "",
	}
}

// knownMailboxes are the addresses that credentials and grants name, for choosing one.
func (s *Server) knownMailboxes(ctx context.Context) ([]string, error) {
	credentials, err := s.Credentials.List(ctx)
	if err != nil {
		return nil, err
	}
	grants, err := s.OAuth.Grants(ctx, 0)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, c := range credentials {
		if address := oauth.Normal(c.Username); strings.Contains(strings.Trim(address, "@"), "@") {
			known = append(known, address)
		}
	}
	for _, g := range grants {
		known = append(known, g.Address)
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}

// pathRegistration is the registration that the path names.
func (s *Server) pathRegistration(r *http.Request) (oauth.Registration, error) {
	id, err := pathID(r)
	if err != nil {
		return oauth.Registration{}, err
	}
	return s.OAuth.Find(r.Context(), id)
}
