package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"orbit/internal/identity"
)

const (
	agentStatus = "/settings/network-connectors/status"
	agentLogs   = "/settings/network-connectors/logs"
)

func TestAnAgentIsAddedSeenAndRevoked(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.somebody("udo", identity.Auditor)
	s.connector("site-b", true)
	ana, udo := s.as("ana"), s.as("udo")
	ana.get(agentStatus).is(http.StatusOK, "No agent yet", "Total agents", "Not listening")
	ana.get("/settings/network-connectors").is(http.StatusOK, "/settings/network-connectors/2/enrol", agentStatus, agentLogs)
	udo.get("/settings/network-connectors").is(http.StatusOK, agentStatus).hides("/enrol")
	udo.get("/settings/network-connectors/2/enrol").is(http.StatusForbidden)

	ana.get("/settings/network-connectors/2/enrol?secondary=yes").is(http.StatusOK, "Add a secondary agent to site-b?", "within 24 hours")
	made := ana.post("/settings/network-connectors/2/enrol", "secondary", "yes").is(http.StatusOK,
		"ORBIT_CONNECTOR_TOKEN=orbit-agent-", "ORBIT_CONNECTOR_SECONDARY=true", "ORBIT_CONNECTOR_ADDRESSES=127.0.0.1:51445", "orbit network-connector agent")
	if !regexp.MustCompile(`ORBIT_CONNECTOR_FINGERPRINT=[0-9a-f]{64}`).MatchString(made.body) {
		t.Error("the command has no fingerprint")
	}
	token := regexp.MustCompile(`orbit-agent-[\w-]+`).FindString(made.body)
	var clear int
	err := s.pool.QueryRow(t.Context(), `select count(*) from connector_token where strpos(encode(hash, 'escape'), $1) > 0`, token).Scan(&clear)
	if err != nil || clear != 0 {
		t.Errorf("the token is stored in clear: %d, %v", clear, err)
	}

	_, err = s.pool.Exec(t.Context(), `
		insert into connector_agent (network_connector_id, name, public_key, version, address)
		values (2, '<lisbon>', decode(repeat('ab', 32), 'hex'), '1.2.3', '192.0.2.9')`)
	if err != nil {
		t.Fatal(err)
	}
	udo.get(agentStatus).is(http.StatusOK, "&lt;lisbon&gt;", "site-b", "Offline", "1.2.3", "192.0.2.9").hides("/revoke", token)
	udo.post("/settings/network-connectors/agents/1/revoke").is(http.StatusForbidden)
	ana.get("/settings/network-connectors/agents/1/revoke").is(http.StatusOK, "Revoke agent &lt;lisbon&gt;?", "never let in again")
	ana.post("/settings/network-connectors/agents/1/revoke").leads(agentStatus)
	ana.get(agentStatus).is(http.StatusOK, "Revoked", "agents/1/delete").hides("agents/1/revoke")
	udo.get(agentLogs+"?level=warning").is(http.StatusOK, "was revoked by ana", "revoked")
	udo.get(agentLogs + "?level=error").is(http.StatusOK).hides("was revoked by ana")
	udo.get(agentLogs+"?format=csv").is(http.StatusOK, "Code,Date/Time (UTC),Level,IP,Port,Message,Operation", "192.0.2.9")
	ana.get("/settings/network-connectors/agents/99/revoke").is(http.StatusNotFound)
	udo.post("/settings/network-connectors/agents/1/delete").is(http.StatusForbidden)
	ana.get("/settings/network-connectors/agents/1/delete").is(http.StatusOK, "Delete agent &lt;lisbon&gt;?", "not let in again")
	ana.post("/settings/network-connectors/agents/1/delete").leads(agentStatus)
	ana.get(agentStatus).is(http.StatusOK, "No agent yet")
	if strings.Contains(udo.get("/settings/audit").body, token) {
		t.Error("the audit trail shows the token")
	}
}
