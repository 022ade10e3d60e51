package connector

import (
	"context"
	"errors"
	"net"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// Tunnels carry connections to agents; internal/tunnel implements it.
type Tunnels interface {
	// Dial asks an agent of the connector for a connection to host and port. The agent looks the name up and
	// judges the address by its own rules. A *ladder.Error says at which step it failed, and is not in a ladder yet.
	Dial(ctx context.Context, connectorID int64, host string, port int) (net.Conn, error)
}

// agent is the way through agents in another network.
type agent struct {
	s *Service
	c Connector
}

// Dial implements dial.Dialer.
func (a agent) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	if a.s.isOwn(host, port) {
		return direct{a.s}.Dial(ctx, host, port)
	}
	if a.s.Tunnels == nil {
		return unusable{a.s, a.c.Name, "this process serves no agents"}.Dial(ctx, host, port)
	}
	title := "Connection through " + a.c.Name
	name, err := a.s.judgeFar(ctx, title, host, port)
	if err != nil {
		return nil, err
	}
	l := ladder.From(ctx)
	l.Begin(ladder.Connect, title)
	conn, err := a.s.Tunnels.Dial(ctx, a.c.ID, name, port)
	if explained := (*ladder.Error)(nil); errors.As(err, &explained) {
		return nil, fail(ctx, err)
	}
	if err != nil {
		return nil, l.Fail(ladder.Connect, explain.Network(ladder.Connect, err, explain.Context{Host: host, Port: port}), err)
	}
	warnUnusual(l, port)
	l.End("%s connected to %s", a.c.Name, name)
	return conn, nil
}
