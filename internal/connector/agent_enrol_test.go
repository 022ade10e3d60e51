package connector

import (
	"errors"
	"io"
	"testing"
	"time"

	"orbit/internal/mail/ladder"
	"orbit/internal/tunnel"
)

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
