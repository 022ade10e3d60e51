package connector

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/tunnel"
)

// What this process does with agents is written when a link comes or goes, and every few seconds with the
// figures and as a sign of life.
const (
	reportEvery = 3 * time.Second
	reportRest  = 100 * time.Millisecond
	aliveFor    = 15 * time.Second // without a sign of life a process counts as gone
	reportTime  = 5 * time.Second
	sampleEvery = 30 * time.Second // of the latency
	graceTime   = 15 * time.Second // a break that is shorter is no outage: agents come back within ten seconds
)

// reported is what the last report has told.
type reported struct {
	figures map[int64]tunnel.Figures
	at      time.Time
	sampled time.Time
	broken  bool
}

// Transition is that an agent, or a connector as a whole, came or went. Short breaks are none.
type Transition struct {
	ConnectorID   int64
	ConnectorName string
	AgentID       int64 // 0: the whole connector
	AgentName     string
	Secondary     bool
	Up            bool
	Since         time.Time // when it really happened
}

// Text says it to people.
func (t Transition) Text() string {
	what := fmt.Sprintf("Network connector %s", t.ConnectorName)
	if t.AgentID != 0 {
		what = fmt.Sprintf("Agent %s (%s) of network connector %s", t.AgentName, role(t.Secondary), t.ConnectorName)
	}
	switch {
	case t.Up:
		return what + " is available."
	case t.AgentID == 0:
		return fmt.Sprintf("%s has been unavailable since %s: none of its agents is connected.", what, t.Since.UTC().Format("15:04:05 MST"))
	}
	return fmt.Sprintf("%s has been unavailable since %s.", what, t.Since.UTC().Format("15:04:05 MST"))
}

func role(secondary bool) string {
	if secondary {
		return "secondary"
	}
	return "primary"
}

// isPartOf reports whether the whole connector came or went with its agent: people hear of it once.
func (t Transition) isPartOf(whole Transition) bool {
	return whole.AgentID == 0 && whole.ConnectorID == t.ConnectorID && whole.Up == t.Up
}

// event is the transition in the log.
func (t Transition) event() AgentEvent {
	e := AgentEvent{At: time.Now(), Level: AgentInfo, Operation: "connector_up", ConnectorID: t.ConnectorID, AgentID: t.AgentID, Message: t.Text()}
	switch {
	case t.AgentID != 0 && t.Up:
		e.Operation = "agent_up"
	case t.AgentID != 0:
		e.Operation, e.Level = "agent_down", AgentWarning
	case !t.Up:
		e.Operation, e.Level = "connector_down", AgentError
	}
	return e
}

// report tells the database what this process does until ctx ends.
func (a *Agents) report(ctx context.Context) {
	for ctx.Err() == nil {
		if _, _, _, needed := a.door.get(); needed {
			err := a.reportNow(ctx)
			if err != nil && !a.reported.broken && ctx.Err() == nil {
				a.log.WarnContext(ctx, "tell what agents are connected", "error", err)
			}
			a.reported.broken = err != nil
		}
		pause(ctx, reportRest)
		a.happened.wait(ctx, reportEvery)
	}
}

// linkRow is one agent of this process in a report.
type linkRow struct {
	tunnel.LinkStatus
	added    tunnel.Figures // since the last report
	up, down int64          // a second
}

func (a *Agents) reportNow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	broker := a.made()
	if broker == nil {
		return nil
	}
	figures, now := broker.Figures(), time.Now()
	rows := a.linkRows(broker, figures, now)
	sample := now.Sub(a.reported.sampled) >= sampleEvery
	err := postgres.InTx(ctx, a.pool, func(tx pgx.Tx) error {
		if err := a.storeProcess(ctx, tx); err != nil {
			return err
		}
		if err := storeLinks(ctx, tx, a.process, rows, sample); err != nil {
			return err
		}
		if err := storeFigures(ctx, tx, added(figures, a.reported.figures)); err != nil {
			return err
		}
		return a.judge(ctx, tx)
	})
	if err != nil {
		return err
	}
	a.reported.figures, a.reported.at = figures, now
	if sample {
		a.reported.sampled = now
	}
	return nil
}

// linkRows joins the links of each agent: an old one that is drained counts with the new one.
func (a *Agents) linkRows(broker *tunnel.Broker, figures map[int64]tunnel.Figures, now time.Time) []linkRow {
	byAgent := map[int64]int{}
	var rows []linkRow
	for _, link := range broker.Links() {
		if i, seen := byAgent[link.Agent.ID]; seen {
			link.Tunnels += rows[i].Tunnels
			rows[i].LinkStatus = link
			continue
		}
		byAgent[link.Agent.ID] = len(rows)
		row := linkRow{LinkStatus: link, added: figures[link.Agent.ID].Minus(a.reported.figures[link.Agent.ID])}
		if seconds := now.Sub(a.reported.at).Seconds(); !a.reported.at.IsZero() && seconds > 0 {
			row.up, row.down = int64(float64(row.added.Up)/seconds), int64(float64(row.added.Down)/seconds)
		}
		rows = append(rows, row)
	}
	return rows
}

func added(now, before map[int64]tunnel.Figures) map[int64]tunnel.Figures {
	more := map[int64]tunnel.Figures{}
	for id, f := range now {
		if d := f.Minus(before[id]); d != (tunnel.Figures{}) {
			more[id] = d
		}
	}
	return more
}

func (a *Agents) storeProcess(ctx context.Context, tx pgx.Tx) error {
	listening, reason, addresses, _ := a.door.get()
	return upsertAgentProcess(ctx, tx, AgentProcess{
		Process: a.process, Host: hostname(), PID: os.Getpid(), Version: a.version, Listening: listening, Reason: reason, Addresses: addresses,
	})
}

// judge records who came and who went. One process does it at a time, for all.
func (a *Agents) judge(ctx context.Context, tx pgx.Tx) error {
	transitions, err := recordTransitions(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range transitions {
		if err := insertAgentEvents(ctx, tx, t.event()); err != nil {
			return err
		}
		if a.OnTransition == nil || t.AgentID != 0 && slices.ContainsFunc(transitions, t.isPartOf) {
			continue
		}
		if err := a.OnTransition(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

// leave takes back what this process has told.
func (a *Agents) leave(ctx context.Context) {
	if a.made() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	if err := deleteAgentProcess(ctx, a.pool, a.process); err != nil {
		a.log.WarnContext(ctx, "tell that this process has ended", "error", err)
	}
}
