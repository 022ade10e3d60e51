package connector

import (
	"context"
	"errors"
	"net"
	"time"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/tunnel"
)

// Tunnels carry connections to agents; *Agents is one.
type Tunnels interface {
	// Dial opens a tunnel through an agent of a connector. told hears who has the request and how it goes on there.
	Dial(ctx context.Context, r tunnel.Request, told func(tunnel.Progress)) (net.Conn, error)
}

// agent is the way through agents in another network.
type agent struct {
	s *Service
	c Connector
}

// Dial implements dial.Dialer: the agent looks the name up and judges the address by its own rules.
func (a agent) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	if a.s.isOwn(host, port) {
		return direct{a.s}.Dial(ctx, host, port)
	}
	if a.s.Tunnels == nil {
		return unusable{a.s, a.c.Name, "this process serves no agents"}.Dial(ctx, host, port)
	}
	name, err := a.s.judgeFar(ctx, "Connection through "+a.c.Name, host, port)
	if err != nil {
		return nil, err
	}
	climb := farClimb{l: ladder.From(ctx), hop: a.s.hop(a.c, name, port).Hop, on: ladder.Connector}
	climb.l.Begin(ladder.Connector, "Network connector "+a.c.Name)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r := tunnel.Request{Host: name, Port: port, Connector: a.c.ID, Timeout: timeLeft(ctx)}
	conn, err := a.s.Tunnels.Dial(ctx, r, climb.told)
	if err != nil {
		return nil, climb.fail(err)
	}
	climb.reach(ladder.Connect)
	warnUnusual(climb.l, port)
	climb.l.End("the agent connected to %s", reached(name, conn))
	return conn, nil
}

// Reach asks for an agent, for a test of the connector.
func (a agent) Reach(ctx context.Context) error {
	climb := farClimb{l: ladder.From(ctx), hop: a.s.hop(a.c, "", 0).Hop, on: ladder.Connector}
	climb.l.Begin(ladder.Connector, "Network connector "+a.c.Name)
	online, ok := a.s.Tunnels.(interface {
		Online(ctx context.Context, connector int64) (string, error)
	})
	if !ok {
		return climb.fail(tunnel.ErrNoAgent)
	}
	who, err := online.Online(ctx, a.c.ID)
	if err != nil {
		return climb.fail(err)
	}
	climb.l.End("%s", who)
	return nil
}

// timeLeft is for how long the agent may try.
func timeLeft(ctx context.Context) time.Duration {
	ends, _ := ctx.Deadline()
	return max(time.Until(ends), time.Millisecond)
}

// farClimb turns what an agent reports into steps of the ladder here: connector, resolve, connect.
type farClimb struct {
	l   *ladder.Ladder
	hop explain.Hop
	on  ladder.Name
}

func (f *farClimb) told(p tunnel.Progress) {
	switch p.Step {
	case tunnel.PassedOver:
		f.l.Record("note", p.Text)
		return
	case tunnel.TakenUp:
		if f.on != ladder.Connector || p.Text == tunnel.AnotherProcess {
			f.l.Record("note", p.Text)
			return
		}
		f.l.End("%s", p.Text)
		f.begin(ladder.Resolve)
		return
	}
	for _, note := range p.Notes {
		f.l.Record("note", note)
	}
	for _, warning := range p.Warnings {
		f.l.Warn("%s", warning)
	}
	if p.Step == string(ladder.Resolve) && f.on == ladder.Resolve {
		f.l.End("%s", p.Text)
		f.begin(ladder.Connect)
	}
}

func (f *farClimb) begin(step ladder.Name) {
	f.on = step
	if step == ladder.Resolve {
		f.l.Begin(step, "Name and addresses, looked up by the agent")
		return
	}
	f.l.Begin(step, "Connection through "+f.hop.Connector)
}

// reach ends the steps before one that an older agent did not report.
func (f *farClimb) reach(step ladder.Name) {
	if f.on != step {
		f.l.End("done by the agent")
		f.begin(step)
	}
}

// fail ends the ladder at the step that the error belongs to.
func (f *farClimb) fail(err error) error {
	var failure *tunnel.Failure
	if !errors.As(err, &failure) {
		return f.l.Fail(f.on, f.brokenLink(err), err)
	}
	if f.on == ladder.Resolve && !aboutName(failure.Code) {
		f.reach(ladder.Connect)
	}
	return f.l.Fail(f.on, f.explain(failure), err)
}

// brokenLink explains that no agent could carry the request.
func (f *farClimb) brokenLink(err error) ladder.Fault {
	switch {
	case errors.Is(err, context.Canceled):
		return f.hop.Named("connector_cancelled")
	case errors.Is(err, context.DeadlineExceeded) && f.on != ladder.Connector:
		return f.hop.Named("agent_timeout")
	case f.on == ladder.Connector:
		return f.hop.Named("agent_offline")
	}
	return f.hop.Named("agent_broke_off")
}

func aboutName(code tunnel.Code) bool {
	return code == tunnel.NameUnknown || code == tunnel.NameSilent || code == tunnel.NameFailed || code == tunnel.NoAddress
}

func (f *farClimb) explain(failure *tunnel.Failure) ladder.Fault {
	switch failure.Code {
	case tunnel.Forbidden:
		return f.hop.AgentForbids(failure.Address, failure.Rule, failure.Setting)
	case tunnel.NameUnknown:
		return f.hop.Named("agent_name_unknown")
	case tunnel.NameSilent, tunnel.NameFailed:
		return f.hop.Named("agent_name_failed")
	case tunnel.NoAddress:
		return f.hop.Named("agent_no_address")
	case tunnel.Refused:
		return f.hop.Named("agent_refused")
	case tunnel.Unreachable:
		return f.hop.Named("agent_unreachable")
	case tunnel.Timeout:
		return f.hop.Named("agent_timeout")
	case tunnel.Reset:
		return f.hop.Named("agent_reset")
	case tunnel.Cancelled:
		return f.hop.Named("connector_cancelled")
	case tunnel.Exhausted:
		return f.hop.Named("agent_exhausted")
	case tunnel.NoAgent:
		return f.hop.Named("agent_offline")
	case tunnel.Other:
	}
	return f.hop.Said("agent_other", failure.Text)
}
