package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// invitationValid is how long the link of an invitation can be used.
const invitationValid = 7 * 24 * time.Hour

// Invitation is what the mail to an invited user carries.
type Invitation struct {
	User    User
	Token   vault.Secret // stands in the link and nowhere else
	Expires time.Time
}

// SendInvitation puts an invitation into the mail, in the transaction that makes it. internal/app ties it to
// internal/notify.
type SendInvitation func(ctx context.Context, tx pgx.Tx, invitation Invitation) error

// MemberByEmail returns the active user with that address, of several the oldest. When there is none it makes one
// with the role member, who has the address as username, and invites them.
func (s *Service) MemberByEmail(ctx context.Context, name, email string) (User, error) {
	u, err := selectUserByEmail(ctx, s.pool, email)
	if !errors.Is(err, problem.ErrNotFound) {
		return u, err
	}
	u = User{Username: strings.ToLower(email), Email: email, FullName: name, Role: Member, Active: true}.withDefaults()
	if err := u.Validate().Err(); err != nil {
		return User{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		invitation, err := s.invite(ctx, tx, func() (User, error) {
			return insertUser(ctx, tx, u, "", audit.ActorFrom(ctx).Name, s.now())
		})
		if err != nil {
			return err
		}
		u = invitation.User
		return record(ctx, tx, "user.created", u, audit.Changes(nil, u))
	})
	var taken problem.Invalid
	if errors.As(err, &taken) { // another process was quicker
		return selectUserByEmail(ctx, s.pool, email)
	}
	return u, err
}

// Invite sends somebody who has no password yet, or has lost it, a link to choose one. An earlier link ends.
func (s *Service) Invite(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		invitation, err := s.invite(ctx, tx, func() (User, error) {
			stored, err := lockUser(ctx, tx, id)
			return stored.User, err
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, "user.invited", invitation.User, map[string]any{"email": invitation.User.Email})
	})
}

// invite makes the link for a user and puts it into the mail.
func (s *Service) invite(ctx context.Context, tx pgx.Tx, user func() (User, error)) (Invitation, error) {
	u, err := user()
	switch {
	case err != nil:
		return Invitation{}, err
	case s.options.SendInvitation == nil:
		return Invitation{}, problem.Refuse("This Orbit sends no mail, so nobody can be invited by one.")
	case u.Email == "":
		return Invitation{}, problem.Refuse("%s has no e-mail address to be invited by.", u.DisplayName())
	case !u.Active:
		return Invitation{}, problem.Refuse("%s is not active.", u.DisplayName())
	}
	invitation := Invitation{User: u, Token: newToken(), Expires: s.now().Add(invitationValid)}
	if err := storeInvitation(ctx, tx, invitation, audit.ActorFrom(ctx).Name, s.now()); err != nil {
		return Invitation{}, err
	}
	return invitation, s.options.SendInvitation(ctx, tx, invitation)
}

// Invited returns who was invited by the link, or problem.ErrNotFound when it was used, has expired or is none.
func (s *Service) Invited(ctx context.Context, token vault.Secret) (User, error) {
	return selectInvited(ctx, s.pool, digest(token), s.now())
}

// AcceptInvitation sets the password that an invited user has chosen, and signs in. The link can't be used again.
func (s *Service) AcceptInvitation(ctx context.Context, token, password vault.Secret, visitor Visitor) (Session, error) {
	u, err := s.Invited(ctx, token)
	if err != nil {
		return Session{}, err
	}
	var wrong problem.Invalid
	checkPassword(&wrong, "password", password, u)
	if err := wrong.Err(); err != nil {
		return Session{}, err
	}
	hash, err := s.hashes.hash(ctx, password)
	if err != nil {
		return Session{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := spendInvitation(ctx, tx, u.ID, digest(token), s.now()); err != nil {
			return err
		}
		if err := updatePassword(ctx, tx, u.ID, hash, u.Username, s.now()); err != nil {
			return err
		}
		if _, err := deleteSessions(ctx, tx, u.ID, 0); err != nil {
			return err
		}
		return record(actAs(ctx, u, visitor), tx, "user.password_set", u, map[string]any{"by": "an invitation"})
	})
	if err != nil {
		return Session{}, err
	}
	return s.SignIn(ctx, Attempt{Username: u.Username, Password: password, Visitor: visitor})
}
