package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Session is one browser in which somebody is signed in.
type Session struct {
	ID          int64
	User        User
	Address     string
	UserAgent   string
	CreatedAt   time.Time
	LastSeenAt  time.Time
	ConfirmedAt *time.Time // when the password was last typed
	ExpiresAt   time.Time
	Key         vault.Secret // the cookie's value; set only by the call that made it
}

// SignedIn reports whether there is a session at all.
func (s Session) SignedIn() bool { return s.ID != 0 }

// Visitor is where a request comes from, as far as it can be believed.
type Visitor struct {
	Address   string // IP address without port, after trusted proxies
	UserAgent string
}

// maxUserAgent is enough to recognise one's own browser in a list.
const maxUserAgent = 300

func (v Visitor) withLimits() Visitor {
	agent := strings.ToValidUTF8(strings.ReplaceAll(v.UserAgent, "\x00", ""), "")
	for len(agent) > maxUserAgent {
		_, size := utf8.DecodeLastRuneInString(agent)
		agent = agent[:len(agent)-size]
	}
	v.UserAgent = agent
	return v
}

// seenEvery keeps a session's last use exact enough for a list and for the idle limit, at one write a minute.
const seenEvery = time.Minute

// newKey returns 256 random bits as a cookie value.
func newKey() vault.Secret {
	return vault.NewSecret(base64.RawURLEncoding.EncodeToString(random(32)))
}

// digest is what is stored of a key or token. They are random, so a plain hash is enough; a database dump opens nothing.
func digest(key vault.Secret) []byte {
	sum := sha256.Sum256([]byte(key.Reveal()))
	return sum[:]
}

// FindSession returns the living session of a cookie's value, and notes that it was used.
// An unknown, idle or expired key, or one of a deactivated user, is problem.ErrNotFound.
func (s *Service) FindSession(ctx context.Context, key vault.Secret) (Session, []byte, error) {
	now := s.now()
	row, err := selectSession(ctx, s.pool, key, now, now.Add(-s.options.Idle))
	if err != nil {
		return Session{}, nil, err
	}
	if now.Sub(row.LastSeenAt) >= seenEvery {
		if err := touchSession(ctx, s.pool, row.SessionID, now); err != nil {
			return Session{}, nil, err
		}
		row.LastSeenAt = now
	}
	return row.session(), row.Data, nil
}

// ConfirmationValid is how long after typing it nobody is asked for the password again.
const ConfirmationValid = 5 * time.Minute

// Confirmed reports whether the password of session was typed shortly before now. Secrets, users and the default
// account are changed only then: a browser left alone for a moment must not be enough.
func Confirmed(session Session, now time.Time) bool {
	return session.ConfirmedAt != nil && now.Sub(*session.ConfirmedAt) < ConfirmationValid
}

// Sessions lists where a user is signed in, most recently used first.
func (s *Service) Sessions(ctx context.Context, userID int64) ([]Session, error) {
	now := s.now()
	rows, err := selectSessions(ctx, s.pool, userID, now, now.Add(-s.options.Idle))
	if err != nil {
		return nil, err
	}
	sessions := make([]Session, len(rows))
	for i, row := range rows {
		sessions[i] = row.session()
	}
	return sessions, nil
}

// SignOut ends session.
func (s *Service) SignOut(ctx context.Context, session Session) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		ended, err := deleteSession(ctx, tx, session.User.ID, session.ID)
		if err != nil || !ended {
			return err
		}
		return record(ctx, tx, "user.signed_out", session.User, nil)
	})
}

// SignOutOf ends another of the user's own sessions, chosen from the list.
func (s *Service) SignOutOf(ctx context.Context, user User, sessionID int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		ended, err := deleteSession(ctx, tx, user.ID, sessionID)
		if err != nil {
			return err
		}
		if !ended {
			return problem.ErrNotFound
		}
		return record(ctx, tx, "user.session_ended", user, nil)
	})
}

// SignOutEverywhere ends every session of the user, the present one included, and says how many there were.
func (s *Service) SignOutEverywhere(ctx context.Context, user User) (int64, error) {
	var ended int64
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if ended, err = deleteSessions(ctx, tx, user.ID, 0); err != nil {
			return err
		}
		return record(ctx, tx, "user.signed_out_everywhere", user, map[string]any{"sessions": ended})
	})
	return ended, err
}

// record writes an audit entry about a user.
func record(ctx context.Context, tx pgx.Tx, action string, user User, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: action, Object: "user", ObjectID: user.ID, ObjectName: user.Username, Detail: detail,
	})
}

type sessionKey struct{}

// WithSession returns a context that carries the session of a request.
func WithSession(ctx context.Context, session Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, session)
}

// SessionFrom returns the session of the request that ctx belongs to; the zero Session when nobody is signed in.
func SessionFrom(ctx context.Context) Session {
	session, _ := ctx.Value(sessionKey{}).(Session)
	return session
}

// UserFrom returns who is signed in; the zero User when nobody is.
func UserFrom(ctx context.Context) User { return SessionFrom(ctx).User }
