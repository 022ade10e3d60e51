package web_test

import (
	"net/http"
	"testing"

	"orbit/internal/identity"
)

// connector registers a connector of another network.
func (s *site) connector(name string, active bool) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), `
		insert into network_connector (name, kind, address, port, active)
		values ($1, 'agent', '192.0.2.7', 30001, $2)`, name, active)
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestConnectorsReport(t *testing.T) {
	s := newSite(t)
	s.somebody("udo", identity.Auditor)
	udo := s.as("udo")
	udo.get("/settings/network-connectors").is(http.StatusOK, "Direct connection", "Default", "1 connector<", "connections leave directly").
		hides("/settings/network-connectors/new", "/delete", "/test")

	s.connector("=site b", false)
	udo.get("/settings/network-connectors").is(http.StatusOK, "=site b", "192.0.2.7", "30001", "2 connectors")
	udo.get("/settings/network-connectors?format=csv").is(http.StatusOK, "1,direct,Direct connection,,,", "2,'=site b,Agent,192.0.2.7,30001,", ",No\r\n")
	s.somebody("mia", identity.Member)
	s.as("mia").get("/settings/network-connectors").is(http.StatusForbidden)
}

func TestDefaultConnectorIsOfferedAndMarked(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.connector("site-b", true)
	s.connector("site-c", false)
	ana := s.as("ana")
	ana.get(parametersPath).is(http.StatusOK, `<option value="" selected>direct</option>`, `<option value="2">site-b (Agent)</option>`, "site-c (Agent), not active")
	ana.post(parametersPath, parameters("", "default_network_connector_id", "3")...).is(http.StatusUnprocessableEntity, "does not exist or is not active")
	ana.post(parametersPath, parameters("", "default_network_connector_id", "2")...).leads(parametersPath)
	ana.get("/settings/network-connectors").is(http.StatusOK, "connections leave through site-b")
}
