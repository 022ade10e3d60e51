package oauth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/mail/ladder"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// proveTime bounds the sign-in at a mail server that proves a token.
const proveTime = 30 * time.Second

// signedInAs is the mailbox that signed in, as far as the provider says: in the tokens, or where the registration
// names an issuer and its scope allows it, at the userinfo endpoint. "" leaves the question to the mail server, which
// accepts no token for another mailbox than its own.
func (s *Service) signedInAs(ctx context.Context, r Registration, t endpoint.Tokens) string {
	name := endpoint.SignedInAs(t)
	granted := t.Scope
	if granted == "" {
		granted = r.Scope
	}
	if name != "" || r.Issuer == "" || !slices.Contains(strings.Fields(granted), "openid") {
		return name
	}
	way, err := s.client(ctx, r)
	if err == nil {
		name, err = endpoint.UserInfo(ctx, way, r.Issuer, t.Access)
	}
	if err != nil {
		s.log.Warn("ask the issuer who signed in", "registration", r.Pattern, "issuer", r.Issuer, "error", err)
	}
	return name
}

// proven lets a mail server judge fresh tokens and returns the outcome for the person.
func (s *Service) proven(ctx context.Context, address string, t endpoint.Tokens) Outcome {
	fault := s.prove(ctx, address, t.Access)
	g, err := findGrant(ctx, s.pool, address)
	if err != nil {
		s.log.Error("read a grant again", "address", address, "error", err)
	}
	return Outcome{
		Address: address, Authorised: true, State: g.State, ProvenBy: g.ProvenBy, SignedInAs: g.SignedInAs,
		WrongMailbox: g.WrongMailbox(), Fault: fault, At: s.now(),
	}
}

// prove signs in at the mail servers of an address and keeps what they said.
func (s *Service) prove(ctx context.Context, address string, token vault.Secret) *ladder.Fault {
	if s.prover == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	by, err := s.prover.Prove(ctx, address, token)
	switch {
	case err == nil:
		err = s.Proved(ctx, address, by)
	case errors.Is(err, ErrNothingToProve):
		return nil
	}
	if err == nil {
		return nil
	}
	fault := faultOf(err)
	if err := s.Refused(context.WithoutCancel(ctx), address, fault); err != nil {
		s.log.Error("store that a mail server refused a token", "address", address, "error", err)
	}
	return &fault
}

// Prove gets the token of an address and lets its mail servers judge it: the button "Try again", and the
// whole authorisation where a flow needs no person.
func (s *Service) Prove(ctx context.Context, address string) (Outcome, error) {
	address = Normal(address)
	token, err := s.access(ctx, address)
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return Outcome{Address: address, Fault: &explained.Fault, State: s.state(ctx, address), At: s.now()}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	return s.proven(ctx, address, endpoint.Tokens{Access: token}), nil
}

func (s *Service) state(ctx context.Context, address string) State {
	g, err := findGrant(ctx, s.pool, address)
	if err != nil {
		return None
	}
	return g.State
}

// Proved tells that a mail server accepted the token of an address. Every accepted sign-in may call it; all
// but the first cost nothing.
func (s *Service) Proved(ctx context.Context, address, by string) error {
	address = Normal(address)
	if c := s.cache.get(address); c.proven {
		return nil
	}
	g, err := findGrant(ctx, s.pool, address)
	if err != nil {
		return err
	}
	if g.State != Active {
		err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
			if err := storeProof(ctx, tx, g.ID, by); err != nil {
				return err
			}
			return s.recordGrant(ctx, tx, "proven", g.Grant, map[string]any{"by": by})
		})
	}
	s.cache.prove(address, err == nil)
	return err
}

// Refused tells that a mail server refused a fresh token of an address. A temporary fault is remembered, any
// other makes the grant failed until a mail server accepts its token; tokens are still handed out.
func (s *Service) Refused(ctx context.Context, address string, f ladder.Fault) error {
	address = Normal(address)
	g, err := findGrant(ctx, s.pool, address)
	if err != nil || g.FailedBecause == GrantFailed || g.FailedBecause == ClientFail {
		return err // what the provider said weighs more
	}
	s.cache.prove(address, false)
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if f.Temporary {
			return storeRemark(ctx, tx, g.ID, f)
		}
		if err := storeRefusal(ctx, tx, g.ID, f); err != nil || g.State == Failed {
			return err
		}
		return s.recordGrant(ctx, tx, "refused", g.Grant, map[string]any{"code": f.Code})
	})
}

func faultOf(err error) ladder.Fault {
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return explained.Fault
	}
	return ladder.Fault{
		Code: "oauth_not_proven", Cause: "The token could not be tried at the mail server.", Who: ladder.You, Temporary: true,
		Remedy: "Choose Try again; the log has the details.",
	}
}

// Grants lists what all addresses have, or those of one registration.
func (s *Service) Grants(ctx context.Context, registration int64) ([]Grant, error) {
	grants, err := listGrants(ctx, s.pool, registration)
	if err != nil {
		return nil, err
	}
	return grants, s.nameServers(ctx, grants)
}

// Grant returns what an address has, or problem.ErrNotFound.
func (s *Service) Grant(ctx context.Context, address string) (Grant, error) {
	g, err := findGrant(ctx, s.pool, Normal(address))
	return g.Grant, err
}

// Forget takes the tokens of an address; the registration stays.
func (s *Service) Forget(ctx context.Context, address string) error {
	address = Normal(address)
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		g, err := findGrant(ctx, tx, address)
		if err != nil {
			return err
		}
		if err := emptyGrant(ctx, tx, g.ID); err != nil {
			return err
		}
		return s.recordGrant(ctx, tx, "forgotten", g.Grant, nil)
	})
	s.cache.drop(address)
	return err
}

// SetPassword stores the mailbox's password for the password flow, which sends it to the token endpoint.
func (s *Service) SetPassword(ctx context.Context, address string, password vault.Secret) (Outcome, error) {
	if password.IsZero() {
		return Outcome{}, problem.Invalid{{Name: "password", Text: "Give the mailbox's password."}}
	}
	g, r, err := s.interactive(ctx, address, Password)
	if err != nil {
		return Outcome{}, err
	}
	sealed, err := s.box.Seal(password, passwordPlace(g.Grant, r.Settings))
	if err != nil {
		return Outcome{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := emptyGrant(ctx, tx, g.ID); err != nil {
			return err
		}
		if err := storePassword(ctx, tx, g.ID, sealed); err != nil {
			return err
		}
		servers, err := s.approveForGrant(ctx, tx, g.Grant, r, audit.ActorFrom(ctx).Name)
		if err != nil {
			return err
		}
		return s.recordGrant(ctx, tx, "password_set", g.Grant, map[string]any{"servers": servers})
	})
	if err != nil {
		return Outcome{}, err
	}
	s.cache.drop(g.Address)
	return s.Prove(ctx, g.Address)
}
