package connector

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	// LookupNetIP returns the addresses of host. Network is "ip".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// resolveTimeout leaves a resolver time to ask its second server.
const resolveTimeout = 10 * time.Second

// resolve finds the addresses of a host once, and reports the step.
func (s *Service) resolve(ctx context.Context, name string, c explain.Context) ([]netip.Addr, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Resolve, "Name and addresses")
	addresses, err := s.lookUp(ctx, name)
	switch {
	case errors.Is(err, errNoAddress):
		return nil, l.Fail(ladder.Resolve, explain.NoAddress(c), err)
	case err != nil:
		return nil, l.Fail(ladder.Resolve, explain.Network(ladder.Resolve, err, c), err)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		l.End("%s is an address", name)
	} else {
		l.End("%s has %s", name, count(addresses))
	}
	return addresses, nil
}

// errNoAddress says that a name exists and leads nowhere.
var errNoAddress = errors.New("the name has no address")

// lookUp finds the addresses of a name; a literal address is its own.
func (s *Service) lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{plain(addr)}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	found, err := s.Resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	addresses := arrange(found)
	if len(addresses) == 0 {
		return nil, fmt.Errorf("%s: %w", name, errNoAddress)
	}
	return addresses, nil
}

// arrange drops doubles and lets the two families alternate, beginning with the one that the resolver put
// first (RFC 8305 4): a broken IPv6 then costs a quarter of a second, not one for each address.
func arrange(found []netip.Addr) []netip.Addr {
	var first, second []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, addr := range found {
		addr = plain(addr)
		switch {
		case seen[addr]:
		case len(first) == 0 || first[0].Is4() == addr.Is4():
			first = append(first, addr)
		default:
			second = append(second, addr)
		}
		seen[addr] = true
	}
	all := make([]netip.Addr, 0, len(first)+len(second))
	for i := range max(len(first), len(second)) {
		all = append(all, first[min(i, len(first)):min(i+1, len(first))]...)
		all = append(all, second[min(i, len(second)):min(i+1, len(second))]...)
	}
	return slices.Clip(all)
}

func count(addresses []netip.Addr) string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.String()
	}
	if len(texts) == 1 {
		return "the address " + texts[0]
	}
	return fmt.Sprintf("%d addresses: %s", len(texts), strings.Join(texts, ", "))
}
