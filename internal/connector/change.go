package connector

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// NewCredentialID chooses, in place of a credential's id, the one that is registered together with the connector.
const NewCredentialID = -1

// Change is what a person submits for a connector.
type Change struct {
	Settings
	Version       int          // that was read; 0: whatever is stored
	Secret        vault.Secret // asked for once for each place it goes to
	NewCredential NewCredential
}

// NewCredential is registered on the way when CredentialID is NewCredentialID.
type NewCredential struct {
	Name     string
	Username string
}

// List returns all connectors, "direct" first.
func (s *Service) List(ctx context.Context) ([]Connector, error) { return selectAll(ctx, s.pool) }

// Find returns one connector, or problem.ErrNotFound.
func (s *Service) Find(ctx context.Context, id int64) (Connector, error) {
	return selectOne(ctx, s.pool, id)
}

// FindByName returns the connector of that name in any case, or problem.ErrNotFound.
func (s *Service) FindByName(ctx context.Context, name string) (Connector, error) {
	return selectByName(ctx, s.pool, name)
}

// Uses tells what goes through a connector.
func (s *Service) Uses(ctx context.Context, id int64) ([]Use, error) {
	return selectUses(ctx, s.pool, id)
}

// Create registers a connector.
func (s *Service) Create(ctx context.Context, c Change) (stored Connector, err error) {
	c.Settings = c.Normalise()
	if err := c.Validate().Err(); err != nil {
		return Connector{}, err
	}
	err = s.changing(ctx, func(tx pgx.Tx) (Connector, error) {
		if err := s.prepareCredential(ctx, tx, &c); err != nil {
			return Connector{}, err
		}
		if stored, err = insertOne(ctx, tx, c.Settings, audit.ActorFrom(ctx).Name); err != nil {
			return Connector{}, err
		}
		return stored, record(ctx, tx, "created", stored, audit.Changes(nil, stored.Settings))
	})
	return stored, err
}

// Save changes a connector. A *problem.Conflict says that somebody else did so first. What goes through it
// takes the new way with its next connection.
func (s *Service) Save(ctx context.Context, id int64, c Change) (stored Connector, err error) {
	c.Settings = c.Normalise()
	if c.Kind != KindDirect { // that one says so itself
		if err := c.Validate().Err(); err != nil {
			return Connector{}, err
		}
	}
	err = s.changing(ctx, func(tx pgx.Tx) (Connector, error) {
		before, err := lockOne(ctx, tx, id)
		if err != nil {
			return Connector{}, err
		}
		if err := before.mayBecome(c); err != nil {
			return Connector{}, err
		}
		if err := s.prepareCredential(ctx, tx, &c); err != nil {
			return Connector{}, err
		}
		if stored, err = updateOne(ctx, tx, before, c.Settings, audit.ActorFrom(ctx).Name); err != nil {
			return Connector{}, err
		}
		return stored, record(ctx, tx, "changed", stored, audit.Changes(before.Settings, stored.Settings))
	})
	return stored, err
}

// mayBecome says why a stored connector cannot be changed so.
func (c Connector) mayBecome(to Change) error {
	switch {
	case c.Kind == KindDirect:
		return problem.Refuse("The direct connection cannot be changed.")
	case to.Version != 0 && to.Version != c.Version:
		return conflict(c, to.Settings)
	case (c.Kind == KindAgent) != (to.Kind == KindAgent):
		return problem.Invalid{{Name: "kind", Text: "An agent stays an agent, and nothing else becomes one. Register another connector."}}
	}
	return nil
}

// SetActive activates a connector, or takes it out of use: what would go through it fails then. It asks for
// no secret, whatever happened to the credential.
func (s *Service) SetActive(ctx context.Context, id int64, active bool) (stored Connector, err error) {
	err = s.changing(ctx, func(tx pgx.Tx) (Connector, error) {
		before, err := lockOne(ctx, tx, id)
		if err != nil {
			return Connector{}, err
		}
		if before.Kind == KindDirect {
			return Connector{}, problem.Refuse("The direct connection cannot be changed.")
		}
		settings := before.Settings
		settings.Active = active
		if stored, err = updateOne(ctx, tx, before, settings, audit.ActorFrom(ctx).Name); err != nil {
			return Connector{}, err
		}
		return stored, record(ctx, tx, "changed", stored, audit.Changes(before.Settings, stored.Settings))
	})
	return stored, err
}

// Delete removes a connector. It is refused while something goes through it. Version is the one that was
// read, 0 for any.
func (s *Service) Delete(ctx context.Context, id int64, version int) error {
	return s.changing(ctx, func(tx pgx.Tx) (Connector, error) {
		found, err := lockOne(ctx, tx, id)
		if err != nil {
			return Connector{}, err
		}
		if version != 0 && version != found.Version {
			return Connector{}, conflict(found, found.Settings)
		}
		uses, err := selectUses(ctx, tx, id) // from here on the lock lets nobody point to it
		if err != nil {
			return Connector{}, err
		}
		if why, refused := found.Undeletable(uses); refused {
			return Connector{}, problem.Refuse("%s", why)
		}
		if err := deleteOne(ctx, tx, id); err != nil {
			return Connector{}, fmt.Errorf("delete network connector %d: %w", id, err)
		}
		if err := record(ctx, tx, "deleted", found, audit.Changes(found.Settings, nil)); err != nil {
			return Connector{}, err
		}
		found.Active = false
		return found, nil
	})
}

// maxListed uses are named before "and 7 more".
const maxListed = 5

// Undeletable says why a connector cannot be deleted, and where to go first.
func (c Connector) Undeletable(uses []Use) (why string, refused bool) {
	if c.Kind == KindDirect {
		return "The direct connection cannot be deleted.", true
	}
	if len(uses) == 0 {
		return "", false
	}
	return fmt.Sprintf("Network connector %s is used by %s and cannot be deleted. Choose another way there first.", c.Name, Named(uses)), true
}

// Named lists uses in a sentence: "SMTP account Office365, proxy listener IMAP-2993 and 7 more".
func Named(uses []Use) string {
	var listed []string
	for _, u := range uses[:min(len(uses), maxListed)] {
		listed = append(listed, u.What+" "+u.Name)
	}
	text := strings.Join(listed, ", ")
	if more := len(uses) - len(listed); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// changing runs a change of one connector and tells all processes. This process follows
// without waiting for the notification.
func (s *Service) changing(ctx context.Context, do func(tx pgx.Tx) (Connector, error)) error {
	var changed Connector
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if changed, err = do(tx); err != nil {
			return err
		}
		return tell(ctx, tx, changed.ID)
	})
	if err == nil {
		s.follow(changed)
	}
	return err
}

// prepareCredential registers a credential on the way, and approves the connector for the secret.
func (s *Service) prepareCredential(ctx context.Context, tx pgx.Tx, c *Change) error {
	if c.CredentialID == 0 {
		return nil
	}
	if s.Credentials == nil {
		return problem.Refuse("Credentials are not available in this process.")
	}
	if c.CredentialID == NewCredentialID {
		created, err := s.Credentials.CreateIn(ctx, tx, c.NewCredential.Name, c.NewCredential.Username, c.Secret)
		if err != nil {
			return renamed(err)
		}
		c.CredentialID = created.ID
	}
	stored, err := s.Credentials.FindIn(ctx, tx, c.CredentialID)
	if errors.Is(err, problem.ErrNotFound) {
		return problem.Invalid{{Name: "credential_id", Text: "This credential no longer exists; choose another one."}}
	}
	if err != nil {
		return err
	}
	if c.Kind == KindHTTPConnect && strings.Contains(stored.Username, ":") {
		return problem.Invalid{{Name: "credential_id", Text: "An HTTP proxy takes no username with a colon (RFC 7617); choose another credential."}}
	}
	return s.Credentials.Approve(ctx, tx, stored.ID, c.Destination(stored.Username), c.Secret)
}

// renamed gives the problems of a new credential the names that the connector's form uses.
func renamed(err error) error {
	var wrong problem.Invalid
	if !errors.As(err, &wrong) {
		return err
	}
	out := make(problem.Invalid, len(wrong))
	for i, field := range wrong {
		if field.Name == "name" || field.Name == "username" {
			field.Name = "new_credential_" + field.Name
		}
		out[i] = field
	}
	return out
}

func record(ctx context.Context, tx pgx.Tx, action string, c Connector, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: "network_connector." + action, Object: "network_connector", ObjectID: c.ID, ObjectName: c.Name, Detail: detail,
	})
}

// conflict shows where the stored connector differs from what was typed.
func conflict(stored Connector, typed Settings) error {
	c := &problem.Conflict{What: "network connector " + stored.Name, Who: stored.ChangedBy}
	if c.Who == "" {
		c.Who = "somebody else"
	}
	is, yours := reflect.ValueOf(stored.Settings), reflect.ValueOf(typed)
	for i := range is.NumField() {
		if is.Field(i).Equal(yours.Field(i)) {
			continue
		}
		tag := is.Type().Field(i).Tag
		c.Changed = append(c.Changed, problem.Change{
			Field: tag.Get("form"), Label: tag.Get("label"),
			Stored: fmt.Sprint(is.Field(i)), Yours: fmt.Sprint(yours.Field(i)),
		})
	}
	return c
}
