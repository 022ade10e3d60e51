package connector

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// tokenLife is how long a token waits for its agent: a working day and the way to the other site.
const tokenLife = 24 * time.Hour

// tokenPrefix lets people and scanners recognise what a token is.
const tokenPrefix = "orbit-agent-"

// Enrolment is what a new agent needs to come in, shown once.
type Enrolment struct {
	Connector   Connector
	Fingerprint string
	Token       vault.Secret
	ExpiresAt   time.Time
}

// Enrol makes a token for one agent of a connector.
func (a *Agents) Enrol(ctx context.Context, connector int64) (Enrolment, error) {
	fingerprint, err := a.Fingerprint(ctx)
	if err != nil {
		return Enrolment{}, err
	}
	random := make([]byte, 24)
	_, _ = rand.Read(random) // never fails
	e := Enrolment{
		Fingerprint: fingerprint, ExpiresAt: time.Now().Add(tokenLife),
		Token: vault.NewSecret(tokenPrefix + base64.RawURLEncoding.EncodeToString(random)),
	}
	err = postgres.InTx(ctx, a.pool, func(tx pgx.Tx) (err error) {
		if e.Connector, err = lockOne(ctx, tx, connector); err != nil {
			return err
		}
		if e.Connector.Kind != KindAgent {
			return problem.Refuse("Network connector %s is of the kind %s and has no agents.", e.Connector.Name, e.Connector.Kind.Words())
		}
		if err := insertToken(ctx, tx, connector, hashToken(e.Token), audit.ActorFrom(ctx).Name, e.ExpiresAt); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "connector_token.created", Object: "network_connector", ObjectID: connector, ObjectName: e.Connector.Name,
			Detail: map[string]any{"expires_at": e.ExpiresAt.UTC().Format(time.RFC3339)},
		})
	})
	return e, err
}

// Environment is what the agent's process is given, one NAME=value each. The caller reveals the token.
func (e Enrolment) Environment(addresses []string, secondary bool, token string) []string {
	variables := []string{
		"ORBIT_CONNECTOR_ADDRESSES=" + strings.Join(addresses, ","),
		"ORBIT_CONNECTOR_FINGERPRINT=" + e.Fingerprint,
		"ORBIT_CONNECTOR_TOKEN=" + token,
	}
	if secondary {
		variables = append(variables, "ORBIT_CONNECTOR_SECONDARY=true")
	}
	return variables
}

// Command is the complete command for the remote machine, with the token in clear.
func (e Enrolment) Command(addresses []string, secondary bool) string {
	return strings.Join(e.Environment(addresses, secondary, e.Token.Reveal()), " \\\n    ") + " \\\n    orbit network-connector agent"
}

// FindAgent returns an agent, or problem.ErrNotFound.
func (a *Agents) FindAgent(ctx context.Context, id int64) (AgentRow, error) {
	return selectAgent(ctx, a.pool, id)
}

// Revoke cuts an agent off, now, and for good: its key is never let in again.
func (a *Agents) Revoke(ctx context.Context, id int64) (row AgentRow, err error) {
	err = postgres.InTx(ctx, a.pool, func(tx pgx.Tx) error {
		if row, err = lockAgent(ctx, tx, id); err != nil {
			return err
		}
		if row.RevokedAt != nil {
			return problem.Refuse("Agent %s was revoked already.", row.Name)
		}
		by := audit.ActorFrom(ctx).Name
		if err := revokeAgent(ctx, tx, id, by); err != nil { // the database tells all processes
			return err
		}
		event := newAgentEvent(AgentWarning, "revoked", row.identity(), row.Address, fmt.Sprintf("Agent %s was revoked by %s.", row.Name, by))
		if err := insertAgentEvents(ctx, tx, event); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "connector_agent.revoked", Object: "connector_agent", ObjectID: id, ObjectName: row.Name,
			Detail: map[string]any{"network_connector": row.ConnectorName},
		})
	})
	if err != nil {
		return AgentRow{}, err
	}
	return row, a.enforce(ctx)
}

// Forget removes an agent that was revoked.
func (a *Agents) Forget(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, a.pool, func(tx pgx.Tx) error {
		row, err := lockAgent(ctx, tx, id)
		if err != nil {
			return err
		}
		if row.RevokedAt == nil {
			return problem.Refuse("Agent %s is in use: revoke it first.", row.Name)
		}
		if err := deleteAgent(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "connector_agent.deleted", Object: "connector_agent", ObjectID: id, ObjectName: row.Name})
	})
}

// FindAgents returns the agents of that name in any case, those in use first.
func (a *Agents) FindAgents(ctx context.Context, name string) ([]AgentRow, error) {
	all, err := selectAgents(ctx, a.pool, 0)
	if err != nil {
		return nil, err
	}
	var found []AgentRow
	for _, row := range all {
		if strings.EqualFold(row.Name, name) {
			found = append(found, row)
		}
	}
	if len(found) == 0 {
		return nil, problem.ErrNotFound
	}
	return found, nil
}

// enforce cuts off the agents of this process that may not stay.
func (a *Agents) enforce(ctx context.Context) error {
	broker := a.made()
	if broker == nil {
		return nil
	}
	may, err := selectAdmitted(ctx, a.pool)
	if err != nil {
		return errors.Join(errors.New("look for revoked agents"), err)
	}
	broker.Cut(func(id int64) bool { return may[id] }, "it was revoked")
	return nil
}
