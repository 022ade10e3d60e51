package connector

import (
	"slices"
	"strings"
	"testing"
)

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
