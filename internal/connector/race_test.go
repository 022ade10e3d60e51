package connector

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// course says how an address behaves when it is dialled.
type course struct {
	after time.Duration
	err   error
	deaf  bool // never answers
}

// track is a network of scripted addresses that notes when each was dialled.
type track struct {
	mu      sync.Mutex
	start   time.Time
	courses map[string]course
	dialled []string
	times   []time.Duration
	open    int
}

func (n *track) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	n.dialled = append(n.dialled, to.Addr().String())
	n.times = append(n.times, time.Since(n.start))
	c := n.courses[to.Addr().String()]
	n.mu.Unlock()
	if c.deaf {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	select { // an attempt that succeeds just when it is no longer wanted is worth a test, so ctx is looked at last
	case <-time.After(c.after):
	case <-ctx.Done():
		if c.err != nil {
			return nil, ctx.Err()
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	n.mu.Lock()
	n.open++
	n.mu.Unlock()
	return &counted{network: n, to: to}, nil
}

type counted struct {
	net.Conn
	network *track
	to      netip.AddrPort
}

func (c *counted) Close() error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.network.open--
	return nil
}

func addresses(all ...string) []netip.AddrPort {
	ports := make([]netip.AddrPort, len(all))
	for i, a := range all {
		ports[i] = netip.AddrPortFrom(netip.MustParseAddr(a), 587)
	}
	return ports
}

var errRefused = errors.New("refused")

func TestRace(t *testing.T) {
	for _, c := range []struct {
		name    string
		courses map[string]course
		winner  string // "": none
		dialled []string
		took    time.Duration
	}{
		{"the first answers", map[string]course{"2001:db8::1": {after: 30 * time.Millisecond}}, "2001:db8::1", []string{"2001:db8::1"}, 30 * time.Millisecond},
		{"the first is silent", map[string]course{"2001:db8::1": {deaf: true}, "192.0.2.1": {after: 30 * time.Millisecond}},
			"192.0.2.1", []string{"2001:db8::1", "192.0.2.1"}, 280 * time.Millisecond},
		{"the first refuses at once", map[string]course{"2001:db8::1": {err: errRefused}, "192.0.2.1": {after: 30 * time.Millisecond}},
			"192.0.2.1", []string{"2001:db8::1", "192.0.2.1"}, 30 * time.Millisecond},
		{"the slow first still wins", map[string]course{"2001:db8::1": {after: 300 * time.Millisecond}, "192.0.2.1": {after: time.Second}},
			"2001:db8::1", []string{"2001:db8::1", "192.0.2.1"}, 300 * time.Millisecond},
		{"two silent ones", map[string]course{"2001:db8::1": {deaf: true}, "192.0.2.1": {deaf: true}, "2001:db8::2": {}},
			"2001:db8::2", []string{"2001:db8::1", "192.0.2.1", "2001:db8::2"}, 500 * time.Millisecond},
		{"all refuse", map[string]course{"2001:db8::1": {err: errRefused}, "192.0.2.1": {err: errRefused}, "2001:db8::2": {err: errRefused}},
			"", []string{"2001:db8::1", "192.0.2.1", "2001:db8::2"}, 0},
		{"all are silent", map[string]course{"2001:db8::1": {deaf: true}, "192.0.2.1": {deaf: true}, "2001:db8::2": {deaf: true}},
			"", []string{"2001:db8::1", "192.0.2.1", "2001:db8::2"}, 10*time.Second + 500*time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &track{start: time.Now(), courses: c.courses}
				var failures int
				conn, err := race(t.Context(), addresses("2001:db8::1", "192.0.2.1", "2001:db8::2"), n.dial, func(attempt) { failures++ })
				if took := time.Since(n.start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if !slices.Equal(n.dialled, c.dialled) {
					t.Errorf("dialled %v at %v, want %v", n.dialled, n.times, c.dialled)
				}
				if c.winner == "" {
					if err == nil || conn != nil || failures != 3 {
						t.Errorf("%v, %d failures", err, failures)
					}
					return
				}
				if err != nil || conn.(*counted).to.Addr().String() != c.winner {
					t.Fatalf("%v %v", conn, err)
				}
				if n.open != 1 {
					t.Errorf("%d connections are open", n.open)
				}
			})
		})
	}
}

func TestTheLoserOfARaceIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &track{start: time.Now(), courses: map[string]course{"192.0.2.1": {after: 260 * time.Millisecond}, "192.0.2.2": {after: 10 * time.Millisecond}}}
		if _, err := race(t.Context(), addresses("192.0.2.1", "192.0.2.2"), n.dial, func(attempt) {}); err != nil {
			t.Fatal(err)
		}
		if n.open != 1 {
			t.Errorf("%d connections are open", n.open)
		}
	})
}

func TestAStoppedRaceEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &track{start: time.Now(), courses: map[string]course{"192.0.2.1": {deaf: true}, "192.0.2.2": {deaf: true}}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := race(ctx, addresses("192.0.2.1", "192.0.2.2"), n.dial, func(attempt) {})
		if !errors.Is(err, context.Canceled) || time.Since(n.start) != 100*time.Millisecond || len(n.dialled) != 1 {
			t.Errorf("%v after %v, dialled %v", err, time.Since(n.start), n.dialled)
		}
	})
}
