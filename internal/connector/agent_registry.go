package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/tunnel"
	"orbit/internal/vault"
)

// registry lets agents in for the broker.
type registry struct{ *Agents }

// SignIn implements tunnel.Registry.
func (r registry) SignIn(ctx context.Context, c tunnel.Claim) (known tunnel.Known, err error) {
	ctx = audit.WithActor(ctx, audit.Actor{Kind: audit.System, Name: "agent " + c.Name, Address: c.Remote})
	err = postgres.InTx(ctx, r.pool, func(tx pgx.Tx) error {
		known, err = r.signIn(ctx, tx, c)
		if c.Probe && err == nil {
			return errProbe // nothing is kept
		}
		return err
	})
	if errors.Is(err, errProbe) {
		err = nil
	}
	return known, err
}

var errProbe = errors.New("only a question")

func (r registry) signIn(ctx context.Context, tx pgx.Tx, c tunnel.Claim) (tunnel.Known, error) {
	row, err := lockAgentByKey(ctx, tx, c.Key)
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return r.enrol(ctx, tx, c)
	case err != nil:
		return tunnel.Known{}, err
	case row.RevokedAt != nil:
		return tunnel.Known{}, &tunnel.Refusal{Code: tunnel.Revoked, Text: fmt.Sprintf(
			"agent %s was revoked on %s by %s. To use this machine again, run `orbit network-connector setup` at Orbit and start the agent with the new command.",
			row.Name, row.RevokedAt.UTC().Format("2006-01-02 15:04 MST"), row.RevokedBy)}
	}
	return row.known(c), updateAgent(ctx, tx, row.ID, c, host(c.Remote))
}

// known is the agent as the broker wants it. Whether it is secondary the agent says each time.
func (row AgentRow) known(c tunnel.Claim) tunnel.Known {
	return tunnel.Known{ID: row.ID, Name: row.Name, Connector: row.ConnectorID, ConnectorName: row.ConnectorName, Secondary: c.Secondary}
}

// identity is the agent for the log.
func (row AgentRow) identity() tunnel.Known {
	return tunnel.Known{ID: row.ID, Name: row.Name, Connector: row.ConnectorID, ConnectorName: row.ConnectorName, Secondary: row.Secondary}
}

// enrol makes an agent of a key that a token brings in.
func (r registry) enrol(ctx context.Context, tx pgx.Tx, c tunnel.Claim) (tunnel.Known, error) {
	if c.Token.IsZero() {
		return tunnel.Known{}, &tunnel.Refusal{Code: tunnel.UnknownKey, Text: "its key is not known here. " +
			"Run `orbit network-connector setup` at Orbit and start the agent with the new command."}
	}
	token, err := lockToken(ctx, tx, hashToken(c.Token))
	if errors.Is(err, problem.ErrNotFound) {
		return tunnel.Known{}, &tunnel.Refusal{Code: tunnel.UnknownToken, Text: "its token is not known here. Copy the whole command that `orbit network-connector setup` prints."}
	}
	if err != nil {
		return tunnel.Known{}, err
	}
	// An agent enrols at several processes at once; the lock on the token has let one of them go first.
	if row, err := lockAgentByKey(ctx, tx, c.Key); err == nil {
		return row.known(c), nil
	}
	if refusal := token.refuse(time.Now()); refusal != nil {
		return tunnel.Known{}, refusal
	}
	row, err := insertAgent(ctx, tx, token.ConnectorID, c, host(c.Remote))
	if err != nil {
		return tunnel.Known{}, err
	}
	if err := useToken(ctx, tx, token.ID, row.ID); err != nil {
		return tunnel.Known{}, err
	}
	known := row.known(c)
	if err := insertAgentEvents(ctx, tx, newAgentEvent(AgentInfo, "enrolled", known, c.Remote, fmt.Sprintf("Agent %s (%s) was enrolled.", row.Name, row.Role()))); err != nil {
		return tunnel.Known{}, err
	}
	return known, audit.Record(ctx, tx, audit.Entry{
		Action: "connector_agent.enrolled", Object: "connector_agent", ObjectID: row.ID, ObjectName: row.Name,
		Detail: map[string]any{"network_connector": row.ConnectorName, "secondary": row.Secondary, "address": c.Remote, "version": c.Version},
	})
}

// tokenRow is an enrolment token as stored.
type tokenRow struct {
	ID          int64      `db:"id"`
	ConnectorID int64      `db:"network_connector_id"`
	ExpiresAt   time.Time  `db:"expires_at"`
	UsedAt      *time.Time `db:"used_at"`
}

func (t tokenRow) refuse(now time.Time) *tunnel.Refusal {
	switch {
	case t.UsedAt != nil:
		return &tunnel.Refusal{Code: tunnel.UsedToken, Text: "its token was used already, by another agent or by this one before its " +
			"directory was lost. Keep the agent's directory, and run `orbit network-connector setup` at Orbit for a new token."}
	case now.After(t.ExpiresAt):
		return &tunnel.Refusal{Code: tunnel.ExpiredToken, Text: "its token expired on " + t.ExpiresAt.UTC().Format("2006-01-02 15:04 MST") +
			". Run `orbit network-connector setup` at Orbit for a new one."}
	}
	return nil
}

// hashToken is what is stored of a token. It is random, so it needs no salt.
func hashToken(token vault.Secret) []byte {
	sum := token.Digest([]byte("orbit connector token"))
	return sum[:]
}

// host is the address without the port.
func host(remote string) string {
	if h, _, err := net.SplitHostPort(remote); err == nil {
		return h
	}
	return remote
}

// storableText makes what an agent says fit for a column.
func storableText(text string, most int) string {
	text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text), "\uFFFD")
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
