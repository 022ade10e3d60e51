package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"orbit/internal/account"
	"orbit/internal/problem"
	"orbit/web/ui"
)

// refill gives the form of an account what stood in the way of saving, and answers with the status that it comes back
// with. Errors that are nobody's input go on.
func refill(v *ui.FormView, why error) (status int, err error) {
	var invalid problem.Invalid
	var refused *problem.Refused
	switch {
	case errors.As(why, &invalid):
		v.Problems = invalid
		return http.StatusUnprocessableEntity, nil
	case errors.As(why, &v.Conflict), errors.As(why, &v.Confirm):
		return http.StatusConflict, nil
	case errors.As(why, &refused):
		v.Refused = refused.Text
		return http.StatusConflict, nil
	}
	return 0, why
}

// credentialOptions lists the credentials, with "new credential" beside them.
func (s *Server) credentialOptions(ctx context.Context) ([]ui.Option, error) {
	stored, err := s.Credentials.List(ctx)
	if err != nil {
		return nil, err
	}
	options := []ui.Option{{Label: "Choose a credential"}, {Value: strconv.Itoa(account.NewCredentialID), Label: "New credential ..."}}
	for _, c := range stored {
		options = append(options, ui.Option{Value: strconv.FormatInt(c.ID, 10), Label: c.Name + " (" + c.Username + ")"})
	}
	return options, nil
}

// chosenUsername is who signs in with the credential that a form names; "" without one.
func (s *Server) chosenUsername(ctx context.Context, credentialID int64, newUsername string) (string, error) {
	switch credentialID {
	case 0:
		return "", nil
	case account.NewCredentialID:
		return newUsername, nil
	}
	found, err := s.Credentials.Find(ctx, credentialID)
	if errors.Is(err, problem.ErrNotFound) {
		return "", nil
	}
	return found.Username, err
}

// leaves says how a connection leaves this machine: "directly", "through agent-1".
func (s *Server) leaves(ctx context.Context, use bool, connectorID int64) (string, error) {
	if !use {
		return "directly", nil
	}
	return s.connectorName(ctx, connectorID)
}
