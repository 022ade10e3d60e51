package app_test

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
)

// gate is a SOCKS5 proxy that reaches nobody and remembers whom it was asked for.
type gate struct {
	port  int
	mu    sync.Mutex
	asked []string
}

func newGate(t *testing.T) *gate {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	g := &gate{port: ln.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go g.serve(conn)
		}
	}()
	return g
}

func (g *gate) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	greeting, request := make([]byte, 3), make([]byte, 5)
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return
	}
	_, _ = io.WriteString(conn, "\x05\x00")
	if _, err := io.ReadFull(conn, request); err != nil || request[3] != 3 {
		return
	}
	rest := make([]byte, int(request[4])+2)
	if _, err := io.ReadFull(conn, rest); err != nil {
		return
	}
	host, port := rest[:request[4]], rest[request[4]:]
	g.mu.Lock()
	g.asked = append(g.asked, net.JoinHostPort(string(host), strconv.Itoa(int(port[0])<<8|int(port[1]))))
	g.mu.Unlock()
	_, _ = io.WriteString(conn, "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00") // host unreachable
}

// wasAskedFor waits until somebody asked for a destination.
func (g *gate) wasAskedFor(t *testing.T, who, destination string) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); <-look.C {
		g.mu.Lock()
		for _, asked := range g.asked {
			if asked == destination {
				g.mu.Unlock()
				return
			}
		}
		g.mu.Unlock()
	}
	t.Errorf("%s did not go through the connector: it was asked for %v", who, g.asked)
}

// Everything that dials goes through the connector of its record, with the name as it was written: no name of
// these exists in any DNS.
func TestEverythingThatDialsGoesThroughItsConnector(t *testing.T) {
	t.Parallel()
	h, through := newHouse(t), newGate(t)
	p := h.program(t, identity.Administrator)
	way := p.want(201, "POST", "/network-connectors", fields{"name": "Site", "kind": "socks5", "address": "127.0.0.1", "port": through.port})
	id := way["id"]
	credential := p.want(201, "POST", "/credentials", fields{"name": "Mailbox", "username": "alerts@example.com", "secret": "tr0ub4dor"})

	smtp := p.want(201, "POST", "/smtp-accounts", fields{
		"account_name": "Relay", "sender_email": "alerts@example.com", "smtp_host": "smtp.beyond.test", "port": 587, "use_authentication": false,
		"use_network_connector": true, "network_connector_id": id,
	})
	test := p.want(200, "POST", at("/smtp-accounts", smtp)+"/test", fields{"to": "bob@example.com"})
	if test["state"] != "failed" || !strings.Contains(fmt.Sprint(test["steps"]), "socks5_4") {
		t.Errorf("%v", test)
	}
	through.wasAskedFor(t, "an SMTP account", "smtp.beyond.test:587")

	for protocol, port := range map[string]int{"imap": 993, "pop3": 995} {
		mailbox := p.want(201, "POST", "/imap-pop3-accounts", fields{
			"account_name": protocol, "address": protocol + ".beyond.test", "port": port, "protocol": protocol, "secure_connection_type": "ssl",
			"credential_id": credential["id"], "secret": "tr0ub4dor", "use_network_connector": true, "network_connector_id": id, "active": false,
		})
		p.want(200, "POST", at("/imap-pop3-accounts", mailbox)+"/test", nil)
		through.wasAskedFor(t, "an "+protocol+" account", fmt.Sprintf("%s.beyond.test:%d", protocol, port))
	}

	client := p.want(201, "POST", "/oauth-clients", fields{
		"pattern": "@example.com", "client_id": "id", "client_secret": "word", "flow": "client_credentials", "scope": "mail",
		"token_url": "https://login.beyond.test/token", "use_network_connector": true, "network_connector_id": id,
	})
	p.want(200, "POST", at("/oauth-clients", client)+"/test", fields{})
	through.wasAskedFor(t, "a token request", "login.beyond.test:443")

	p.want(201, "POST", "/proxy-listeners", fields{
		"protocol": "smtp", "local_port": freePort(t), "server_address": "upstream.beyond.test", "server_port": 587, "server_security": "tls",
		"use_network_connector": true, "network_connector_id": id,
	})
	through.wasAskedFor(t, "the proxy", "upstream.beyond.test:587")

	p.want(409, "DELETE", at("/network-connectors", way), nil)
	p.want(200, "PATCH", at("/network-connectors", way), fields{"active": false})
	test = p.want(200, "POST", at("/smtp-accounts", smtp)+"/test", fields{"to": "bob@example.com"})
	if !strings.Contains(fmt.Sprint(test["steps"]), "connector_unusable") {
		t.Errorf("an inactive connector must fail: %v", test)
	}
}

func TestAProgramRegistersAndComparesConnectors(t *testing.T) {
	t.Parallel()
	h, sink, through := newHouse(t), mailtest.Sink(t), newGate(t)
	p := h.program(t, identity.Administrator)
	wrong := p.want(422, "POST", "/network-connectors", fields{"kind": "ssh", "address": "a b", "fingerprint": "x"})
	for _, field := range []string{"name", "address", "credential_id", "fingerprint"} {
		if !strings.Contains(fmt.Sprint(wrong["errors"]), "body."+field) {
			t.Errorf("%s is not among %v", field, wrong["errors"])
		}
	}
	site := p.want(201, "POST", "/network-connectors", fields{"name": "Site", "kind": "socks5", "address": "127.0.0.1", "port": through.port})
	shown := p.want(200, "GET", at("/network-connectors", site), nil)
	if shown["active"] != true || shown["version"] != 1.0 {
		t.Errorf("%v", shown)
	}
	test := p.want(200, "POST", at("/network-connectors", site)+"/test", nil)
	beyond := p.want(200, "POST", at("/network-connectors", site)+"/test", fields{"host": "mail.beyond.test", "port": 25})
	if test["works"] != true || beyond["works"] != false || beyond["failed_at"] != "Connection through Site" {
		t.Errorf("%v\n%v", test, beyond)
	}
	relay := p.want(201, "POST", "/smtp-accounts", fields{
		"account_name": "Relay", "sender_email": "alerts@example.com", "smtp_host": "localhost", "port": sink.Port,
		"use_secure_connection": false, "use_authentication": false,
	})
	paths := p.want(200, "POST", at("/smtp-accounts", relay)+"/compare-paths", nil)["items"].([]any)
	if len(paths) != 2 || paths[0].(map[string]any)["works"] != true || paths[1].(map[string]any)["works"] != false {
		t.Errorf("%v", paths)
	}
	if list := p.want(200, "GET", "/network-connectors?limit=1", nil); len(list["items"].([]any)) != 1 || list["next"] == nil {
		t.Errorf("%v", list)
	}
	p.want(409, "POST", at("/network-connectors", site)+"/confirm-host-key", fields{"fingerprint": "SHA256:x"})
	p.want(204, "DELETE", at("/network-connectors", site), nil)
	p.want(404, "GET", at("/network-connectors", site), nil)
	auditor := h.program(t, identity.Auditor)
	auditor.want(200, "GET", "/network-connectors", nil)
	auditor.want(403, "POST", "/network-connectors/1/test", nil)
	auditor.want(403, "DELETE", "/network-connectors/1", nil)
}

func at(path string, record map[string]any) string {
	return path + "/" + strconv.Itoa(int(record["id"].(float64)))
}
