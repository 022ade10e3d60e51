package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Change is what a person submits for a registration.
type Change struct {
	Settings
	Secret  NewSecret // zero: keep what is there
	Version int       // that was read; ignored when creating
}

// List returns all registrations.
func (s *Service) List(ctx context.Context) ([]Registration, error) { return listClients(ctx, s.pool) }

// Find returns a registration, or problem.ErrNotFound.
func (s *Service) Find(ctx context.Context, id int64) (Registration, error) {
	return findClient(ctx, s.pool, id)
}

// Lookup returns the registration that applies to an address: its own, its domain's, everybody's. One for
// more than an address (CatchAll) applies only to registered credentials, which the caller checks.
func (s *Service) Lookup(ctx context.Context, address string) (Registration, error) {
	return lookupClient(ctx, s.pool, Normal(address))
}

// Create registers a client. The notes say what was corrected and what is remarkable.
func (s *Service) Create(ctx context.Context, c Change) (Registration, []Note, error) {
	notes, err := c.check(nil)
	if err != nil {
		return Registration{}, notes, err
	}
	var stored Registration
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		var err error
		stored, err = s.CreateIn(ctx, tx, c)
		return err
	})
	return stored, notes, err
}

// CreateIn registers a client in the caller's transaction, for imports that create several records or none.
func (s *Service) CreateIn(ctx context.Context, tx pgx.Tx, c Change) (Registration, error) {
	if _, err := c.check(nil); err != nil {
		return Registration{}, err
	}
	r, err := insertClient(ctx, tx, c.Settings, audit.ActorFrom(ctx).Name)
	if err != nil {
		return Registration{}, err
	}
	if err := s.fillSlot(ctx, tx, &r, 1, c.Secret); err != nil {
		return Registration{}, err
	}
	return r, s.recordClient(ctx, tx, "created", r, audit.Changes(Settings{}, r.Settings))
}

// PutIn creates a registration or, with force, replaces the one of the same pattern, in the caller's
// transaction. Without force a registration that is there is a *problem.Confirm.
func (s *Service) PutIn(ctx context.Context, tx pgx.Tx, c Change, force bool) (Registration, error) {
	before, err := lockClientByPattern(ctx, tx, Normal(c.Pattern))
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return s.CreateIn(ctx, tx, c)
	case err != nil:
		return Registration{}, err
	case !force:
		return Registration{}, &problem.Confirm{Name: "force", Text: fmt.Sprintf("%s is registered already, for client %s. It would be replaced.", before.Pattern, before.ClientID)}
	}
	c.Version = before.Version
	return s.saveIn(ctx, tx, before, c)
}

// Save changes a registration. A *problem.Conflict says that somebody else did so first.
func (s *Service) Save(ctx context.Context, id int64, c Change) (Registration, []Note, error) {
	before, err := s.Find(ctx, id)
	if err != nil {
		return Registration{}, nil, err
	}
	if before.Version != c.Version { // first: what is wrong beside the newest settings would confuse
		return Registration{}, nil, conflict(before, c.Settings)
	}
	notes, err := c.check(&before)
	if err != nil {
		return Registration{}, notes, err
	}
	var stored Registration
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		before, err := lockClient(ctx, tx, id)
		if err != nil {
			return err
		}
		stored, err = s.saveIn(ctx, tx, before, c)
		return err
	})
	s.cache.clear()
	return stored, notes, err
}

// ReplaceIn changes a registration in the caller's transaction, whatever its version, for an import that
// somebody has confirmed.
func (s *Service) ReplaceIn(ctx context.Context, tx pgx.Tx, id int64, c Change) (Registration, error) {
	before, err := lockClient(ctx, tx, id)
	if err != nil {
		return Registration{}, err
	}
	c.Version = before.Version
	return s.saveIn(ctx, tx, before, c)
}

func (s *Service) saveIn(ctx context.Context, tx pgx.Tx, before Registration, c Change) (Registration, error) {
	if before.Version != c.Version {
		return Registration{}, conflict(before, c.Settings)
	}
	if _, err := c.check(&before); err != nil { // once more, now that nobody else can change it
		return Registration{}, err
	}
	stored, err := updateClient(ctx, tx, before.ID, c.Settings, audit.ActorFrom(ctx).Name)
	if err != nil {
		return Registration{}, err
	}
	if err := s.followChange(ctx, tx, before, &stored, c.Secret); err != nil {
		return Registration{}, err
	}
	detail := audit.Changes(before.Settings, stored.Settings)
	if !c.Secret.IsZero() {
		detail["secret"] = "replaced"
	}
	return stored, s.recordClient(ctx, tx, "changed", stored, detail)
}

// followChange replaces the secret in use, and takes the tokens that the change made worthless.
func (s *Service) followChange(ctx context.Context, tx pgx.Tx, before Registration, after *Registration, secret NewSecret) error {
	if before.TokenURL != after.TokenURL { // what was sealed for the old endpoint does not open any more
		for slot := range 2 {
			if err := deleteSecret(ctx, tx, after.ID, slot+1); err != nil {
				return err
			}
		}
		after.Secrets = nil
	}
	if !secret.IsZero() {
		if err := s.fillSlot(ctx, tx, after, after.ActiveSlot, secret); err != nil {
			return err
		}
		if err := unflagGrantsOf(ctx, tx, after.ID); err != nil {
			return err
		}
	}
	if before.identity() != after.identity() {
		return emptyGrantsOf(ctx, tx, after.ID)
	}
	return nil
}

// identity is what tokens belong to. When it changes they are worth nothing.
func (s Settings) identity() [5]string {
	return [5]string{string(s.EffectiveFlow()), s.TokenURL, s.ClientID, s.Scope, s.Resource}
}

// Remove deletes a registration with the grants it obtained.
func (s *Service) Remove(ctx context.Context, id int64) error {
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		r, err := lockClient(ctx, tx, id)
		if err != nil {
			return err
		}
		grants, err := listGrants(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := deleteClient(ctx, tx, id); err != nil {
			return err
		}
		return s.recordClient(ctx, tx, "removed", r, map[string]any{"grants": len(grants)})
	})
	s.cache.clear()
	return err
}

// Check returns everything that is wrong with a new registration, without storing it.
func (c Change) Check() problem.Invalid {
	var wrong problem.Invalid
	_, err := c.check(nil)
	_ = errors.As(err, &wrong)
	return wrong
}

// check cleans the settings in place and says everything that is wrong with the whole change. Before is nil
// for a new registration.
func (c *Change) check(before *Registration) ([]Note, error) {
	cleaned, notes := c.Clean()
	c.Settings = cleaned
	c.ClientID = cmp.Or(c.ClientID, c.Secret.ClientID())
	wrong := c.Validate()
	c.Secret.fits(c.Settings, &wrong)
	_, _, bad := c.Secret.describe()
	wrong = append(wrong, bad...)
	if c.Secret.IsZero() {
		c.checkKeptSecret(before, &wrong)
	}
	return append(notes, cleaned.Notes()...), wrong.Err()
}

// checkKeptSecret makes sure that the secret there is may go where the settings now point.
func (c *Change) checkKeptSecret(before *Registration, wrong *problem.Invalid) {
	var kept ClientSecret
	found := false
	if before != nil {
		kept, found = before.Active()
	}
	account := c.EffectiveFlow() == ServiceAccount
	switch {
	case !found || account != (kept.Kind == AccountKey):
		c.required(wrong)
	case before.TokenURL != c.TokenURL:
		field := map[SecretKind]string{SharedSecret: "client_secret", ClientCertificate: "key", AccountKey: "service_account"}[kept.Kind]
		wrong.Add(field, "The token URL changed. Give the secret again: a stored secret is only ever sent where it was given for.")
	}
}

// conflict shows where the stored registration differs from what was typed.
func conflict(stored Registration, typed Settings) error {
	who := stored.ChangedBy
	if who == "" {
		who = "somebody else"
	}
	return &problem.Conflict{What: "OAuth registration " + stored.Pattern, Who: who, Changed: differences(stored.Settings, typed)}
}

// labels names the settings as people see them.
var labels = []struct {
	field, label string
	value        func(Settings) any
}{
	{"pattern", "Applies to", func(s Settings) any { return s.Pattern }},
	{"flow", "Flow", func(s Settings) any { return s.Flow }},
	{"provider", "Provider", func(s Settings) any { return s.Provider }},
	{"tenant", "Tenant", func(s Settings) any { return s.Tenant }},
	{"permission_url", "Permission URL", func(s Settings) any { return s.PermissionURL }},
	{"device_url", "Device code URL", func(s Settings) any { return s.DeviceURL }},
	{"token_url", "Token URL", func(s Settings) any { return s.TokenURL }},
	{"issuer", "Issuer", func(s Settings) any { return s.Issuer }},
	{"scope", "Scope", func(s Settings) any { return s.Scope }},
	{"resource", "Resource", func(s Settings) any { return s.Resource }},
	{"client_id", "Client id", func(s Settings) any { return s.ClientID }},
	{"redirect_uri", "Redirect URI", func(s Settings) any { return s.RedirectURI }},
	{"redirect_listen_address", "Redirect listen address", func(s Settings) any { return s.RedirectListenAddress }},
	{"use_network_connector", "Use network connector", func(s Settings) any { return s.UseNetworkConnector }},
	{"network_connector_id", "Network connector", func(s Settings) any { return s.NetworkConnectorID }},
	{"proxy_listener_id", "Listener", func(s Settings) any { return s.ProxyListenerID }},
}

func differences(stored, typed Settings) []problem.Change {
	var changed []problem.Change
	for _, l := range labels {
		if was, now := fmt.Sprint(l.value(stored)), fmt.Sprint(l.value(typed)); was != now {
			changed = append(changed, problem.Change{Field: l.field, Label: l.label, Stored: was, Yours: now})
		}
	}
	return changed
}
