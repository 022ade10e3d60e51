package tunnel

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"orbit/internal/vault"
)

// Registry knows the agents.
type Registry interface {
	// SignIn returns the agent to which a key belongs, or to which its token enrols it. A *Refusal is told to the
	// agent; any other error means that it may try again.
	SignIn(ctx context.Context, c Claim) (Known, error)
}

// BrokerOptions are what a Broker needs. Observe, Limit, Drain and Log may be zero.
type BrokerOptions struct {
	Certificate tls.Certificate
	PeerKey     vault.Secret // that the processes of this Orbit share
	Process     string       // names this one
	Registry    Registry
	Observe     func(Event) // must not block
	Limit       int         // tunnels through one agent
	Drain       time.Duration
	Log         *slog.Logger
}

// Event is something that happened to an agent's connection.
type Event struct {
	Kind   EventKind
	Agent  Known // zero when it was not let in
	Remote string
	Text   string
}

// EventKind says what happened.
type EventKind string

// The events.
const (
	LinkUp      EventKind = "connected"
	LinkDown    EventKind = "disconnected"
	LinkRefused EventKind = "refused"
)

// Broker is the server's side: it lets agents in and opens tunnels through them.
type Broker struct {
	o           BrokerOptions
	fingerprint string
	door        chan struct{} // handshakes at the same time

	mu    sync.Mutex
	links map[*agentLink]struct{}
	done  map[int64]Figures // of links that have ended, by agent

	peering sync.Mutex
	peers   map[string]*peer
	bg      crew
}

// agentLink is a link to an agent.
type agentLink struct {
	*link
	agent    Known
	claim    Claim
	draining bool // a newer link of the same agent is there
}

// Figures count since this process has started.
type Figures struct {
	Up      int64 // bytes to the agent
	Down    int64 // bytes from it
	Tunnels int64 // that were opened
}

func (l *agentLink) figures() Figures {
	return Figures{Up: l.wire.written.Load(), Down: l.wire.read.Load(), Tunnels: l.opened.Load()}
}

// Minus is what was added since.
func (f Figures) Minus(before Figures) Figures {
	return Figures{Up: f.Up - before.Up, Down: f.Down - before.Down, Tunnels: f.Tunnels - before.Tunnels}
}

func (f Figures) plus(more Figures) Figures {
	return Figures{Up: f.Up + more.Up, Down: f.Down + more.Down, Tunnels: f.Tunnels + more.Tunnels}
}

const maxHandshakes = 64

// NewBroker returns a broker. Agents come in where Serve listens.
func NewBroker(o BrokerOptions) (*Broker, error) {
	if len(o.Certificate.Certificate) == 0 || o.PeerKey.IsZero() || o.Process == "" || o.Registry == nil {
		return nil, errors.New("a broker needs a certificate, the key of the processes, a name and a registry")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Drain == 0 {
		o.Drain = usualDrain
	}
	return &Broker{
		o: o, fingerprint: Fingerprint(o.Certificate.Certificate[0]), door: make(chan struct{}, maxHandshakes),
		links: map[*agentLink]struct{}{}, done: map[int64]Figures{}, peers: map[string]*peer{},
	}, nil
}

// Fingerprint is that of the certificate, which agents are given.
func (b *Broker) Fingerprint() string { return b.fingerprint }

var errStops = errors.New("orbit stops")

// ErrNoAgent says that this process has no agent of a connector.
var ErrNoAgent = errors.New("no agent is connected")

// Dial opens a tunnel through an agent of r.Connector that is connected to this process: a primary one if there is
// one, and the next when a link turns out to be dead. told hears TakenUp first, then the steps of the agent.
// The error is a *Failure when the destination cannot be reached, ErrNoAgent, or a *LinkError.
func (b *Broker) Dial(ctx context.Context, r Request, told func(Progress)) (*Conn, error) {
	last := ErrNoAgent
	for _, l := range b.candidates(r.Connector) {
		r.Connector = 0 // an agent needn't know
		conn, err := l.open(ctx, r, func(p Progress) {
			if p.Step == TakenUp {
				p.Text = l.describe()
			}
			told(p)
		})
		var broken *LinkError
		if err == nil || ctx.Err() != nil || !errors.As(err, &broken) {
			return conn, err
		}
		last = fmt.Errorf("%s: %w", l.agent.Name, err)
		told(Progress{Step: PassedOver, Text: last.Error()})
	}
	return nil, last
}

// describe names an agent to people.
func (l *agentLink) describe() string {
	return fmt.Sprintf("agent %s (%s) at %s, %s away", l.agent.Name, role(l.agent.Secondary), l.claim.Remote, l.latency.median().Round(10*time.Microsecond))
}

func role(secondary bool) string {
	if secondary {
		return "secondary"
	}
	return "primary"
}

// candidates are the links of a connector, the best first.
func (b *Broker) candidates(connector int64) []*agentLink {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*agentLink
	for l := range b.links {
		if l.agent.Connector == connector {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(x, y *agentLink) int {
		return cmp.Or(
			falseFirst(x.stale(), y.stale()), falseFirst(x.draining, y.draining),
			falseFirst(x.agent.Secondary, y.agent.Secondary), y.link.began.Compare(x.link.began),
		)
	})
	return all
}

// stale reports whether a link may be dead already.
func (l *agentLink) stale() bool { return l.wire.silence() > freshFor }

func falseFirst(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

// keep runs the link of an agent to its end.
func (b *Broker) keep(ctx context.Context, l *agentLink) {
	b.enter(l)
	b.o.Observe(Event{Kind: LinkUp, Agent: l.agent, Remote: l.claim.Remote, Text: fmt.Sprintf(
		"Agent %s (%s, version %s) connected.", l.agent.Name, role(l.agent.Secondary), l.claim.Version)})
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	defer context.AfterFunc(ctx, func() {
		l.drain(running, b.o.Drain)
		stop(errStops)
	})()
	err := l.run(running)
	b.leave(l)
	b.o.Observe(Event{Kind: LinkDown, Agent: l.agent, Remote: l.claim.Remote, Text: fmt.Sprintf(
		"Agent %s (%s) disconnected: %v.", l.agent.Name, role(l.agent.Secondary), err)})
}

func (b *Broker) enter(l *agentLink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for other := range b.links {
		if other.agent.ID == l.agent.ID {
			other.draining = true
		}
	}
	b.links[l] = struct{}{}
}

func (b *Broker) leave(l *agentLink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.links, l)
	b.done[l.agent.ID] = b.done[l.agent.ID].plus(l.figures())
}

// Cut ends the links of all agents that may not stay, now.
func (b *Broker) Cut(may func(agent int64) bool, reason string) {
	b.mu.Lock()
	var cut []*agentLink
	for l := range b.links {
		if !may(l.agent.ID) {
			cut = append(cut, l)
		}
	}
	b.mu.Unlock()
	for _, l := range cut {
		l.fail(errors.New(reason))
	}
}

// LinkStatus is what one link does.
type LinkStatus struct {
	Agent   Known
	Remote  string
	Version string
	Since   time.Time
	Tunnels int // open now
	Latency time.Duration
}

// Links are all agents that are connected to this process, the oldest first.
func (b *Broker) Links() []LinkStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]LinkStatus, 0, len(b.links))
	for l := range b.links {
		all = append(all, LinkStatus{
			Agent: l.agent, Remote: l.claim.Remote, Version: l.claim.Version, Since: l.link.began, Tunnels: l.tunnels(), Latency: l.latency.median(),
		})
	}
	slices.SortFunc(all, func(x, y LinkStatus) int { return x.Since.Compare(y.Since) })
	return all
}

// Figures are those of every agent that was connected to this process, by its id.
func (b *Broker) Figures() map[int64]Figures {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.done)
	for l := range b.links {
		all[l.agent.ID] = all[l.agent.ID].plus(l.figures())
	}
	return all
}
