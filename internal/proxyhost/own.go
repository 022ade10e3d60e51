package proxyhost

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"orbit/internal/mail/dial"
)

const (
	ownFresh = time.Second     // how long the listeners in memory are used
	ownTime  = 2 * time.Second // a dial waits no longer for the database
)

// own remembers which listeners are wanted, so that dialling one costs no query.
type own struct {
	mu       sync.Mutex
	settings []Settings
	read     time.Time // zero: not known
}

func (o *own) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read = time.Time{}
}

// OwnListener reports whether an address of this machine is a listener that Orbit processes run. It is the
// hook of connector.Service: such a connection stays inside and needs no permission.
func (s *Service) OwnListener(address netip.AddrPort) bool {
	return slices.ContainsFunc(s.ownListeners(), func(l Settings) bool { return l.listensOn(address) })
}

// Own reports whether host and port, as an account names them, are an own listener: a secret that goes there
// is compared and not sent on. Only literal addresses and localhost count, other names could lead anywhere.
func (s *Service) Own(host string, port int) bool {
	if port < 1 || port > 65535 {
		return false
	}
	return slices.ContainsFunc(ownCandidates(host), func(address netip.Addr) bool {
		return s.OwnListener(netip.AddrPortFrom(address, uint16(port)))
	})
}

// ownCandidates are the addresses that a host certainly stands for.
func ownCandidates(host string) []netip.Addr {
	name, err := dial.ASCIIHost(host)
	if err != nil {
		return nil
	}
	if name == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	address, err := netip.ParseAddr(name)
	if err != nil {
		return nil
	}
	return []netip.Addr{address.Unmap()}
}

// ownListeners returns what is wanted to run. When the database does not answer, what was known last counts.
func (s *Service) ownListeners() []Settings {
	s.own.mu.Lock()
	defer s.own.mu.Unlock()
	if time.Since(s.own.read) < ownFresh {
		return s.own.settings
	}
	ctx, cancel := context.WithTimeout(context.Background(), ownTime)
	defer cancel()
	all, err := selectListeners(ctx, s.pool)
	s.own.read = time.Now()
	if err != nil {
		s.log.Warn("look for own listeners", "error", err)
		return s.own.settings
	}
	s.own.settings = nil
	for _, l := range all {
		if l.Wanted == Running {
			s.own.settings = append(s.own.settings, l.Settings)
		}
	}
	return s.own.settings
}
