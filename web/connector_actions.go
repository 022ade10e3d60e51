package web

import (
	"errors"
	"net/http"
	"strconv"

	"orbit/internal/connector"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

func (s *Server) connectorRoutes(r *router) {
	r.get(connectorsPath, view, s.listConnectors)
	r.post(connectorsPath, change, s.createConnector)
	r.get(connectorsPath+"/new", change, s.newConnector)
	r.post(connectorsPath+"/summary", view, s.summariseConnector)
	r.get(connectorsPath+"/{id}", view, s.editConnector)
	r.post(connectorsPath+"/{id}", change, s.saveConnector)
	r.get(connectorsPath+"/{id}/details", view, s.showConnectorDetails)
	r.get(connectorsPath+"/{id}/test", test, s.askTestConnector)
	r.post(connectorsPath+"/{id}/test", test, s.testConnector)
	r.get(connectorsPath+"/{id}/test/events", test, s.streamConnectorTest)
	r.get(connectorsPath+"/{id}/host-key", change, s.askConfirmHostKey)
	r.post(connectorsPath+"/{id}/host-key", change, s.confirmed(s.confirmHostKey))
	r.post(connectorsPath+"/{id}/activate", change, s.activateConnector)
	r.get(connectorsPath+"/{id}/inactivate", change, s.askInactivateConnector)
	r.post(connectorsPath+"/{id}/inactivate", change, s.inactivateConnector)
	r.get(connectorsPath+"/{id}/delete", change, s.askDeleteConnector)
	r.post(connectorsPath+"/{id}/delete", change, s.deleteConnector)

	s.pathsRoutes(r, smtpPath, s.Accounts.VisitSMTP)
	s.pathsRoutes(r, mailboxPath, s.Accounts.VisitMailbox)
}

// showConnectorDetails is the window with everything about a connector.
func (s *Server) showConnectorDetails(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	v := page.ConnectorDetailsView{Connector: found, Clock: s.clock(r)}
	if v.Uses, err = s.Connectors.Uses(r.Context(), found.ID); err != nil {
		return err
	}
	if v.Username, err = s.chosenUsername(r.Context(), found.CredentialID, ""); err != nil {
		return err
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Network connector " + found.Name, Back: connectorsPath}, page.ConnectorDetails(v))
}

// askConfirmHostKey shows the key that an SSH server offers, for comparing it.
func (s *Server) askConfirmHostKey(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Confirm host key of " + c.Name + "?", Action: r.URL.Path, Submit: "It is the server's key", Back: connectorsPath,
		Text: "Compare the fingerprint with the one that the command below prints on the server. From now on Orbit expects this key and refuses any other.",
		Facts: []ui.Fact{
			{Label: "Server", Value: c.Server()}, {Label: "It shows", Value: c.OfferedFingerprint, Mono: true}, {Label: "Type", Value: c.OfferedKeyType},
			{Label: "On the server", Value: "for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done", Mono: true},
		},
		Values: map[string]string{"fingerprint": c.OfferedFingerprint}, Password: s.mustConfirm(r),
	}
	if c.OfferedAt != nil {
		v.Facts = append(v.Facts, ui.Fact{Label: "Seen", Value: s.clock(r).At(*c.OfferedAt).Exact()})
	}
	switch {
	case c.OfferedFingerprint == "":
		v.Text, v.Facts, v.Password = "Orbit shows the key as soon as it has seen it.", nil, false
		v.Refused = "Test the connector first."
	case c.KeyChanged():
		v.Danger = true
		v.Text = "This is not the key that was confirmed. Either the server was reinstalled, or somebody else answers in its place. Ask whoever runs it before you go on. " + v.Text
		v.Facts = append([]ui.Fact{{Label: "Confirmed", Value: c.Fingerprint, Mono: true}}, v.Facts...)
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

// confirmHostKey takes the key that the person has seen, and no newer one.
func (s *Server) confirmHostKey(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	stored, err := s.Connectors.ConfirmHostKey(r.Context(), id, r.FormValue("fingerprint"))
	if err != nil {
		return err
	}
	said := ui.Said("The host key of " + stored.Name + " is confirmed. Test the connector to see it carry a connection.")
	said.Link = &ui.Link{Label: "Test connector", Href: page.ConnectorPath(id) + "/test"}
	return s.redirect(w, r, connectorsPath, said)
}

// activateConnector lets a connector carry connections again.
func (s *Server) activateConnector(w http.ResponseWriter, r *http.Request) error {
	return s.setConnectorActive(w, r, true, " is active.")
}

// inactivateConnector takes a connector out of use.
func (s *Server) inactivateConnector(w http.ResponseWriter, r *http.Request) error {
	return s.setConnectorActive(w, r, false, " is not active any more: what would leave through it fails.")
}

func (s *Server) setConnectorActive(w http.ResponseWriter, r *http.Request, active bool, said string) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	stored, err := s.Connectors.SetActive(r.Context(), id, active)
	if err != nil {
		return err
	}
	return s.redirect(w, r, connectorsPath, ui.Said("Network connector "+stored.Name+said))
}

// askInactivateConnector names what stops working.
func (s *Server) askInactivateConnector(w http.ResponseWriter, r *http.Request) error {
	return s.askConnector(w, r, func(c connector.Connector, uses []connector.Use) ui.ConfirmView {
		v := ui.ConfirmView{
			Title: "Inactivate network connector " + c.Name + "?", Submit: "Inactivate", Text: "Nothing leaves through it. You can activate it again at any time.",
		}
		if len(uses) > 0 {
			v.Danger = true
			v.Text = "What leaves through it fails until it is active again: " + connector.Named(uses) + ". Open connections are cut. Orbit does not go directly instead."
		}
		return v
	}, "/inactivate")
}

// askDeleteConnector names the consequence, or why it cannot be deleted.
func (s *Server) askDeleteConnector(w http.ResponseWriter, r *http.Request) error {
	return s.askConnector(w, r, func(c connector.Connector, uses []connector.Use) ui.ConfirmView {
		v := ui.ConfirmView{
			Title: "Delete network connector " + c.Name + "?", Submit: "Delete connector", Danger: true, Text: "Nothing leaves through it. Its credential stays.",
			Values: map[string]string{"version": strconv.Itoa(c.Version)},
		}
		if why, refused := c.Undeletable(uses); refused {
			v.Text, v.Refused = "This connector is in use.", why
		}
		return v
	}, "/delete")
}

// askConnector shows a question about a connector in a window; action follows the connector's own address.
func (s *Server) askConnector(w http.ResponseWriter, r *http.Request, question func(connector.Connector, []connector.Use) ui.ConfirmView, action string) error {
	c, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	uses, err := s.Connectors.Uses(r.Context(), c.ID)
	if err != nil {
		return err
	}
	v := question(c, uses)
	v.Action, v.Back = page.ConnectorPath(c.ID)+action, connectorsPath
	v.Facts = []ui.Fact{{Label: "Kind", Value: c.Kind.Words()}}
	if c.Server() != "" {
		v.Facts = append(v.Facts, ui.Fact{Label: "Server", Value: c.Server()})
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

// deleteConnector removes a connector that nothing uses.
func (s *Server) deleteConnector(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(r.FormValue("version"))
	if err != nil {
		return errors.Join(form.ErrMalformed, err)
	}
	if err := s.Connectors.Delete(r.Context(), c.ID, version); err != nil {
		return err
	}
	return s.redirect(w, r, connectorsPath, ui.Said("Network connector "+c.Name+" is deleted."))
}
