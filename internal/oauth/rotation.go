package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/mail/ladder"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// A secret is changed without a gap: the new one goes into the free slot, is proven at the token endpoint,
// and then takes over. The old one stays, so that switching back is the same step again.

// fillSlot seals a new secret into a slot; nothing happens without one.
func (s *Service) fillSlot(ctx context.Context, tx pgx.Tx, r *Registration, slot int, n NewSecret) error {
	if n.IsZero() {
		return nil
	}
	c, clear, bad := n.describe()
	if len(bad) > 0 {
		return bad
	}
	var err error
	if c.ID, err = nextID(ctx, tx, "oauth_client_secret"); err != nil {
		return err
	}
	c.RegistrationID, c.Slot, c.CreatedBy = r.ID, slot, audit.ActorFrom(ctx).Name
	sealed, err := s.box.Seal(clear, secretPlace(c.ID, r.Settings))
	if err != nil {
		return err
	}
	if err := replaceSecret(ctx, tx, c, sealed); err != nil {
		return err
	}
	if r.Secrets, err = listSecrets(ctx, tx, r.ID); err != nil {
		return err
	}
	if err := s.approveForSecret(ctx, tx, *r, c); err != nil || slot != r.ActiveSlot {
		return err
	}
	return s.renewAll(ctx, tx, *r)
}

// AddSecret puts a candidate into the slot that is not in use, replacing what was there.
func (s *Service) AddSecret(ctx context.Context, id int64, n NewSecret) (Registration, error) {
	return s.changeSlots(ctx, id, "secret_added", func(tx pgx.Tx, r *Registration) error {
		var wrong problem.Invalid
		if n.IsZero() {
			wrong.Add("client_secret", "Give the new client secret, or a certificate with its key.")
		}
		n.fits(r.Settings, &wrong)
		_, _, bad := n.describe()
		if err := append(wrong, bad...).Err(); err != nil {
			return err
		}
		return s.fillSlot(ctx, tx, r, r.otherSlot(), n)
	})
}

// RemoveSecret empties the slot that is not in use.
func (s *Service) RemoveSecret(ctx context.Context, id int64) (Registration, error) {
	return s.changeSlots(ctx, id, "secret_removed", func(tx pgx.Tx, r *Registration) error {
		return deleteSecret(ctx, tx, r.ID, r.otherSlot())
	})
}

// SwitchSecret makes the other slot the one in use; doing it again rolls back. Unless it is accepted, a
// secret that the token endpoint has not accepted yet is a *problem.Confirm.
func (s *Service) SwitchSecret(ctx context.Context, id int64, acceptUnproven bool) (Registration, error) {
	return s.changeSlots(ctx, id, "secret_switched", func(tx pgx.Tx, r *Registration) error {
		candidate, ok := r.Candidate()
		if !ok {
			return problem.Refuse("%s has no second secret. Add the new one first.", r.Pattern)
		}
		if candidate.ProvenAt == nil && !acceptUnproven {
			return &problem.Confirm{Name: "accept_unproven", Text: "The token endpoint has not accepted this secret yet. If it is wrong, no address of this registration gets a token."}
		}
		r.ActiveSlot = candidate.Slot
		if err := activateSlot(ctx, tx, r.ID, r.ActiveSlot, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		if err := s.renewAll(ctx, tx, *r); err != nil {
			return err
		}
		return unflagGrantsOf(ctx, tx, r.ID)
	})
}

func (s *Service) changeSlots(ctx context.Context, id int64, action string, change func(pgx.Tx, *Registration) error) (Registration, error) {
	var r Registration
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		var err error
		if r, err = lockClient(ctx, tx, id); err != nil {
			return err
		}
		if err := change(tx, &r); err != nil {
			return err
		}
		if r, err = findClient(ctx, tx, id); err != nil {
			return err
		}
		return s.recordClient(ctx, tx, action, r, map[string]any{"active_slot": r.ActiveSlot})
	})
	s.cache.clear()
	return r, err
}

// SecretProof says what the token endpoint said about a secret.
type SecretProof struct {
	Proven bool
	Text   string        // how it was proven, or what remains open
	Fault  *ladder.Fault // why it was refused
}

// ProveSecret tries the candidate, or without one the secret in use, at the token endpoint.
func (s *Service) ProveSecret(ctx context.Context, id int64) (SecretProof, error) {
	r, err := s.Find(ctx, id)
	if err != nil {
		return SecretProof{}, err
	}
	secret, ok := r.Candidate()
	if !ok {
		secret, ok = r.Active()
	}
	if !ok {
		return SecretProof{}, problem.Refuse("%s has no secret to prove.", r.Pattern)
	}
	a, err := s.askerFor(ctx, r, secret.Slot)
	if err != nil {
		return SecretProof{}, err
	}
	proof := s.trySecret(ctx, a)
	return proof, s.rememberProof(ctx, r, secret, proof)
}

func (s *Service) rememberProof(ctx context.Context, r Registration, c ClientSecret, p SecretProof) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if p.Proven {
			if err := markSecretProven(ctx, tx, c.ID); err != nil {
				return err
			}
		}
		return s.recordClient(ctx, tx, "secret_proven", r, map[string]any{"slot": c.Slot, "accepted": p.Proven})
	})
}

// trySecret asks for a token where the flow needs nobody. Where a person has to consent, it sends a refresh
// token that cannot exist: a server authenticates the client before it looks at the grant (RFC 6749 5.2),
// so invalid_grant means that it knows the client. No grant is touched.
func (s *Service) trySecret(ctx context.Context, a asker) SecretProof {
	flow := a.registration.EffectiveFlow()
	form := endpoint.Refresh(vault.NewSecret("orbit-probe-" + rand.Text()))
	switch {
	case flow == ClientCredentials:
		form = endpoint.ClientCredentials(a.registration.Scope)
	case flow == ServiceAccount && a.account != nil:
		assertion, err := a.account.Grant(a.registration.TokenURL, "", a.registration.Scope, s.now())
		if err != nil {
			return s.refusedProof(err, a.registration)
		}
		form = assertion
	}
	_, err := a.ask(ctx, form)
	var refused *endpoint.Error
	switch {
	case err == nil:
		return SecretProof{Proven: true, Text: "The token endpoint gave a token for it."}
	case errors.As(err, &refused) && refused.Code == "invalid_grant" && flow != ServiceAccount && flow != ClientCredentials:
		return SecretProof{Proven: true, Text: "The token endpoint knows the client with it; the made-up refresh token that was sent along was refused, as it must be."}
	}
	return s.refusedProof(err, a.registration)
}

func (s *Service) refusedProof(err error, r Registration) SecretProof {
	v := judge(err, r, "", s.redirectURI(r.Settings))
	text := "The token endpoint did not accept it: " + v.fault.Cause
	if v.because != ClientFail {
		text = fmt.Sprintf("The token endpoint gave no clear answer: %s", v.fault.Cause)
	}
	return SecretProof{Text: text, Fault: &v.fault}
}
