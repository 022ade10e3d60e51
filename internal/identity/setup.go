package identity

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// NeedsSetup reports whether there is no administrator yet, so that /setup is the only page.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	if s.set.Load() {
		return false, nil
	}
	exists, err := administratorExists(ctx, s.pool)
	if exists {
		s.set.Store(true)
	}
	return !exists, err
}

// Bootstrap creates the first administrator from the environment. It does nothing when there is one already, whatever
// the name and the password.
func (s *Service) Bootstrap(ctx context.Context, username string, password vault.Secret) (created bool, err error) {
	needed, err := s.NeedsSetup(ctx)
	if err != nil || !needed {
		return false, err
	}
	u := User{Username: username, Role: Administrator, Active: true}.withDefaults()
	hash, err := s.check(ctx, u, password)
	if err != nil {
		return false, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		created, err = s.createFirst(ctx, tx, u, hash)
		return err
	})
	return created, err
}

// createFirst creates u unless somebody else was first.
func (s *Service) createFirst(ctx context.Context, tx pgx.Tx, u User, hash string) (bool, error) {
	if err := lockAdministrators(ctx, tx); err != nil {
		return false, err
	}
	exists, err := administratorExists(ctx, tx)
	if err != nil || exists {
		return false, err
	}
	if err := deleteSetupCodes(ctx, tx); err != nil {
		return false, err
	}
	_, err = s.create(ctx, tx, u, hash)
	return err == nil, err
}

// mostSetupCodes is how many processes and restarts may each have printed a code that still works.
const mostSetupCodes = 10

// codeAlphabet is Crockford's: no letter looks like a digit.
var codeAlphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// SetupCode makes a one-time code with which /setup creates the first administrator; empty when there is one. Every
// process prints its own. Only hashes are stored, and all of them end when one is used.
func (s *Service) SetupCode(ctx context.Context) (string, error) {
	needed, err := s.NeedsSetup(ctx)
	if err != nil || !needed {
		return "", err
	}
	code := codeAlphabet.EncodeToString(random(10)) // 80 bits, throttled
	if err := addSetupCode(ctx, s.pool, hex.EncodeToString(digest(vault.NewSecret(code)))); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s-%s-%s-%s", code[:4], code[4:8], code[8:12], code[12:]), nil
}

// readableCode undoes what people do to a code when they type it from a screen.
func readableCode(typed vault.Secret) vault.Secret {
	code := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(typed.Reveal()))
	return vault.NewSecret(code)
}

// FirstAdministrator is what /setup asks for.
type FirstAdministrator struct {
	Code     vault.Secret
	User     User // the role does not matter
	Password vault.Secret
	Visitor  Visitor
}

// SetUp creates the first administrator and signs in at once. The problems of the form come together; only a form
// without any makes a try at the code, and every try counts.
func (s *Service) SetUp(ctx context.Context, first FirstAdministrator) (Session, error) {
	u := first.User.withDefaults()
	u.Role, u.Active = Administrator, true
	wrong := u.Validate()
	checkPassword(&wrong, "password", first.Password, u)
	if first.Code.IsZero() {
		wrong.Add("code", "Enter the code that Orbit printed in its log when it started.")
	}
	if err := wrong.Err(); err != nil {
		return Session{}, err
	}
	keys := append(throttleKeys(first.Visitor.Address, ""), setupKey)
	if err := s.attempt(ctx, keys); err != nil {
		return Session{}, err
	}
	if err := s.setUp(actAs(ctx, u, first.Visitor), first, u, keys); err != nil {
		return Session{}, err
	}
	return s.SignIn(ctx, Attempt{Username: u.Username, Password: first.Password, Visitor: first.Visitor})
}

func (s *Service) setUp(ctx context.Context, first FirstAdministrator, u User, keys []string) error {
	hash, err := s.hashes.hash(ctx, first.Password)
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := useSetupCode(ctx, tx, first.Code); err != nil {
			return err
		}
		if err := deleteFailures(ctx, tx, keys); err != nil {
			return err
		}
		created, err := s.createFirst(ctx, tx, u, hash)
		if err == nil && !created {
			err = problem.Refuse("An administrator exists already. Sign in instead.")
		}
		return err
	})
}

// useSetupCode is nil when code is one of those printed. The rows stay locked until the transaction ends.
func useSetupCode(ctx context.Context, tx pgx.Tx, code vault.Secret) error {
	stored, err := lockSetupCodes(ctx, tx)
	if err != nil {
		return err
	}
	given := hex.EncodeToString(digest(readableCode(code)))
	right := 0
	for _, hash := range stored {
		right |= subtle.ConstantTimeCompare([]byte(hash), []byte(given))
	}
	if right == 0 {
		return problem.Invalid{{Name: "code", Text: "This is not a code that Orbit printed. Copy it from the newest start in the log."}}
	}
	return nil
}
