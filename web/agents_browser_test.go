package web_test

import (
	"testing"

	"orbit/internal/identity"
)

// An administrator registers a connector, gets the command for the other machine, and sees the agent.
func TestAnAgentIsAddedInABrowser(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	tab := s.tab(t, "ana")
	tab.Open("/settings/network-connectors/new")
	tab.Click(`label:has(> input[name="kind"][value="agent"])`)
	fill(tab, "name", "Branch office")
	tab.Follow(submit)
	tab.Open("/settings/network-connectors")
	menu(tab, "2", "/enrol")
	tab.SeeText("dialog", "Two agents are recommended")
	tab.Check("connector-enrol")
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("main", "ORBIT_CONNECTOR_TOKEN=orbit-agent-")
	tab.Check("connector-enrolled")
	_, err := s.pool.Exec(t.Context(), `
		with agent as (
			insert into connector_agent (network_connector_id, name, public_key, version, address, seen_at)
			values (2, 'lisbon', decode(repeat('ab', 32), 'hex'), '1.2.3', '192.0.2.9', now()) returning id)
		insert into connector_latency (connector_agent_id, at, microseconds)
		select id, now() - make_interval(mins => n), 20000 + 1000 * n from agent, generate_series(1, 30) n`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.pool.Exec(t.Context(), `
		insert into connector_event (level, operation, network_connector_id, connector_agent_id, address, port, message)
		values ('warning', 'disconnected', 2, 1, '192.0.2.9', 40000, 'Agent lisbon (primary) disconnected: nothing was heard for 8s.')`)
	if err != nil {
		t.Fatal(err)
	}
	tab.Open(agentStatus)
	tab.SeeText("main", "Round trip to lisbon")
	tab.Check("connector-status")
	tab.Open(agentLogs)
	tab.SeeText("main", "nothing was heard for 8s")
	tab.Check("connector-logs")
}
