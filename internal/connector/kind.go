package connector

import (
	"context"
	"errors"
	"fmt"
	"net"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
)

// Dialer returns how connections of a record leave: use is the record's switch "Use network connector", id its
// connector, 0 for the default of System Parameters. A connector that cannot carry a connection is no error
// here: the dialer says so as a step, unless the destination is an own listener, which is always dialled directly.
func (s *Service) Dialer(ctx context.Context, use bool, id int64) (dial.Dialer, error) {
	c, err := s.choose(ctx, use, id)
	if errors.Is(err, problem.ErrNotFound) {
		return s.gone(c), nil
	}
	if err != nil {
		return nil, err
	}
	return s.way(c), nil
}

// gone is the way through a connector that was deleted.
func (s *Service) gone(c Connector) unusable {
	return unusable{s, fmt.Sprintf("number %d", c.ID), "it does not exist"}
}

// choose finds the connector of a record; the direct one where none is configured. With problem.ErrNotFound it
// returns the number of the one that is gone.
func (s *Service) choose(ctx context.Context, use bool, id int64) (Connector, error) {
	none := Connector{Settings: Settings{Name: "direct", Kind: KindDirect, Active: true}}
	if !use {
		return none, nil
	}
	if id == 0 && s.DefaultConnector != nil {
		var err error
		if id, err = s.DefaultConnector(ctx); err != nil {
			return Connector{}, fmt.Errorf("find the default network connector: %w", err)
		}
	}
	if id == 0 {
		return none, nil
	}
	c, err := s.Find(ctx, id)
	if err != nil {
		c.ID = id
	}
	return c, err
}

// way is the one place that knows how each kind is dialled.
func (s *Service) way(c Connector) dial.Dialer {
	if !c.Active {
		return unusable{s, c.Name, "it is not active"}
	}
	switch c.Kind {
	case KindDirect:
		return direct{s}
	case KindAgent:
		return agent{s, c}
	case KindSOCKS5:
		return through{s, c, socks5{}}
	case KindHTTPConnect:
		return through{s, c, httpConnect{}}
	case KindSSH:
		return through{s, c, jump{}}
	}
	return unusable{s, c.Name, "its kind " + string(c.Kind) + " is unknown"}
}

// unusable is the way through a connector that cannot carry anything.
type unusable struct {
	s      *Service
	name   string
	reason string
}

// Dial implements dial.Dialer.
func (u unusable) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	if u.s.isOwn(host, port) {
		return direct{u.s}.Dial(ctx, host, port)
	}
	return nil, u.fail(ctx, explain.At(ctx, host, port))
}

// Reach says what Dial would say.
func (u unusable) Reach(ctx context.Context) error { return u.fail(ctx, explain.Context{}) }

func (u unusable) fail(ctx context.Context, c explain.Context) error {
	l := ladder.From(ctx)
	l.Begin(ladder.Connector, "Network connector "+u.name)
	return l.Fail(ladder.Connector, explain.ConnectorUnusable(u.name, u.reason, c), errors.New(u.reason))
}
