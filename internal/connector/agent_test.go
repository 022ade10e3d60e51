package connector

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
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

func TestAnAgentEnrolsAndCarriesMail(t *testing.T) {
	t.Parallel()
	h := newHQ(t)
	p := h.process("127.0.0.1:0")
	port := echoServer(t)
	h.agent("lisbon", "mail.test:"+itoa(port)+",127.0.0.1", p)
	h.connected(p, "lisbon", 1)
	// The service judges what it sees of the destination: loopback is allowed here by rule, there by the list.
	p.service.rules.Allowed = []Pattern{{Host: "localhost"}}
	conn, steps, err := p.throughAgent(t, h, "localhost", port)
	if err != nil {
		t.Fatal(err)
	}
	mustSwap(t, conn)
	var names []string
	for _, s := range steps {
		names = append(names, string(s.Name)+": "+s.Result)
	}
	if len(steps) != 3 || !strings.Contains(names[0], "agent lisbon (primary)") || !strings.Contains(names[1], "localhost has") ||
		!strings.Contains(names[2], "the agent connected to localhost (127.0.0.1:"+itoa(port)) {
		t.Errorf("steps %q", names)
	}
}

func TestWhatAnAgentMayNotDialIsExplained(t *testing.T) {
	t.Parallel()
	h := newHQ(t)
	p := h.process("127.0.0.1:0")
	h.agent("lisbon", UsualDestinations, p)
	h.connected(p, "lisbon", 1)
	p.service.rules.Allowed = []Pattern{{Host: "localhost"}}
	for _, c := range []struct {
		host string
		port int
		code string
		step ladder.Name
	}{
		{"no-such-host.invalid", 25, "agent_name_unknown", ladder.Resolve},
		{"192.0.2.7", 8443, "agent_not_allowed", ladder.Connect},
		{"localhost", 25, "agent_not_allowed", ladder.Connect},
	} {
		_, _, err := p.throughAgent(t, h, c.host, c.port)
		var e *ladder.Error
		if !errors.As(err, &e) || e.Fault.Code != c.code || e.Step != c.step {
			t.Errorf("%s: %v, want %s at %s", c.host, err, c.code, c.step)
		}
	}
}

func TestARevokedAgentIsCutOffWithinASecond(t *testing.T) {
	t.Parallel()
	h := newHQ(t)
	one, two := h.process("127.0.0.1:0"), h.process("127.0.0.1:0")
	port := echoServer(t)
	r := h.agent("lisbon", "127.0.0.1", one, two)
	h.connected(one, "lisbon", 2)
	two.service.rules.Allowed = []Pattern{{Host: "localhost"}}
	conn, _, err := two.throughAgent(t, h, "localhost", port)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if _, err := one.Revoke(h.ctx(), h.row(one, "lisbon").ID); err != nil { // the other process must follow
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(started.Add(5 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the tunnel ended with %v", err)
	}
	if took := time.Since(started); took > time.Second {
		t.Errorf("cut off after %s", took)
	}
	select {
	case err := <-r.ended:
		var refusal *tunnel.Refusal
		if !errors.As(err, &refusal) || refusal.Code != tunnel.Revoked {
			t.Errorf("the agent ended with %v", err)
		}
	case <-time.After(agentPatience):
		t.Error("the agent does not stop")
	}
	_, _, err = two.throughAgent(t, h, "localhost", port)
	var e *ladder.Error
	if !errors.As(err, &e) || e.Fault.Code != "agent_offline" {
		t.Errorf("dial: %v", err)
	}
}

func TestAProcessWithoutAnAgentAsksTheOneThatHasIt(t *testing.T) {
	t.Parallel()
	h := newHQ(t)
	one := h.process("127.0.0.1:0")
	port := echoServer(t)
	h.agent("lisbon", "127.0.0.1", one)
	h.connected(one, "lisbon", 1)
	other := h.process("")
	other.service.rules.Allowed = []Pattern{{Host: "localhost"}}
	for range 2 {
		conn, _, err := other.throughAgent(t, h, "localhost", port)
		if err != nil {
			t.Fatal(err)
		}
		mustSwap(t, conn)
	}
	_, _, err := other.throughAgent(t, h, "no-such-host.invalid", 25)
	var e *ladder.Error
	if !errors.As(err, &e) || e.Fault.Code != "agent_not_allowed" && e.Fault.Code != "agent_name_unknown" {
		t.Errorf("a failure through another process: %v", err)
	}
}

func TestTheSecondaryTakesOver(t *testing.T) {
	t.Parallel()
	h := newHQ(t)
	p := h.process("127.0.0.1:0")
	port := echoServer(t)
	first := h.agent("a primary", "127.0.0.1", p)
	h.agent("a secondary", "127.0.0.1", p)
	h.connected(p, "a primary", 1)
	h.connected(p, "a secondary", 1)
	p.service.rules.Allowed = []Pattern{{Host: "localhost"}}
	by := func() string {
		conn, steps, err := p.throughAgent(t, h, "localhost", port)
		if err != nil {
			t.Fatal(err)
		}
		mustSwap(t, conn)
		return steps[0].Result
	}
	if who := by(); !strings.Contains(who, "a primary") {
		t.Errorf("before: %s", who)
	}
	first.stop()
	if who := by(); !strings.Contains(who, "a secondary") {
		t.Errorf("after: %s", who)
	}
	first.run(t) // with the key that it has, its token is used up
	eventually(t, "both are connected", func() bool { return len(p.made().Links()) == 2 })
	if who := by(); !strings.Contains(who, "a primary") {
		t.Errorf("at the end: %s", who)
	}
}

func TestWhoComesAndGoesIsRecordedAndShown(t *testing.T) {
	t.Parallel()
	h := newHQ(t)
	p := h.process("127.0.0.1:0")
	r := h.agent("lisbon", "127.0.0.1", p)
	h.connected(p, "lisbon", 1)
	operations := func() []string {
		events, err := p.Events(h.ctx(), AgentEventFilter{ConnectorID: h.far.ID})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range events {
			all = append(all, e.Operation)
		}
		return all
	}
	eventually(t, "all events are written", func() bool {
		all := operations()
		return slices.Contains(all, "connected") && slices.Contains(all, "connector_up") && slices.Contains(all, "agent_up") && slices.Contains(all, "enrolled")
	})
	overview, err := p.Overview(h.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if c := overview.Connectors[0]; !overview.Listening || overview.Agents != 1 || overview.Primary != 1 || !c.Up || c.Primary != Present || c.Secondary != None || c.PrimaryVersion != "1.2.3" {
		t.Errorf("overview %+v", overview)
	}
	r.stop()
	eventually(t, "the agent is gone", func() bool { return !h.row(p, "lisbon").Connected })
	if slices.Contains(operations(), "connector_down") {
		t.Error("a short break is recorded as an outage")
	}
	if _, err := h.pool.Exec(t.Context(), `update connector_agent set missed_since = now() - interval '1 minute'`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the break is noted", func() bool {
		tag, err := h.pool.Exec(t.Context(), `update connector_state set missed_since = now() - interval '1 minute' where missed_since is not null`)
		return err == nil && tag.RowsAffected() == 1
	})
	eventually(t, "the outage is recorded", func() bool {
		all := operations()
		return slices.Contains(all, "connector_down") && slices.Contains(all, "agent_down")
	})
	trouble, err := p.Trouble(h.ctx())
	if err != nil || len(trouble) != 1 || !strings.Contains(trouble[0], "Network connector Branch office has been unavailable since") {
		t.Errorf("the bell says %q, %v", trouble, err)
	}
}

func TestATokenEnrolsOneAgentOnce(t *testing.T) {
	t.Parallel()
	h := newHQ(t)
	p := h.process("127.0.0.1:0")
	r := h.agent("lisbon", "127.0.0.1", p)
	h.connected(p, "lisbon", 1)
	thief := &remote{options: r.options}
	thief.options.State = t.TempDir()
	thief.run(t)
	var refusal *tunnel.Refusal
	if err := <-thief.ended; !errors.As(err, &refusal) || refusal.Code != tunnel.UsedToken {
		t.Errorf("the same token again: %v", err)
	}
	e, err := p.Enrol(h.ctx(), h.far.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.pool.Exec(t.Context(), `update connector_token set expires_at = now() - interval '1 second' where used_at is null`); err != nil {
		t.Fatal(err)
	}
	thief.options.Token = e.Token
	thief.run(t)
	if err := <-thief.ended; !errors.As(err, &refusal) || refusal.Code != tunnel.ExpiredToken {
		t.Errorf("an expired token: %v", err)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
