package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

const (
	signInTimeout = 15 * time.Second // greeting, negotiation and password of a connector
	askTimeout    = 30 * time.Second // the connector itself has to connect
)

// gate speaks with the connectors of one kind. Its errors are *ladder.Error that are not in the ladder yet:
// through ends the step with them.
type gate interface {
	// reach connects and signs in; steps Connector and Gate.
	reach(ctx context.Context, h hop) (session, error)
}

// session is a connector that was reached.
type session interface {
	// request asks the connector for a connection to host and port; afterwards the session is used up.
	request(ctx context.Context, h hop, host string, port int) (net.Conn, error)
	// close gives up a session that was not used.
	close()
}

// hop is one visit to a connector.
type hop struct {
	s *Service
	c Connector
	explain.Hop
}

func (s *Service) hop(c Connector, host string, port int) hop {
	return hop{s: s, c: c, Hop: explain.Hop{
		Connector: c.Name, Kind: c.Kind.noun(), Address: c.Address, Port: c.Port, Host: host, TargetPort: port,
	}}
}

// through is the way through a connector that Orbit dials.
type through struct {
	s *Service
	c Connector
	gate
}

// Dial implements dial.Dialer. What the rules forbid is refused before the connector hears of it.
func (t through) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	if t.s.isOwn(host, port) {
		return direct{t.s}.Dial(ctx, host, port)
	}
	h := t.s.hop(t.c, host, port)
	name, err := t.s.judgeFar(ctx, t.title(), host, port)
	if err != nil {
		return nil, err
	}
	opened, err := t.reach(ctx, h)
	if err != nil {
		return nil, h.fail(ctx, err)
	}
	l := ladder.From(ctx)
	l.Begin(ladder.Connect, t.title())
	l.Record("note", "the name is looked up beyond "+t.c.Name+": the network rules could judge the name only")
	conn, err := opened.request(ctx, h, name, port)
	if err != nil {
		opened.close()
		return nil, h.fail(ctx, err)
	}
	warnUnusual(l, port)
	l.End("%s connected to %s", t.c.Name, net.JoinHostPort(name, fmt.Sprint(port)))
	return conn, nil
}

// Reach goes as far as the connector itself, for a test of it.
func (t through) Reach(ctx context.Context) error {
	h := t.s.hop(t.c, "", 0)
	opened, err := t.reach(ctx, h)
	if err != nil {
		return h.fail(ctx, err)
	}
	opened.close()
	return nil
}

func (t through) title() string { return "Connection through " + t.c.Name }

// fail ends the running step with the fault that a gate returned. What is no fault of a step, such as a database
// that is away, is one of reaching the connector.
func (h hop) fail(ctx context.Context, err error) error {
	l := ladder.From(ctx)
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return l.Fail(explained.Step, explained.Fault, explained.Err)
	}
	l.Begin(ladder.Connector, "Network connector "+h.c.Name)
	fault := h.Named("connector_other")
	if errors.Is(err, context.Canceled) {
		fault = h.Unreachable(err)
	}
	return l.Fail(ladder.Connector, fault, err)
}

// judgeFar checks a destination that lies beyond a connector and returns its name as the DNS wants it. It
// begins a step only to say what is wrong.
func (s *Service) judgeFar(ctx context.Context, title, host string, port int) (string, error) {
	l, c := ladder.From(ctx), explain.At(ctx, host, port)
	name, err := dial.ASCIIHost(host)
	if err == nil && (port < 1 || port > 65535) {
		err = fmt.Errorf("%d is not a port", port)
	}
	if err != nil {
		l.Begin(ladder.Connect, title)
		return "", l.Fail(ladder.Connect, explain.BadHost(err, c), err)
	}
	if r := s.rules.JudgeName(name, port); r != nil {
		l.Begin(ladder.Connect, title)
		return "", l.Fail(ladder.Connect, explain.Forbidden(r.Destination, c), r)
	}
	return name, nil
}

// dialConnector connects to the connector itself, by the rules for every connection of Orbit.
func (h hop) dialConnector(ctx context.Context) (net.Conn, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Connector, "Network connector "+h.c.Name)
	name, err := dial.ASCIIHost(h.c.Address)
	if err != nil {
		return nil, h.fault(ladder.Connector, explain.BadHost(err, explain.Context{Host: h.c.Address, Port: h.c.Port}), err)
	}
	addresses, err := h.s.lookUp(ctx, name)
	if errors.Is(err, errNoAddress) {
		return nil, h.fault(ladder.Connector, h.Named("connector_name_unknown"), err)
	}
	if err != nil {
		return nil, h.fault(ladder.Connector, h.Unreachable(err), err)
	}
	passed, refusal := h.s.sift(ctx, name, addresses, h.c.Port)
	if len(passed) == 0 {
		return nil, h.fault(ladder.Connector, h.Forbidden(refusal.Destination), refusal)
	}
	conn, err := race(ctx, passed, h.s.open, func(a attempt) {
		l.Record("note", fmt.Sprintf("%s: %v", a.to, a.err))
	})
	if err != nil {
		return nil, h.fault(ladder.Connector, h.Unreachable(err), err)
	}
	l.End("connected to the %s at %s", h.c.Kind.noun(), reached(name, conn))
	return conn, nil
}

// reached names where a connection leads: by name and address.
func reached(name string, conn net.Conn) string {
	to := conn.RemoteAddr().String()
	if _, err := netip.ParseAddr(name); err == nil {
		return to
	}
	return name + " (" + to + ")"
}

func (h hop) fault(step ladder.Name, f ladder.Fault, err error) error {
	return &ladder.Error{Step: step, Fault: f, Err: err}
}

// converse runs a dialogue on conn with a limit of time, and ends it when ctx ends. Afterwards conn has no
// deadline any more.
func converse(ctx context.Context, conn net.Conn, limit time.Duration, talk func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err := talk()
	if !stop() {
		return ctx.Err()
	}
	return err
}
