package app

import (
	"context"
	"net/url"

	"orbit/internal/audit"
)

// First says how the first administrator comes to be.
type First struct {
	Created   bool   // from the environment, just now
	SetupCode string // "" once there is an administrator
	SetupURL  string // the page with the code filled in
}

// FirstAdministrator creates the administrator that the environment names, or gives the code for /setup.
func (o *Orbit) FirstAdministrator(ctx context.Context) (First, error) {
	ctx = audit.WithActor(ctx, audit.Actor{Kind: audit.System, Name: "environment"})
	var first First
	if o.Config.AdminUsername != "" {
		created, err := o.Identity.Bootstrap(ctx, o.Config.AdminUsername, o.Config.AdminPassword)
		if err != nil {
			return First{}, err
		}
		first.Created = created
	}
	needed, err := o.Identity.NeedsSetup(ctx)
	if err != nil || !needed {
		return first, err
	}
	if first.SetupCode, err = o.Identity.SetupCode(ctx); err != nil {
		return First{}, err
	}
	page := o.Config.BaseURL.JoinPath("setup")
	page.RawQuery = url.Values{"code": {first.SetupCode}}.Encode()
	first.SetupURL = page.String()
	return first, nil
}
