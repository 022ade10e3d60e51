package tunnel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"orbit/internal/vault"
)

// AgentOptions are what an agent needs. Token, Proxy, Limit, Drain and Log may be zero.
type AgentOptions struct {
	Addresses   []string // host:port of every Orbit process, or of what stands before them
	Fingerprint string   // of the server's certificate
	Token       vault.Secret
	Name        string
	Version     string
	Secondary   bool
	State       string // directory of the key
	Dial        Dial   // opens connections in this network
	Proxy       Proxy
	Limit       int           // tunnels to one server
	Drain       time.Duration // how long tunnels may go on when the agent is to stop
	Log         *slog.Logger
}

// Agent is the end of the tunnels in the other network.
type Agent struct {
	o AgentOptions

	mu    sync.Mutex
	state *State
}

// usualDrain lets a message of some size finish.
const usualDrain = 30 * time.Second

// NewAgent returns an agent with its key. Nothing is dialled before Run.
func NewAgent(o AgentOptions) (*Agent, error) {
	if len(o.Addresses) == 0 || o.Dial == nil {
		return nil, errors.New("an agent needs addresses of Orbit and a way to dial")
	}
	var err error
	if o.Fingerprint, err = ParseFingerprint(o.Fingerprint); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Drain == 0 {
		o.Drain = usualDrain
	}
	a := &Agent{o: o}
	if a.state, err = OpenState(o.State); err != nil {
		return nil, err
	}
	if !a.state.Enrolled && o.Token.IsZero() {
		return nil, errors.New("this agent is not enrolled yet and has no token: run `orbit network-connector setup` at Orbit for a new command with ORBIT_CONNECTOR_TOKEN")
	}
	return a, nil
}

// Run keeps a link to every address until ctx ends; then tunnels are drained. An error is final: the server
// refuses the agent, and somebody must act.
func (a *Agent) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, address := range a.o.Addresses {
		group.Go(func() error { return a.keep(ctx, address) })
	}
	return group.Wait()
}

// keep connects to one address again and again.
func (a *Agent) keep(ctx context.Context, address string) error {
	log := a.o.Log.With("address", address)
	said := ""
	for tries := 0; ; tries++ {
		l, err := a.connect(ctx, address)
		if err == nil {
			log.InfoContext(ctx, "connected to Orbit", "agent", a.Name())
			tries, said = 0, ""
			err = a.serve(ctx, l)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was asked to stop, and the link is down because of that
		}
		if refused := (*Refusal)(nil); errors.As(err, &refused) && refused.Final() {
			return err
		}
		if text := err.Error(); text != said {
			log.WarnContext(ctx, "no connection to Orbit; trying again", "error", text)
			said = text
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause(tries)):
		}
	}
}

// Pauses grow to this. With the time that an attempt takes when nobody answers it stays under ten seconds.
const (
	shortPause = 300 * time.Millisecond
	longPause  = 4 * time.Second
)

// pause is how long to wait before the next attempt. The jitter keeps a hundred agents from coming back at once.
func pause(tries int) time.Duration {
	most := min(longPause, shortPause<<min(tries, 10))
	return most/2 + rand.N(most/2)
}

// serve carries tunnels until the link breaks, or ctx ends and the tunnels have.
func (a *Agent) serve(ctx context.Context, l *link) error {
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	defer context.AfterFunc(ctx, func() {
		l.drain(running, a.o.Drain)
		stop(errors.New("the agent stops"))
	})()
	return l.run(running)
}

// connect calls a server and signs in.
func (a *Agent) connect(ctx context.Context, address string) (*link, error) {
	c, err := callIn(ctx, address, agentPath, a.o.Fingerprint, a.o.Proxy)
	if err != nil {
		return nil, err
	}
	if err := a.signIn(ctx, c, false); err != nil {
		_ = c.ws.CloseNow()
		return nil, err
	}
	l, err := newAcceptor(ctx, c.ws, c.flush, a.o.Limit, a.Name(), a.o.Dial)
	if err != nil {
		_ = c.ws.CloseNow()
	}
	return l, err
}

// signIn proves who this agent is. A key that is not known any more is replaced when a new token is there.
func (a *Agent) signIn(ctx context.Context, c *called, probe bool) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	state := a.present()
	mine := claim{
		Key: state.key().Public().(ed25519PublicKey), Name: a.o.Name, Version: a.o.Version, Secondary: a.o.Secondary, Probe: probe,
	}
	if !state.Enrolled {
		mine.Token = a.o.Token.Reveal()
	}
	signed, err := mine.sign(state.key(), c.binding, c.hello)
	if err != nil {
		return err
	}
	if err := say(ctx, c.ws, signed); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	var w welcome
	if err := hearHandshake(ctx, c.ws, &w); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	if w.Refusal != nil {
		w.Refusal.Text = clean(w.Refusal.Text)
		return a.refused(state, w.Refusal, probe)
	}
	if probe {
		return nil
	}
	return a.admitted(state, w)
}

// present is a copy of the state.
func (a *Agent) present() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return *a.state
}

// Name is how the server calls this agent.
func (a *Agent) Name() string {
	if name := a.present().Name; name != "" {
		return name
	}
	return a.o.Name
}

// admitted keeps that the server knows the key.
func (a *Agent) admitted(used State, w welcome) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if used.Enrolled && used.Name == clean(w.Name) {
		return nil
	}
	if !used.Enrolled {
		a.state.Token = tokenHash(a.o.Token)
	}
	a.state.Enrolled, a.state.Agent, a.state.Name = true, w.Agent, clean(w.Name)
	return a.state.store(os.Rename)
}

// refused makes a new key when the old one is of no use and a token is there that was not used yet.
func (a *Agent) refused(used State, r *Refusal, probe bool) error {
	useless := r.Code == Revoked || r.Code == UnknownKey
	a.mu.Lock()
	defer a.mu.Unlock()
	if !useless || probe || a.o.Token.IsZero() || used.broughtInBy(a.o.Token) {
		return r
	}
	if string(a.state.Seed) == string(used.Seed) { // no other link has done it yet
		a.state = newState(a.o.State)
		if err := a.state.store(os.Rename); err != nil {
			return err
		}
	}
	return &Refusal{Code: Later, Text: "the old key is not known any more; the new token is used"}
}
