package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// UserFilter chooses and orders what Users returns.
type UserFilter struct {
	Search     string // in username, full name or e-mail address
	Role       Role   // empty: any
	Active     *bool  // nil: any
	Sort       string // id, username, full_name, email, role, active, last_sign_in, created_at; default username
	Descending bool
	Limit      int // 0: all
	Offset     int
}

// Users returns one page of users, and how many match in all.
func (s *Service) Users(ctx context.Context, filter UserFilter) ([]User, int, error) {
	filter.Search = strings.TrimSpace(filter.Search)
	return selectUsers(ctx, s.pool, filter)
}

// FindUser returns one user, or problem.ErrNotFound.
func (s *Service) FindUser(ctx context.Context, id int64) (User, error) {
	return selectUser(ctx, s.pool, id)
}

// CreateUser adds somebody who may sign in with password at once. An empty password creates somebody who cannot sign
// in until an administrator sets one.
func (s *Service) CreateUser(ctx context.Context, u User, password vault.Secret) (User, error) {
	u = u.withDefaults()
	u.Active = true
	hash, err := s.check(ctx, u, password)
	if err != nil {
		return User{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		u, err = s.create(ctx, tx, u, hash)
		return err
	})
	return u, err
}

// check lists everything wrong with a new user and its password, and hashes the password when nothing is.
func (s *Service) check(ctx context.Context, u User, password vault.Secret) (hash string, err error) {
	wrong := u.Validate()
	if !password.IsZero() {
		checkPassword(&wrong, "password", password, u)
	}
	if len(wrong) > 0 {
		if err := s.alsoTaken(ctx, &wrong, u); err != nil {
			return "", err
		}
		return "", wrong
	}
	if password.IsZero() {
		return "", nil
	}
	return s.hashes.hash(ctx, password)
}

// alsoTaken adds the one problem that only the database knows, so that a form hears of all problems at once.
// The unique index remains the judge.
func (s *Service) alsoTaken(ctx context.Context, wrong *problem.Invalid, u User) error {
	other, err := selectUserByName(ctx, s.pool, u.Username)
	if errors.Is(err, problem.ErrNotFound) {
		return nil
	}
	if err == nil && other.ID != u.ID && wrong.For("username") == "" {
		*wrong = append(*wrong, usernameIsTaken)
	}
	return err
}

func (s *Service) create(ctx context.Context, tx pgx.Tx, u User, hash string) (User, error) {
	u, err := insertUser(ctx, tx, u, hash, audit.ActorFrom(ctx).Name, s.now())
	if err != nil {
		return User{}, err
	}
	return u, record(ctx, tx, "user.created", u, audit.Changes(nil, u))
}

// UpdateUser saves every field of u, of the version that the editor has read; if somebody else was quicker it returns
// *problem.Conflict. A new role, and deactivating, end the user's sessions. The last active administrator stays one.
func (s *Service) UpdateUser(ctx context.Context, u User) (User, error) {
	u = u.withDefaults()
	if wrong := u.Validate(); len(wrong) > 0 {
		if err := s.alsoTaken(ctx, &wrong, u); err != nil {
			return User{}, err
		}
		return User{}, wrong
	}
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		stored, err := lockUser(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		if stored.Version != u.Version {
			return conflict(stored.User, u)
		}
		u, err = s.change(ctx, tx, stored.User, u)
		return err
	})
	if err != nil {
		return User{}, err
	}
	return u, nil
}

// SetActive lets a user in or keeps the user out; keeping out ends all sessions.
func (s *Service) SetActive(ctx context.Context, id int64, active bool) (User, error) {
	var u User
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		stored, err := lockUser(ctx, tx, id)
		if err != nil {
			return err
		}
		u = stored.User
		u.Active = active
		u, err = s.change(ctx, tx, stored.User, u)
		return err
	})
	return u, err
}

// change writes what differs between two states of a user, with all that follows from it.
func (s *Service) change(ctx context.Context, tx pgx.Tx, from, to User) (User, error) {
	if len(differences(from, to)) == 0 {
		return from, nil
	}
	if err := keepAdministrator(ctx, tx, from, to); err != nil {
		return User{}, err
	}
	to, err := updateUser(ctx, tx, to, audit.ActorFrom(ctx).Name, s.now())
	if err != nil {
		return User{}, err
	}
	if from.Role != to.Role || !to.Active {
		if _, err := deleteSessions(ctx, tx, to.ID, 0); err != nil {
			return User{}, err
		}
	}
	return to, record(ctx, tx, changeAction(from, to), to, audit.Changes(from, to))
}

func changeAction(from, to User) string {
	switch {
	case from.Active && !to.Active:
		return "user.deactivated"
	case !from.Active && to.Active:
		return "user.activated"
	}
	return "user.changed"
}

// keepAdministrator refuses what would leave nobody who can change anything.
func keepAdministrator(ctx context.Context, tx pgx.Tx, from, to User) error {
	if !rules(from) || rules(to) {
		return nil
	}
	if err := lockAdministrators(ctx, tx); err != nil {
		return err
	}
	others, err := otherAdministrators(ctx, tx, from.ID)
	if err != nil {
		return err
	}
	if others == 0 {
		return problem.Refuse("%s is the last active administrator. Make somebody else administrator first.", from.Username)
	}
	return nil
}

func rules(u User) bool { return u.Active && u.Role == Administrator }

// SetPassword gives a user a new password and ends all of the user's sessions.
func (s *Service) SetPassword(ctx context.Context, id int64, password vault.Secret) error {
	u, err := selectUser(ctx, s.pool, id)
	if err != nil {
		return err
	}
	var wrong problem.Invalid
	checkPassword(&wrong, "password", password, u)
	if err := wrong.Err(); err != nil {
		return err
	}
	hash, err := s.hashes.hash(ctx, password)
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := lockUser(ctx, tx, id); err != nil {
			return err
		}
		if err := updatePassword(ctx, tx, id, hash, audit.ActorFrom(ctx).Name, s.now()); err != nil {
			return err
		}
		if _, err := deleteSessions(ctx, tx, id, 0); err != nil {
			return err
		}
		return record(ctx, tx, "user.password_set", u, map[string]any{"by": "an administrator"})
	})
}

// DeleteUser removes a user and all sessions. The audit trail keeps the name.
func (s *Service) DeleteUser(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		stored, err := lockUser(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := keepAdministrator(ctx, tx, stored.User, User{}); err != nil {
			return err
		}
		if err := deleteUser(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, "user.deleted", stored.User, map[string]any{"role": stored.Role})
	})
}

// SaveProfile changes what people may change about themselves: name, address, language and time zone.
func (s *Service) SaveProfile(ctx context.Context, profile User) (User, error) {
	u, err := selectUser(ctx, s.pool, profile.ID)
	if err != nil {
		return User{}, err
	}
	u.FullName, u.Email, u.Language, u.TimeZone = profile.FullName, profile.Email, profile.Language, profile.TimeZone
	u.Version = profile.Version
	return s.UpdateUser(ctx, u)
}
