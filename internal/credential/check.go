package credential

import (
	"context"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// CheckNew returns what CreateIn would object to, for a form that names all its problems at once.
func (s *Service) CheckNew(ctx context.Context, name, username string, secret vault.Secret) error {
	name, username = normal(name, username)
	wrong := Credential{Name: name, Username: username}.Validate(secret)
	if wrong.For("name") != "" {
		return wrong
	}
	taken, err := nameTaken(ctx, s.pool, name)
	if err != nil {
		return err
	}
	if taken {
		wrong = append(wrong, otherName(name)...)
	}
	return wrong.Err()
}

// CheckApproval returns what Approve would object to while no secret is typed. Whether a typed one is right is for
// Approve alone to say: it is asked only after the person has been confirmed.
func (s *Service) CheckApproval(ctx context.Context, id int64, to Destination, secret vault.Secret) error {
	if !secret.IsZero() {
		return nil
	}
	c, err := selectOne(ctx, s.pool, id, unlocked)
	if err != nil {
		return err
	}
	approved, err := s.Approved(ctx, id, to)
	if err != nil || approved {
		return err
	}
	return secretNeeded(c, to)
}

// secretNeeded asks for the secret of c, which was not entered for the destination yet.
func secretNeeded(c Credential, to Destination) problem.Invalid {
	var wrong problem.Invalid
	wrong.Add("secret", "The secret of credential %s was not used with %s yet. Enter it once to allow that.", c.Name, to.Label())
	return wrong
}
