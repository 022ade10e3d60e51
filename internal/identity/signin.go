package identity

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Attempt is somebody at the door.
type Attempt struct {
	Username string
	Password vault.Secret
	Visitor  Visitor
	Previous Session // the browser's present session, which the new one replaces
}

// Why a sign-in failed, for the audit trail only: the person never learns more than "wrong".
const (
	noSuchUser    = "no such user"
	wrongPassword = "wrong password"
	notActive     = "user is deactivated"
)

// unknownName stands in the audit trail for a name that no user has. What was typed is not kept: it is often a
// password that slipped into the wrong field.
const unknownName = "(unknown user)"

// SignIn checks a password and begins a session; its Key goes into the cookie. A wrong name and a wrong password give
// the same problem.Invalid after the same work; too many of either give *Throttled.
func (s *Service) SignIn(ctx context.Context, a Attempt) (Session, error) {
	keys := throttleKeys(a.Visitor.Address, a.Username)
	if err := s.attempt(ctx, keys); err != nil {
		return Session{}, err
	}
	user, err := selectUserByName(ctx, s.pool, a.Username)
	if err != nil && !errors.Is(err, problem.ErrNotFound) {
		return Session{}, err
	}
	ok, outdated, err := s.verify(ctx, user.PasswordHash, a.Password)
	if err != nil {
		return Session{}, err
	}
	if !ok || !user.Active {
		return Session{}, s.refuseSignIn(ctx, a, user.User, ok)
	}
	hash := user.PasswordHash
	if outdated {
		if hash, err = s.hashes.hash(ctx, a.Password); err != nil {
			return Session{}, err
		}
	}
	return s.beginSession(ctx, a, user, hash, keys)
}

func (s *Service) refuseSignIn(ctx context.Context, a Attempt, user User, passwordRight bool) error {
	reason := wrongPassword
	switch {
	case user.ID == 0:
		reason, user.Username = noSuchUser, unknownName
	case passwordRight:
		reason = notActive
	}
	ctx = actAs(ctx, user, a.Visitor)
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		return record(ctx, tx, "user.sign_in_failed", user, map[string]any{"reason": reason})
	})
	if err != nil {
		return err
	}
	return problem.Invalid{{Text: "The username or the password is wrong."}}
}

// beginSession writes the session, unless the user was changed while the password was being checked.
func (s *Service) beginSession(ctx context.Context, a Attempt, checked userRow, hash string, keys []string) (Session, error) {
	ctx = actAs(ctx, checked.User, a.Visitor)
	visitor, now := a.Visitor.withLimits(), s.now()
	session := Session{
		Address: visitor.Address, UserAgent: visitor.UserAgent, Key: newKey(),
		CreatedAt: now, LastSeenAt: now, ConfirmedAt: &now, ExpiresAt: now.Add(s.options.Absolute),
	}
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		user, err := lockUser(ctx, tx, checked.ID)
		if err != nil {
			return err
		}
		if !user.Active || user.PasswordHash != checked.PasswordHash {
			return problem.Refuse("Your user was changed at this moment. Sign in again.")
		}
		session.User = user.User
		if err := noteSignIn(ctx, tx, user.ID, hash, now); err != nil {
			return err
		}
		if err := deleteFailures(ctx, tx, keys); err != nil {
			return err
		}
		if err := replaceSession(ctx, tx, a.Previous, &session); err != nil {
			return err
		}
		return record(ctx, tx, "user.signed_in", user.User, nil)
	})
	return session, err
}

// replaceSession inserts session and ends the one that the browser had, whoever it belonged to.
func replaceSession(ctx context.Context, tx pgx.Tx, previous Session, session *Session) error {
	if previous.SignedIn() {
		if _, err := deleteSession(ctx, tx, previous.User.ID, previous.ID); err != nil {
			return err
		}
	}
	id, err := insertSession(ctx, tx, *session)
	session.ID = id
	return err
}

// actAs makes user the actor of what follows: before sign-in the context has none.
func actAs(ctx context.Context, user User, visitor Visitor) context.Context {
	return audit.WithActor(ctx, audit.Actor{Kind: audit.User, ID: user.ID, Name: user.Username, Address: visitor.Address})
}

// ConfirmPassword asks the person in front of session for the password again. The session gets a new key, which goes
// into the cookie. A wrong password is a problem of the field "current_password", counted like a wrong sign-in.
func (s *Service) ConfirmPassword(ctx context.Context, session Session, password vault.Secret) (Session, error) {
	if err := s.checkOwnPassword(ctx, session, "current_password", password); err != nil {
		return Session{}, err
	}
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.renew(ctx, tx, &session); err != nil {
			return err
		}
		return record(ctx, tx, "user.password_confirmed", session.User, nil)
	})
	return session, err
}

// ChangePassword replaces a person's own password and ends all other sessions; this one gets a new key.
func (s *Service) ChangePassword(ctx context.Context, session Session, current, wanted vault.Secret) (Session, error) {
	var wrong problem.Invalid
	checkPassword(&wrong, "new_password", wanted, session.User)
	if current.IsZero() {
		wrong.Add("current_password", "Enter your present password.")
	}
	if err := wrong.Err(); err != nil {
		return Session{}, err
	}
	if err := s.checkOwnPassword(ctx, session, "current_password", current); err != nil {
		return Session{}, err
	}
	hash, err := s.hashes.hash(ctx, wanted)
	if err != nil {
		return Session{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := updatePassword(ctx, tx, session.User.ID, hash, session.User.Username, s.now()); err != nil {
			return err
		}
		if _, err := deleteSessions(ctx, tx, session.User.ID, session.ID); err != nil {
			return err
		}
		if err := s.renew(ctx, tx, &session); err != nil {
			return err
		}
		return record(ctx, tx, "user.password_set", session.User, map[string]any{"by": "the user"})
	})
	return session, err
}

// renew gives a session that has just proved its password a new key.
func (s *Service) renew(ctx context.Context, tx pgx.Tx, session *Session) error {
	now := s.now()
	session.Key, session.ConfirmedAt = newKey(), &now
	return rekeySession(ctx, tx, session.ID, session.Key, session.ConfirmedAt)
}

// checkOwnPassword is for somebody who is signed in already. It tells the truth about which field is wrong. Tries count
// against the session alone: a stranger at the sign-in page cannot keep its owner from working.
func (s *Service) checkOwnPassword(ctx context.Context, session Session, field string, password vault.Secret) error {
	keys := []string{"session:" + strconv.FormatInt(session.ID, 10)}
	if err := s.attempt(ctx, keys); err != nil {
		return err
	}
	user, err := selectUserByName(ctx, s.pool, session.User.Username)
	if err != nil {
		return err
	}
	ok, _, err := s.verify(ctx, user.PasswordHash, password)
	if err != nil {
		return err
	}
	if ok {
		return deleteFailures(ctx, s.pool, keys)
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		return record(ctx, tx, "user.confirmation_failed", user.User, nil)
	})
	if err != nil {
		return err
	}
	return problem.Invalid{{Name: field, Text: "This is not your present password."}}
}
