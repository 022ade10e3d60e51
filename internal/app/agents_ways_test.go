package app_test

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orbit/internal/app"
	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
)

// A real Dovecot in the branch opens over IMAP and POP3, under a name that only the branch can look up, with a
// certificate for that name.
func TestMailboxesAreReadThroughAnAgent(t *testing.T) {
	t.Parallel()
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{Names: []string{farName}})
	dovecot := mailtest.Dovecot(t, mailtest.DovecotOptions{Cert: &cert})
	dovecot.Deliver(t, mailtest.User, []byte("Subject: one\n\nOne.\n"))
	h := newHouse(t)
	b := h.branch(t, "localhost")
	p := h.program(t, identity.Administrator)
	credential := p.want(201, "POST", "/credentials", fields{"name": "Mailbox", "username": mailtest.User, "secret": mailtest.Password})
	for protocol, port := range map[string]int{"imap": dovecot.IMAPS, "pop3": dovecot.POP3S} {
		inbox := p.want(201, "POST", "/imap-pop3-accounts", fields{
			"account_name": "Inbox " + protocol, "protocol": protocol, "address": farName, "port": port, "active": false,
			"credential_id": credential["id"], "secret": mailtest.Password, "secure_connection_type": "ssl",
			"certificate_rule": "custom_ca", "certificate_ca": cert.CA, "use_network_connector": true, "network_connector_id": b.ID,
		})
		test := p.want(200, "POST", at("/imap-pop3-accounts", inbox)+"/test", nil)
		steps := fmt.Sprint(test["steps"])
		if test["state"] != "opened" || !strings.Contains(test["reply"].(string), "has 1 message") ||
			!strings.Contains(steps, "agent lisbon (primary)") || !strings.Contains(steps, "the agent connected to "+farName) {
			t.Errorf("%s: %v", protocol, test)
		}
		if !b.wasAskedFor(net.JoinHostPort(farName, strconv.Itoa(port))) {
			t.Errorf("%s: not asked for the name as it was written", protocol)
		}
		paths := p.want(200, "POST", at("/imap-pop3-accounts", inbox)+"/compare-paths", nil)["items"].([]any)
		if direct, far := paths[0].(map[string]any), paths[1].(map[string]any); direct["works"] != false || far["works"] != true {
			t.Errorf("%s: the paths %v", protocol, paths)
		}
	}
}

// The account signs in at the proxy's own port, which is dialled directly whatever the account says; the proxy's
// connection to the provider and the request for the token leave through the agent.
func TestTheProxyAndItsTokensLeaveThroughAnAgent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	register(t, h, d, d.AppOnlyArguments())
	inbox := h.documentsMailbox(t, d.AppOnlyMailbox())
	b := h.branch(t, "127.0.0.1,localhost")
	p := h.program(t, identity.Administrator)
	through := fields{"use_network_connector": true, "network_connector_id": b.ID}
	p.want(200, "PATCH", "/imap-pop3-accounts/"+strconv.FormatInt(inbox.ID, 10), through)
	for _, item := range p.want(200, "GET", "/proxy-listeners", nil)["items"].([]any) {
		p.want(200, "PATCH", at("/proxy-listeners", item.(map[string]any)), through)
	}
	for _, item := range p.want(200, "GET", "/oauth-clients", nil)["items"].([]any) {
		p.want(200, "PATCH", at("/oauth-clients", item.(map[string]any)), through)
	}
	client := p.want(200, "GET", "/oauth-clients", nil)["items"].([]any)[0].(map[string]any)
	if test := p.want(200, "POST", at("/oauth-clients", client)+"/test", fields{}); !b.wasAskedFor(issuer(t, d)) {
		t.Errorf("the token was asked for another way: %v", test)
	}
	// 127.0.0.1 behind the agent is another server than it was. Who enters the secret again approves it.
	p.want(200, "PATCH", at("/oauth-clients", client), fields{"client_secret": argument(t, d.AppOnlyArguments(), "--oauth2-client-secret")})
	l := h.imapListener(t)
	server := net.JoinHostPort(l.ServerAddress, strconv.Itoa(l.ServerPort))
	soon(t, "the listener has changed its way", func() bool {
		before := b.timesAskedFor(server)
		wantOpened(t, h, inbox.ID, "INBOX has ")
		return b.timesAskedFor(server) > before
	})
	if b.wasAskedFor(net.JoinHostPort("127.0.0.1", strconv.Itoa(l.LocalPort))) {
		t.Error("the agent was asked for the proxy's own port")
	}
}

// argument is what register is given for a flag.
func argument(t *testing.T, arguments [][]string, flag string) string {
	t.Helper()
	i := slices.IndexFunc(arguments, func(pair []string) bool { return pair[0] == flag })
	if i < 0 {
		t.Fatalf("no %s", flag)
	}
	return arguments[i][1]
}

// issuer is where the demo's provider gives tokens.
func issuer(t *testing.T, d *app.Demo) string {
	t.Helper()
	found, err := url.Parse(d.Sandbox.Endpoints.Token)
	if err != nil {
		t.Fatal(err)
	}
	return found.Host
}

// What the pages do with agents, programs do too.
func TestAProgramEnrolsAndRevokesAgents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.branch(t, "localhost")
	p, auditor := h.program(t, identity.Administrator), h.program(t, identity.Auditor)
	enrol := "/network-connectors/" + strconv.FormatInt(b.ID, 10) + "/enrol"
	made := p.want(201, "POST", enrol, fields{"addresses": []string{"orbit.example.com", "198.51.100.7:443"}, "secondary": true})
	for _, part := range []string{"ORBIT_CONNECTOR_ADDRESSES=orbit.example.com:", ",198.51.100.7:443", "ORBIT_CONNECTOR_TOKEN=orbit-agent-", "ORBIT_CONNECTOR_SECONDARY=true", "network-connector agent"} {
		if !strings.Contains(made["command"].(string), part) {
			t.Errorf("%q is missing in %v", part, made)
		}
	}
	p.want(201, "POST", enrol, nil)
	p.want(409, "POST", "/network-connectors/1/enrol", nil) // the direct one
	p.want(404, "POST", "/network-connectors/4711/enrol", nil)
	auditor.want(403, "POST", enrol, nil)

	agents := auditor.want(200, "GET", "/network-connector-agents?network_connector_id="+strconv.FormatInt(b.ID, 10), nil)["items"].([]any)
	if len(agents) != 1 {
		t.Fatalf("agents %v", agents)
	}
	lisbon := agents[0].(map[string]any)
	where := at("/network-connector-agents", lisbon)
	if lisbon["name"] != "lisbon" || lisbon["connected"] != true || auditor.want(200, "GET", where, nil)["name"] != "lisbon" {
		t.Errorf("the agent %v", lisbon)
	}
	if status := auditor.want(200, "GET", "/network-connector-agents/status", nil); status["primary_online"] != 1.0 || status["listening"] != true {
		t.Errorf("status %v", status)
	}
	auditor.want(403, "POST", where+"/revoke", nil)
	p.want(409, "DELETE", where, nil) // in use
	if revoked := p.want(200, "POST", where+"/revoke", nil); revoked["revoked_by"] != "test administrator" {
		t.Errorf("revoked %v", revoked)
	}
	p.want(409, "POST", where+"/revoke", nil)
	if log := auditor.want(200, "GET", "/network-connector-agents/log?level=warning", nil)["items"]; !strings.Contains(fmt.Sprint(log), "lisbon was revoked by test administrator") {
		t.Errorf("log %v", log)
	}
	p.want(204, "DELETE", where, nil)
	p.want(404, "GET", where, nil)
}
