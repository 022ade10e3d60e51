package connector

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
)

// Service registers connectors and hands out dialers. The hooks are set before its first use; the zero hook is none.
type Service struct {
	pool  *pgxpool.Pool
	rules Rules
	open  opener
	// forbid adds rules of an agent; nil in Orbit itself.
	forbid func(host string, addr netip.Addr, port int) *Refusal

	// OwnListener reports whether an address is a listener of the proxy in this process.
	OwnListener func(netip.AddrPort) bool
	// DefaultConnector returns the connector of System Parameters, 0 for none.
	DefaultConnector func(ctx context.Context) (int64, error)
	// Resolver looks names up; it is net.DefaultResolver unless set.
	Resolver Resolver
	// Credentials hold what signs in at connectors.
	Credentials *credential.Service
	// Tunnels carry what goes through agents.
	Tunnels Tunnels

	directClient func() *http.Client
	clients      clients
	links        links
}

// NewService returns a Service. The pool may be nil where no connector is ever chosen.
func NewService(pool *pgxpool.Pool, rules Rules) *Service {
	s := &Service{pool: pool, rules: rules, open: openTCP, Resolver: net.DefaultResolver}
	s.directClient = sync.OnceValue(func() *http.Client { return newHTTPClient(direct{s}, rules) })
	return s
}

// Run drops what this process keeps of a connector when another process changes it, until ctx ends. Without it
// everything works, and a change made elsewhere counts from the next connection on.
func (s *Service) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := s.listen(ctx); err != nil && ctx.Err() == nil {
			pause(ctx, listenAgain)
		}
	}
	return nil
}

// Close ends the connections that are kept for many users, and with them all that they carry.
func (s *Service) Close() {
	s.clients.closeAll()
	s.links.closeAll()
}

// follow drops what is kept of a connector that was changed. What it carries goes on, unless nothing may leave
// through it any more.
func (s *Service) follow(c Connector) {
	s.clients.drop(c.ID)
	s.links.drop(c.ID, !c.Active)
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
