package connector

import (
	"errors"
	"strings"
	"testing"

	"orbit/internal/mail/ladder"
	"orbit/internal/tunnel"
)

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
		conn, steps, err := other.throughAgent(t, h, "localhost", port)
		if err != nil {
			t.Fatal(err)
		}
		mustSwap(t, conn)
		if !strings.Contains(steps[0].Result, "agent lisbon (primary)") {
			t.Errorf("the step does not name the agent: %q", steps[0].Result)
		}
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
	eventually(t, "the connection that ended is forgotten", func() bool { return len(p.made().Links()) == 1 })
	first.run(t) // with the key that it has, its token is used up
	eventually(t, "both are connected", func() bool { return len(p.made().Links()) == 2 })
	if who := by(); !strings.Contains(who, "a primary") {
		t.Errorf("at the end: %s", who)
	}
}

// An agent that is about to stop still counts as connected for a moment. That another one was asked in its place is a
// note: the step names the agent that took the request up.
func TestTheStepNamesTheAgentThatTookTheRequestUp(t *testing.T) {
	t.Parallel()
	l := ladder.New(nil)
	l.Begin(ladder.Connector, "Connector")
	f := farClimb{l: l, on: ladder.Connector}
	f.told(tunnel.Progress{Step: tunnel.PassedOver, Text: "a primary: it takes no more tunnels"})
	f.told(tunnel.Progress{Step: tunnel.TakenUp, Text: "agent a secondary"})
	if step := l.Steps()[0]; step.Result != "agent a secondary" {
		t.Errorf("%q", step.Result)
	}
}
