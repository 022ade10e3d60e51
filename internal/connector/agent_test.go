package connector

import (
	"errors"
	"strings"
	"testing"

	"orbit/internal/mail/ladder"
)

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
