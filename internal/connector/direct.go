package connector

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// direct dials from this machine.
type direct struct{ s *Service }

// Dial implements dial.Dialer: it looks the name up once, judges every address and dials only those that passed.
func (d direct) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	l, c := ladder.From(ctx), explain.At(ctx, host, port)
	name, err := dial.ASCIIHost(host)
	if err == nil && (port < 1 || port > 65535) {
		err = fmt.Errorf("%d is not a port", port)
	}
	if err != nil {
		l.Begin(ladder.Resolve, "Name and addresses")
		return nil, l.Fail(ladder.Resolve, explain.BadHost(err, c), err)
	}
	addresses, err := d.s.resolve(ctx, name, c)
	if err != nil {
		return nil, err
	}
	l.Begin(ladder.Connect, "Connection")
	passed, err := d.s.judge(ctx, name, addresses, port, c)
	if err != nil {
		return nil, err
	}
	conn, err := race(ctx, passed, d.s.open, func(a attempt) {
		l.Record("note", fmt.Sprintf("%s: %v", a.to, a.err))
	})
	if err != nil {
		return nil, l.Fail(ladder.Connect, explain.Network(ladder.Connect, err, c), err)
	}
	l.End("connected to %s", conn.RemoteAddr())
	return conn, nil
}

// judge returns the addresses that may be dialled. When none may, the reason of the first one is the fault.
func (s *Service) judge(ctx context.Context, name string, addresses []netip.Addr, port int, c explain.Context) ([]netip.AddrPort, error) {
	l := ladder.From(ctx)
	passed, refusal := s.sift(ctx, name, addresses, port)
	if len(passed) == 0 {
		return nil, l.Fail(ladder.Connect, explain.Forbidden(refusal.Destination, c), refusal)
	}
	if !slices.ContainsFunc(passed, s.ownListener) {
		warnUnusual(l, port)
	}
	return passed, nil
}

// sift keeps the addresses that may be dialled, and returns the reason of the first that may not.
func (s *Service) sift(ctx context.Context, name string, addresses []netip.Addr, port int) (passed []netip.AddrPort, refusal *Refusal) {
	l := ladder.From(ctx)
	for _, addr := range addresses {
		to := netip.AddrPortFrom(addr, uint16(port)) // the caller has checked the range
		if s.ownListener(to) {
			passed = append(passed, to)
			continue
		}
		r := s.rules.Judge(name, addr, port)
		if r == nil && s.forbid != nil {
			r = s.forbid(name, addr, port)
		}
		if r == nil {
			passed = append(passed, to)
			continue
		}
		l.Record("note", fmt.Sprintf("%s is not dialled: %s", addr, r.Rule))
		if refusal == nil {
			refusal = r
		}
	}
	return passed, refusal
}

func warnUnusual(l *ladder.Ladder, port int) {
	if !usual(port) {
		l.Warn("Port %d is not one of the usual mail ports (25, 465, 587, 2525, 110, 143, 993, 995). Check it.", port)
	}
}

func (s *Service) ownListener(to netip.AddrPort) bool {
	return s.OwnListener != nil && s.OwnListener(to)
}
