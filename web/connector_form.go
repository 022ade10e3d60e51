package web

import (
	"context"
	"errors"
	"net/http"

	"orbit/internal/connector"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// connectorForm is what the form of a network connector posts.
type connectorForm struct {
	connector.Settings
	Version               int          `form:"version"`
	Secret                vault.Secret `form:"secret" label:"Password or private key"`
	NewCredentialName     string       `form:"new_credential_name" label:"Name of the new credential"`
	NewCredentialUsername string       `form:"new_credential_username" label:"Username"`
}

func (f connectorForm) change() connector.Change {
	return connector.Change{
		Settings: f.Settings, Version: f.Version, Secret: f.Secret,
		NewCredential: connector.NewCredential{Name: f.NewCredentialName, Username: f.NewCredentialUsername},
	}
}

// newConnector shows an empty form.
func (s *Server) newConnector(w http.ResponseWriter, r *http.Request) error {
	return s.showConnector(w, r, http.StatusOK, connector.Connector{}, connectorForm{Settings: connector.NewSettings()}, &ui.FormView{})
}

// editConnector shows a stored connector; to somebody who may not change it, to read.
func (s *Server) editConnector(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	if stored.Kind == connector.KindDirect {
		return problem.Refuse("The direct connection has nothing to set.")
	}
	return s.showConnector(w, r, http.StatusOK, stored, connectorForm{Settings: stored.Settings, Version: stored.Version}, &ui.FormView{})
}

// createConnector stores a new connector.
func (s *Server) createConnector(w http.ResponseWriter, r *http.Request) error {
	return s.submitConnector(w, r, connector.Connector{Settings: connector.NewSettings()}, s.Connectors.Create)
}

// saveConnector stores a changed connector.
func (s *Server) saveConnector(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	return s.submitConnector(w, r, stored, func(ctx context.Context, c connector.Change) (connector.Connector, error) {
		return s.Connectors.Save(ctx, stored.ID, c)
	})
}

type storeConnector func(context.Context, connector.Change) (connector.Connector, error)

// submitConnector reads the form over what is stored, since fields that the kind hides are not posted, and
// stores it. What is wrong comes back with everything that was typed, secrets excepted.
func (s *Server) submitConnector(w http.ResponseWriter, r *http.Request, stored connector.Connector, store storeConnector) error {
	f := connectorForm{Settings: stored.Settings}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	wrong, _ = form.Join(wrong, f.Normalise().Validate().Err())
	err = wrong.Err()
	if !f.Secret.IsZero() || f.Fingerprint != stored.Fingerprint {
		err = together(err, asProblem(s.confirmOnce(w, r)))
	}
	var saved connector.Connector
	if err == nil {
		saved, err = store(r.Context(), f.change())
	}
	if err != nil {
		return s.returnConnector(w, r, stored, f, typed, err)
	}
	return s.redirect(w, r, connectorsPath, connectorSaid(saved))
}

// connectorSaid says what comes next.
func connectorSaid(saved connector.Connector) ui.FlashView {
	v := ui.Said("Network connector " + saved.Name + " is saved. Test it before you rely on it.")
	if saved.Kind == connector.KindAgent {
		v = ui.Said("Network connector " + saved.Name + " is saved. It carries as soon as an agent calls in from the other network.")
		v.Link = &ui.Link{Label: "Add an agent", Href: page.ConnectorPath(saved.ID) + "/enrol"}
		return v
	}
	if saved.KeyUnconfirmed() {
		v = ui.Warned("Network connector " + saved.Name + " is saved. It carries nothing before its host key is confirmed: test it to see the key.")
	}
	v.Link = &ui.Link{Label: "Test connector", Href: page.ConnectorPath(saved.ID) + "/test"}
	return v
}

// returnConnector shows the form again with what stood in the way; errors that are nobody's input go on.
func (s *Server) returnConnector(w http.ResponseWriter, r *http.Request, stored connector.Connector, f connectorForm, typed form.Typed, why error) error {
	v := &ui.FormView{Typed: typed}
	status := http.StatusConflict
	var refused *problem.Refused
	switch {
	case errors.As(why, &v.Problems):
		status = http.StatusUnprocessableEntity
	case errors.As(why, &refused):
		v.Refused = refused.Text
	case errors.As(why, &v.Conflict):
		newest, err := s.Connectors.Find(r.Context(), stored.ID)
		if err != nil {
			return err
		}
		f.Version = newest.Version // saving again is a decision now
	default:
		return why
	}
	askSecretAgain(&v.Problems, f.Secret)
	return s.showConnector(w, r, status, stored, f, v)
}

func (s *Server) showConnector(w http.ResponseWriter, r *http.Request, status int, stored connector.Connector, f connectorForm, v *ui.FormView) error {
	role := identity.UserFrom(r.Context()).Role
	v.Action, v.Submit, v.Cancel, v.Version, v.ReadOnly = connectorsPath, "Save", connectorsPath, f.Version, !role.CanChange()
	if stored.ID != 0 {
		v.Action = page.ConnectorPath(stored.ID)
	}
	view := page.ConnectorFormView{Form: v, Connector: stored, Values: f.Settings, AskPassword: s.mustConfirm(r)}
	var err error
	if view.Credentials, err = s.credentialOptions(r.Context()); err != nil {
		return err
	}
	view.Credentials[0].Label = "None"
	if view.Summary, err = s.connectorSummaryView(r.Context(), f); err != nil {
		return err
	}
	v.Aside = ui.LiveSummary(ui.SummaryView{
		URL: connectorsPath + "/summary", Title: "In short", Without: "secret,current_password", Content: page.ConnectorSummary(view.Summary),
	})
	return s.show(w, r, status, view.Title(), page.ConnectorForm(view))
}

// summariseConnector answers the form while somebody types.
func (s *Server) summariseConnector(w http.ResponseWriter, r *http.Request) error {
	var f connectorForm
	if _, _, err := form.Read(r, &f); err != nil {
		return err
	}
	v, err := s.connectorSummaryView(r.Context(), f)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.ConnectorSummary(v))
}

func (s *Server) connectorSummaryView(ctx context.Context, f connectorForm) (v page.ConnectorSummaryView, err error) {
	v.Values = f.Normalise()
	v.Username, err = s.chosenUsername(ctx, v.Values.CredentialID, f.NewCredentialUsername)
	return v, err
}

// pathConnector is the connector that the path names.
func (s *Server) pathConnector(r *http.Request) (connector.Connector, error) {
	id, err := pathID(r)
	if err != nil {
		return connector.Connector{}, err
	}
	return s.Connectors.Find(r.Context(), id)
}
