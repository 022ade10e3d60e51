package connector

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/mail/ladder"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
	"orbit/internal/tunnel"
	"orbit/internal/vault"
)

const agentPatience = 15 * time.Second

// eventually waits for what another goroutine or process brings about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(agentPatience); !is(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s: %s", agentPatience, what)
		}
	}
}

// hq is one Orbit: a database, and processes on it.
type hq struct {
	t    *testing.T
	pool *pgxpool.Pool
	box  *vault.Box
	far  Connector
}

func newHQ(t *testing.T) *hq {
	t.Helper()
	h := &hq{t: t, pool: pgtest.New(t), box: vault.NewTestBox()}
	settings := NewSettings()
	settings.Name, settings.Kind = "Branch office", KindAgent
	var err error
	if h.far, err = NewService(h.pool, Rules{}).Create(h.ctx(), Change{Settings: settings}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hq) ctx() context.Context {
	return audit.WithActor(h.t.Context(), audit.Actor{Kind: audit.User, Name: "ana"})
}

// process is one Orbit process; without a port it can only ask others.
type process struct {
	*Agents
	service *Service
	stop    func()
}

func (h *hq) process(listen string) *process {
	h.t.Helper()
	agents, err := NewAgents(AgentOptions{Pool: h.pool, Box: h.box, Listen: listen, Version: "test", Drain: time.Second})
	if err != nil {
		h.t.Fatal(err)
	}
	p := &process{Agents: agents, service: NewService(h.pool, Rules{})}
	p.service.Tunnels = agents
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- agents.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Errorf("run: %v", err)
		}
		agents.Close()
	})
	h.t.Cleanup(p.stop)
	if listen != "" {
		eventually(h.t, "the port opens", func() bool { return agents.Address() != nil })
	}
	return p
}

// remote is a running agent.
type remote struct {
	options tunnel.AgentOptions
	ended   chan error
	stop    func()
}

func (h *hq) agent(name, destinations string, to ...*process) *remote {
	h.t.Helper()
	e, err := to[0].Enrol(h.ctx(), h.far.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := ParseDestinations(destinations)
	if err != nil {
		h.t.Fatal(err)
	}
	r := &remote{options: tunnel.AgentOptions{
		Fingerprint: e.Fingerprint, Token: e.Token, Name: name, Version: "1.2.3", State: h.t.TempDir(),
		Secondary: strings.Contains(name, "secondary"), Drain: time.Second,
		Dial: NewFar(list, func() []netip.Addr { return nil }).Dial,
	}}
	for _, p := range to {
		r.options.Addresses = append(r.options.Addresses, p.Address().String())
	}
	r.run(h.t)
	return r
}

func (r *remote) run(t *testing.T) {
	t.Helper()
	a, err := tunnel.NewAgent(r.options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r.ended = make(chan error, 1)
	done := make(chan struct{})
	go func() { r.ended <- a.Run(ctx); close(done) }()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(r.stop)
}

func (h *hq) row(p *process, name string) AgentRow {
	h.t.Helper()
	rows, err := p.FindAgents(h.ctx(), name)
	if errors.Is(err, problem.ErrNotFound) {
		return AgentRow{}
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return rows[0]
}

func (h *hq) connected(p *process, name string, processes int) {
	h.t.Helper()
	eventually(h.t, name+" is connected", func() bool { return h.row(p, name).Processes == processes })
}

// echoServer is a server in the agent's network.
func echoServer(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); _, _ = io.Copy(conn, conn) }()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// throughAgent dials as an account would, and returns the steps.
func (p *process) throughAgent(t *testing.T, h *hq, host string, port int) (net.Conn, []ladder.Step, error) {
	t.Helper()
	d, err := p.service.Dialer(t.Context(), true, h.far.ID)
	if err != nil {
		t.Fatal(err)
	}
	l := ladder.New(nil)
	conn, err := d.Dial(ladder.With(t.Context(), l), host, port)
	return conn, l.Steps(), err
}

func mustSwap(t *testing.T, conn net.Conn) {
	t.Helper()
	defer conn.Close()
	if _, err := io.WriteString(conn, "EHLO"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
