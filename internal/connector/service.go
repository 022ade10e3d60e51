package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
)

// Service hands out dialers. The hooks are set before its first use; the zero hook is none.
type Service struct {
	pool  *pgxpool.Pool
	rules Rules
	open  opener

	// OwnListener reports whether an address is a listener of the proxy in this process.
	OwnListener func(netip.AddrPort) bool
	// DefaultConnector returns the connector of System Parameters, 0 for none.
	DefaultConnector func(ctx context.Context) (int64, error)
	// Resolver looks names up; it is net.DefaultResolver unless set.
	Resolver Resolver

	directClient func() *http.Client
}

// NewService returns a Service. The pool may be nil where no connector is ever chosen.
func NewService(pool *pgxpool.Pool, rules Rules) *Service {
	s := &Service{pool: pool, rules: rules, open: openTCP, Resolver: net.DefaultResolver}
	s.directClient = sync.OnceValue(func() *http.Client { return newHTTPClient(direct{s}, rules) })
	return s
}

// Dialer returns how connections of a record leave: use is the record's switch "Use network connector", id its
// connector, 0 for the default of System Parameters. A connector that cannot carry a connection is no error
// here: the dialer says so as a step, unless the destination is an own listener, which is always dialled directly.
func (s *Service) Dialer(ctx context.Context, use bool, id int64) (dial.Dialer, error) {
	if !use {
		return direct{s}, nil
	}
	if id == 0 && s.DefaultConnector != nil {
		var err error
		if id, err = s.DefaultConnector(ctx); err != nil {
			return nil, fmt.Errorf("find the default network connector: %w", err)
		}
	}
	if id == 0 {
		return direct{s}, nil
	}
	c, err := s.Find(ctx, id)
	if errors.Is(err, problem.ErrNotFound) {
		return through{s, fmt.Sprintf("number %d", id), "it does not exist"}, nil
	}
	if err != nil {
		return nil, err
	}
	if reason := c.trouble(); reason != "" {
		return through{s, c.Name, reason}, nil
	}
	return direct{s}, nil
}

// through is the way through a connector that cannot be used.
type through struct {
	s      *Service
	name   string
	reason string
}

// Dial implements dial.Dialer.
func (t through) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	if t.s.isOwn(host, port) {
		return direct{t.s}.Dial(ctx, host, port)
	}
	l := ladder.From(ctx)
	l.Begin(ladder.Connector, "Network connector "+t.name)
	fault := explain.ConnectorUnusable(t.name, t.reason, explain.Context{Host: host, Port: port})
	return nil, l.Fail(ladder.Connector, fault, errors.New(t.reason))
}

// isOwn recognises an own listener before anything is looked up: by its literal address, or as localhost.
func (s *Service) isOwn(host string, port int) bool {
	name, err := dial.ASCIIHost(host)
	if err != nil || port < 1 || port > 65535 {
		return false
	}
	candidates := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	if name != "localhost" {
		addr, err := netip.ParseAddr(name)
		if err != nil {
			return false
		}
		candidates = []netip.Addr{plain(addr)}
	}
	for _, addr := range candidates {
		if s.ownListener(netip.AddrPortFrom(addr, uint16(port))) {
			return true
		}
	}
	return false
}
