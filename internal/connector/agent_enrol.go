package connector

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
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

// Invitation is what a person takes to the machine of a new agent. It has the token in clear.
type Invitation struct {
	Connector   int64     `json:"network_connector_id"`
	Name        string    `json:"name" doc:"Of the connector"`
	Fingerprint string    `json:"fingerprint" doc:"SHA-256 of the certificate that the agent expects"`
	Addresses   []string  `json:"addresses" nullable:"false" doc:"Where the agent calls in"`
	Secondary   bool      `json:"secondary"`
	Token       string    `json:"token" doc:"Enrols one agent, once; never shown again"`
	ExpiresAt   time.Time `json:"expires_at"`
	Environment []string  `json:"environment" nullable:"false" doc:"What the agent's process is given, NAME=value"`
	Command     string    `json:"command" doc:"The complete command for the remote machine"`
}

// Invite writes the invitation for a machine that knows Orbit under addresses: a host alone is called at port.
func (e Enrolment) Invite(addresses []string, port int, secondary bool) Invitation {
	i := Invitation{
		Connector: e.Connector.ID, Name: e.Connector.Name, Fingerprint: e.Fingerprint, Addresses: make([]string, len(addresses)), Secondary: secondary,
		Token: e.Token.Reveal(), ExpiresAt: e.ExpiresAt.UTC().Truncate(time.Second),
	}
	for n, address := range addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(strings.Trim(address, "[]"), strconv.Itoa(port))
		}
		i.Addresses[n] = address
	}
	i.Environment = []string{
		"ORBIT_CONNECTOR_ADDRESSES=" + strings.Join(i.Addresses, ","),
		"ORBIT_CONNECTOR_FINGERPRINT=" + i.Fingerprint,
		"ORBIT_CONNECTOR_TOKEN=" + i.Token,
	}
	if secondary {
		i.Environment = append(i.Environment, "ORBIT_CONNECTOR_SECONDARY=true")
	}
	i.Command = strings.Join(i.Environment, " \\\n    ") + " \\\n    orbit network-connector agent"
	return i
}

// List returns the agents of a connector, or with 0 of all of them, revoked ones last.
func (a *Agents) List(ctx context.Context, connector int64) ([]AgentRow, error) {
	return selectAgents(ctx, a.pool, connector)
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
