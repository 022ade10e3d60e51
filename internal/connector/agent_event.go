package connector

import (
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/tunnel"
)

// AgentLevel says how much an event matters.
type AgentLevel string

// The levels; the same list is a check of the table.
const (
	AgentInfo    AgentLevel = "info"
	AgentWarning AgentLevel = "warning"
	AgentError   AgentLevel = "error"
)

// AgentLevels returns all levels.
func AgentLevels() []AgentLevel { return []AgentLevel{AgentInfo, AgentWarning, AgentError} }

// AgentEvent is a line of the connectors' log.
type AgentEvent struct {
	ID          int64      `db:"id" json:"id"`
	At          time.Time  `db:"at" json:"at"`
	Level       AgentLevel `db:"level" json:"level"`
	Operation   string     `db:"operation" json:"operation"` // enrolled, connected, disconnected, refused, revoked, agent_down, ...
	ConnectorID int64      `db:"network_connector_id" json:"network_connector_id,omitempty"`
	AgentID     int64      `db:"connector_agent_id" json:"agent_id,omitempty"`
	Address     string     `db:"address" json:"ip,omitempty"`
	Port        int        `db:"port" json:"port,omitempty"`
	Message     string     `db:"message" json:"message"`
}

// maxMessage bounds what is kept of one event.
const maxMessage = 2000

func newAgentEvent(level AgentLevel, operation string, agent tunnel.Known, remote, message string) AgentEvent {
	e := AgentEvent{
		At: time.Now(), Level: level, Operation: operation, ConnectorID: agent.Connector, AgentID: agent.ID,
		Address: storableText(host(remote), 200), Message: storableText(message, maxMessage),
	}
	if _, digits, err := net.SplitHostPort(remote); err == nil {
		e.Port, _ = strconv.Atoi(digits)
	}
	return e
}

// AgentEventFilter chooses events. The zero value is the newest ones.
type AgentEventFilter struct {
	ConnectorID int64
	Level       AgentLevel // "": every level
	Since       time.Time
	Before      int64 // only older ids
	After       int64 // only newer ids
	Limit       int   // 0: 100
}

// Events returns the log, the oldest of the chosen ones first.
func (a *Agents) Events(ctx context.Context, f AgentEventFilter) ([]AgentEvent, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	return selectAgentEvents(ctx, a.pool, f)
}

// The log is bounded both ways.
const (
	agentEventLife  = 30 * 24 * time.Hour
	agentEventRows  = 50_000
	agentPruneEvery = time.Hour
	latencyLife     = 7 * 24 * time.Hour
)

const (
	agentQueue      = 500 // events on their way to the table
	agentWriteTime  = 5 * time.Second
	refusedInterval = time.Minute // a stranger who knocks without end gets one line in that time
	maxStrangers    = 1000
)

// agentJournal writes the log of this process, so that no link waits for the database.
type agentJournal struct {
	a     *Agents
	queue chan AgentEvent

	mu        sync.Mutex
	strangers map[string]time.Time
}

func newAgentJournal(a *Agents) *agentJournal {
	return &agentJournal{a: a, queue: make(chan AgentEvent, agentQueue), strangers: map[string]time.Time{}}
}

// add never waits. What there is no room for stands in the log of the process only.
func (j *agentJournal) add(e AgentEvent) {
	if e.Operation == string(tunnel.LinkRefused) && !j.worthALine(e.Address) {
		return
	}
	j.a.log.Info("network connector", "operation", e.Operation, "message", e.Message, "address", e.Address)
	select {
	case j.queue <- e:
	default:
	}
}

// worthALine bounds what strangers can write.
func (j *agentJournal) worthALine(address string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if time.Since(j.strangers[address]) < refusedInterval {
		return false
	}
	if len(j.strangers) >= maxStrangers {
		clear(j.strangers)
	}
	j.strangers[address] = time.Now()
	return true
}

// run writes until ctx has ended and the queue is empty.
func (j *agentJournal) run(ctx context.Context) {
	prune := time.NewTicker(agentPruneEvery)
	defer prune.Stop()
	for {
		select {
		case e := <-j.queue:
			j.write(ctx, e)
		case <-prune.C:
			j.prune(ctx)
		case <-ctx.Done():
			select {
			case e := <-j.queue:
				j.write(context.WithoutCancel(ctx), e)
			default:
				return
			}
		}
	}
}

// write stores an event with those that wait behind it.
func (j *agentJournal) write(ctx context.Context, first AgentEvent) {
	batch := []AgentEvent{first}
	for len(batch) < cap(j.queue) && len(j.queue) > 0 {
		batch = append(batch, <-j.queue)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), agentWriteTime)
	defer cancel()
	err := postgres.InTx(ctx, j.a.pool, func(tx pgx.Tx) error { return insertAgentEvents(ctx, tx, batch...) })
	if err != nil {
		j.a.log.Error("write the log of the network connectors", "error", err)
	}
}

func (j *agentJournal) prune(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, agentWriteTime)
	defer cancel()
	err := pruneAgents(ctx, j.a.pool, time.Now().Add(-agentEventLife), agentEventRows, time.Now().Add(-latencyLife))
	if err != nil && ctx.Err() == nil {
		j.a.log.Warn("clear away old events of the network connectors", "error", err)
	}
}
