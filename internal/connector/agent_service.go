package connector

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"orbit/internal/tunnel"
	"orbit/internal/vault"
)

// AgentOptions are the parts that Agents work with. Pool and Box are required.
type AgentOptions struct {
	Pool    *pgxpool.Pool
	Box     *vault.Box
	Listen  string // host:port where agents call in; "" for a process that has none of its own
	Version string // of the program
	Log     *slog.Logger
	Drain   time.Duration // how long tunnels may go on when Orbit stops; the tunnel's default
}

// Agents is the server's side of Orbit's own agents: who they are, which of them is connected where, and the
// way through them. Every process may have one; only those that run let agents in.
type Agents struct {
	pool    *pgxpool.Pool
	box     *vault.Box
	log     *slog.Logger
	version string
	listen  string
	drain   time.Duration
	process string // names this process in the database

	// OnTransition is called in the transaction that records that a connector came or went, or one of its agents
	// while another one carries.
	OnTransition func(ctx context.Context, tx pgx.Tx, t Transition) error

	making sync.Mutex
	broker *tunnel.Broker // once it is needed

	changed  wake // connectors or agents changed
	happened wake // a link came or went
	journal  *agentJournal
	door     doorState
	reported reported
}

// NewAgents returns the server's side. Nothing listens before Run.
func NewAgents(o AgentOptions) (*Agents, error) {
	if o.Pool == nil || o.Box == nil {
		return nil, errors.New("agents need a pool and a box")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	a := &Agents{
		pool: o.Pool, box: o.Box, log: o.Log, version: o.Version, listen: o.Listen, drain: o.Drain,
		process: hex.EncodeToString(id), changed: newWake(), happened: newWake(),
	}
	a.journal = newAgentJournal(a)
	return a, nil
}

// Run lets agents in while there is a connector of their kind, until ctx ends; then tunnels are drained.
func (a *Agents) Run(ctx context.Context) error {
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	var journal errgroup.Group
	journal.Go(func() error { a.journal.run(writing); return nil })
	var group errgroup.Group
	for _, work := range []func(context.Context){a.superviseDoor, a.hear, a.report} {
		group.Go(func() error { work(ctx); return nil })
	}
	err := group.Wait()
	a.leave(ctx)
	stopWriting() // the last links have ended, their events too
	return errors.Join(err, journal.Wait())
}

// Close ends what Dial has opened to other processes.
func (a *Agents) Close() {
	a.making.Lock()
	defer a.making.Unlock()
	if a.broker != nil {
		a.broker.Close()
	}
}

// use returns the broker, made when it is first needed: a process without agents needs no certificate.
func (a *Agents) use(ctx context.Context) (*tunnel.Broker, error) {
	a.making.Lock()
	defer a.making.Unlock()
	if a.broker != nil {
		return a.broker, nil
	}
	shared, err := a.server(ctx)
	if err != nil {
		return nil, err
	}
	a.broker, err = tunnel.NewBroker(tunnel.BrokerOptions{
		Certificate: shared.certificate, PeerKey: shared.peerKey, Process: a.process, Registry: registry{a},
		Observe: a.observe, Drain: a.drain, Log: a.log,
	})
	return a.broker, err
}

// made returns the broker if it was needed already.
func (a *Agents) made() *tunnel.Broker {
	a.making.Lock()
	defer a.making.Unlock()
	return a.broker
}

// Dial implements Tunnels: through an agent of this process, or else through a process that has one.
func (a *Agents) Dial(ctx context.Context, r tunnel.Request, told func(tunnel.Progress)) (net.Conn, error) {
	broker, err := a.use(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := broker.Dial(ctx, r, told)
	if err == nil {
		return conn, nil
	}
	if !worthAnother(ctx, err) {
		return nil, err
	}
	peers, lookErr := selectPeers(ctx, a.pool, r.Connector, a.process)
	if lookErr != nil {
		return nil, errors.Join(err, lookErr)
	}
	for _, peer := range peers {
		conn, peerErr := broker.DialPeer(ctx, peer, r, told)
		if peerErr == nil {
			return conn, nil
		}
		if err = peerErr; !worthAnother(ctx, err) {
			return nil, err
		}
		told(tunnel.Progress{Step: tunnel.PassedOver, Text: err.Error()})
	}
	return nil, err
}

// worthAnother reports whether another agent or process may do better: nothing is known of the destination.
func worthAnother(ctx context.Context, err error) bool {
	var broken *tunnel.LinkError
	return ctx.Err() == nil && (errors.Is(err, tunnel.ErrNoAgent) || errors.As(err, &broken))
}

// Online names the agents of a connector that are connected, to whichever process, or returns tunnel.ErrNoAgent.
func (a *Agents) Online(ctx context.Context, connector int64) (string, error) {
	all, err := selectAgents(ctx, a.pool, connector)
	if err != nil {
		return "", err
	}
	var names []string
	for _, row := range all {
		if row.Connected {
			names = append(names, row.Name+" ("+row.Role()+", version "+row.Version+")")
		}
	}
	switch len(names) {
	case 0:
		return "", tunnel.ErrNoAgent
	case 1:
		return "agent " + names[0] + " is connected", nil
	}
	return "agents " + strings.Join(names, ", ") + " are connected", nil
}

// observe hears from the broker what happens to links.
func (a *Agents) observe(e tunnel.Event) {
	level := AgentInfo
	if e.Kind != tunnel.LinkUp {
		level = AgentWarning
	}
	a.journal.add(newAgentEvent(level, string(e.Kind), e.Agent, e.Remote, e.Text))
	a.happened.raise()
}

// wake wakes one goroutine. Raised while that one is busy it wakes it once more, however often.
type wake chan struct{}

func newWake() wake { return make(wake, 1) }

func (w wake) raise() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// wait returns when it is raised, after a while, or when ctx ends.
func (w wake) wait(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-w:
	case <-timer.C:
	case <-ctx.Done():
	}
}
