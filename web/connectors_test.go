package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
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

// mailbox registers an IMAP account for a server on this machine.
func (s *site) mailbox(name string, port int) {
	s.t.Helper()
	keeper := s.credential(name, "alerts@example.com")
	_, err := s.pool.Exec(s.t.Context(), `
		insert into mailbox_account (account_name, protocol, address, port, use_secure_connection, secure_connection_type, credential_id)
		values ($1, 'imap', '127.0.0.1', $2, false, '', $3)`, name, port, keeper.ID)
	if err != nil {
		s.t.Fatal(err)
	}
}

// A comparison that runs is shown while it runs, and at its end without JavaScript.
func TestPathsOfAMailboxAreShownAsTheyAreTried(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.somebody("udo", identity.Auditor)
	s.mailbox("Replies", mailtest.Sink(t).Port) // which greets as an SMTP server
	s.connector("site-b", true)
	ana, at := s.as("ana"), "/settings/notifications/imap-pop3/1/paths"
	ana.get(at).is(http.StatusOK, "Compare paths - Account Replies").hides("sse-connect")
	ana.do(http.MethodPost, at, nil, "HX-Request", "true").is(http.StatusOK, `sse-connect="`+at+`/events"`).hides("Steps of each path")
	live := ana.get(at+"/events").is(http.StatusOK, "event: paths", "Running", "paths-side", "No way leads to 127.0.0.1", "The network connector site-b cannot be used", "event: done")
	if first, last := strings.Index(live.body, "Running"), strings.Index(live.body, "No way leads"); first > last {
		t.Error("the result is sent first")
	}
	ana.post(at).is(http.StatusOK, "No way leads to 127.0.0.1", "Compare again")
	s.as("udo").get(at + "/events").is(http.StatusForbidden)
	ana.do(http.MethodGet, at+"/events", nil, "Sec-Fetch-Site", "cross-site").is(http.StatusForbidden)
}

func TestAConnectorIsTestedWhileSomebodyLooksOn(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.connector("site-b", false)
	ana, at := s.as("ana"), "/settings/network-connectors/2/test"
	ana.post(at, "host", "a b", "port", "25").is(http.StatusUnprocessableEntity, "must be a name such as mail.example.com")
	form := url.Values{"host": {"mail.example.com"}, "port": {"587"}}
	ana.do(http.MethodPost, at, form, "HX-Request", "true").is(http.StatusOK, `sse-connect="`+at+`/events?host=mail.example.com&amp;port=587"`)
	ana.get(at+"/events?host=mail.example.com&port=587").is(http.StatusOK, "event: ladder", "rung-running", "rung-failed", "It did not get further than: Network connector site-b", "event: done")
	ana.post(at, "host", "mail.example.com", "port", "587").is(http.StatusOK, "It did not get further than: Network connector site-b").hides("sse-connect")
	ana.get(at + "/events?host=a+b&port=25").is(http.StatusUnprocessableEntity)
	ana.do(http.MethodGet, at+"/events", nil, "Sec-Fetch-Site", "same-site").is(http.StatusForbidden)
}
