package identity

import (
	"context"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Token is how a program comes in. The text that it sends is shown once, when the token is made.
type Token struct {
	ID         int64
	Name       string
	Role       Role
	CreatedBy  string
	CreatedAt  time.Time
	LastUsedAt *time.Time // nil before the first use; exact to a minute
	ExpiresAt  *time.Time // nil: never
}

// Expired reports whether the token opens nothing any more at now.
func (t Token) Expired(now time.Time) bool { return t.ExpiresAt != nil && !now.Before(*t.ExpiresAt) }

const (
	tokenPrefix  = "orbit_" // lets secret scanners and people recognise one
	maxTokenName = 100
)

// newToken returns 256 random bits in letters and digits, so that a double click selects all of it.
func newToken() vault.Secret {
	digits := new(big.Int).SetBytes(random(32)).Text(62)
	const length = 43 // digits of 2^256 in base 62
	return vault.NewSecret(tokenPrefix + strings.Repeat("0", length-len(digits)) + digits)
}

// Validate lists everything wrong with a token to be made at now.
func (t Token) Validate(now time.Time) problem.Invalid {
	var wrong problem.Invalid
	switch {
	case t.Name == "":
		wrong.Add("name", "Enter a name that says which program uses the token.")
	case utf8.RuneCountInString(t.Name) > maxTokenName || hasControl(t.Name):
		wrong.Add("name", "Use at most %d characters without line breaks.", maxTokenName)
	}
	if !t.Role.Valid() {
		wrong.Add("role", "Choose administrator, operator, auditor or member.")
	}
	if t.Expired(now) {
		wrong.Add("expires_at", "Choose a time in the future, or none.")
	}
	return wrong
}

// CreateToken makes a token and returns the text that programs send. It cannot be had again.
func (s *Service) CreateToken(ctx context.Context, t Token) (Token, vault.Secret, error) {
	t.Name = strings.TrimSpace(t.Name)
	t.CreatedBy, t.CreatedAt = audit.ActorFrom(ctx).Name, s.now()
	if err := t.Validate(t.CreatedAt).Err(); err != nil {
		return Token{}, vault.Secret{}, err
	}
	text := newToken()
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if t, err = insertToken(ctx, tx, t, digest(text)); err != nil {
			return err
		}
		return recordToken(ctx, tx, "api_token.created", t, map[string]any{"role": t.Role, "expires_at": t.ExpiresAt})
	})
	if err != nil {
		return Token{}, vault.Secret{}, err
	}
	return t, text, nil
}

// FindToken returns the token of a bearer text and notes that it was used. One that is unknown, revoked or expired is
// problem.ErrNotFound.
func (s *Service) FindToken(ctx context.Context, text vault.Secret) (Token, error) {
	if !strings.HasPrefix(text.Reveal(), tokenPrefix) {
		return Token{}, problem.ErrNotFound
	}
	now := s.now()
	t, err := selectTokenByHash(ctx, s.pool, digest(text), now)
	if err != nil {
		return Token{}, err
	}
	if t.LastUsedAt == nil || now.Sub(*t.LastUsedAt) >= seenEvery {
		t.LastUsedAt = &now
		err = touchToken(ctx, s.pool, t.ID, now)
	}
	return t, err
}

// Tokens lists every token by name, the expired ones included.
func (s *Service) Tokens(ctx context.Context) ([]Token, error) { return selectTokens(ctx, s.pool) }

// Token returns one token, or problem.ErrNotFound.
func (s *Service) Token(ctx context.Context, id int64) (Token, error) {
	return selectToken(ctx, s.pool, id)
}

// RevokeToken ends a token at once.
func (s *Service) RevokeToken(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		t, err := deleteToken(ctx, tx, id)
		if err != nil {
			return err
		}
		return recordToken(ctx, tx, "api_token.revoked", t, map[string]any{"role": t.Role})
	})
}

func recordToken(ctx context.Context, tx pgx.Tx, action string, t Token, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: action, Object: "api_token", ObjectID: t.ID, ObjectName: t.Name, Detail: detail,
	})
}
