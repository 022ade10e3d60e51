package connector

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	stagger        = 250 * time.Millisecond // RFC 8305 5: recommended between attempts
	connectTimeout = 10 * time.Second       // per address
)

// opener opens a connection to one address.
type opener func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// attempt is the outcome for one address.
type attempt struct {
	to   netip.AddrPort
	conn net.Conn
	err  error
}

// race dials the addresses in order, each when the one before has failed or has been silent for a while, and
// returns the first connection (RFC 8305 5). It calls failed for each address that did not work before that,
// and returns after every attempt has ended.
func race(ctx context.Context, addresses []netip.AddrPort, open opener, failed func(attempt)) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan attempt)
	running, next := 0, 0
	defer func() {
		cancel()
		for ; running > 0; running-- {
			if late := <-done; late.conn != nil {
				_ = late.conn.Close()
			}
		}
	}()
	start := func() {
		to := addresses[next]
		next++
		running++
		go func() {
			conn, err := openInTime(ctx, to, open)
			done <- attempt{to, conn, err}
		}()
	}
	var errs []error
	timer := time.NewTimer(stagger)
	defer timer.Stop()
	start()
	for {
		select {
		case <-timer.C:
		case a := <-done:
			running--
			if a.err == nil {
				return a.conn, nil
			}
			errs = append(errs, a.err)
			failed(a)
		}
		if next < len(addresses) && ctx.Err() == nil {
			start()
			timer.Reset(stagger)
		} else if running == 0 {
			return nil, errors.Join(errs...)
		}
	}
}

func openInTime(ctx context.Context, to netip.AddrPort, open opener) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return open(ctx, to)
}

// openTCP dials a literal address, so nothing is looked up again.
func openTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", to.String())
}
