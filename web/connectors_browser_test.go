package web_test

import (
	"strconv"
	"strings"
	"testing"

	"orbit/internal/connector"
	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
	"orbit/web/browsertest"
)

// relay registers an SMTP account for a mail server on this machine that wants no sign-in.
func (s *site) relay(name string, port int) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), `
		insert into smtp_account (account_name, sender_email, smtp_host, port, use_secure_connection, secure_connection_type, use_authentication)
		values ($1, 'alerts@example.com', '127.0.0.1', $2, false, '', false)`, name, port)
	if err != nil {
		s.t.Fatal(err)
	}
}

// menu opens the menu of the nth connector and chooses an entry, by the end of its address.
func menu(tab *browsertest.Tab, id, entry string) {
	tab.Click("#connector-" + id + " .dots")
	tab.Click("#connector-" + id + ` .menu a[href$="` + entry + `"]`)
}

func TestAnSSHServerBecomesTheWayOut(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	server, sink := mailtest.SSHD(t), mailtest.Sink(t)
	t.Cleanup(s.ways.Close)
	tab := s.tab(t, "ana")

	tab.Open("/settings/network-connectors/new")
	tab.Follow(submit)
	tab.SeeText(".error-summary", "2 things need your attention")
	tab.Check("connector-new-problems")
	tab.Click(`label:has(> input[name="kind"][value="ssh"])`)
	tab.SeeText("#summary", "SSH server")
	fill(tab, "name", "Head office", "address", "127.0.0.1", "port", strconv.Itoa(server.Port))
	tab.Choose(`[name="credential_id"]`, "-1")
	fill(tab, "new_credential_name", "Jump host", "new_credential_username", server.Username, "secret", strings.ReplaceAll(server.PrivateKey, "\n", ""))
	tab.SeeText("#summary", "signs in there as "+server.Username)
	tab.Follow(submit)
	tab.SeeText("main", "It carries nothing before its host key is confirmed")

	menu(tab, "2", "/test")
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("dialog", "Nobody has confirmed yet")
	tab.Check("connector-test-unconfirmed")
	tab.Click(`dialog[open] a[href$="/host-key"]`)
	tab.SeeText("dialog", server.Fingerprint)
	tab.Check("connector-host-key")
	tab.Follow(`dialog[open] button[type="submit"]`)
	tab.SeeText("main", "The host key of Head office is confirmed")

	menu(tab, "2", "/test")
	tab.See(`dialog[open] [name="host"]`)
	fill(tab, "host", "localhost", "port", strconv.Itoa(sink.Port))
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("dialog", "localhost can be reached through Head office")
	tab.Open("/settings/network-connectors")
	menu(tab, "2", "/inactivate")
	tab.SeeText("dialog", "Nothing leaves through it")
	tab.Open("/settings/network-connectors")
	menu(tab, "2", "/details")
	tab.SeeText("dialog", server.Fingerprint)
	tab.Check("connector-details")
}

func TestPathsAreComparedOnAPage(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	server, sink := mailtest.SSHD(t), mailtest.Sink(t)
	t.Cleanup(s.ways.Close)
	s.relay("Relay", sink.Port)
	for _, c := range []connector.Change{
		{Settings: connector.Settings{Name: "Branch", Kind: connector.KindHTTPConnect, Address: "127.0.0.1", Port: sink.Port, Active: true}},
		{Settings: connector.Settings{Name: "Head office", Kind: connector.KindSSH, Address: "127.0.0.1", Port: server.Port, CredentialID: connector.NewCredentialID, Fingerprint: server.Fingerprint, Active: true},
			NewCredential: connector.NewCredential{Name: "Jump host", Username: server.Username}, Secret: vault.NewSecret(server.PrivateKey)},
		{Settings: connector.Settings{Name: "Old proxy", Kind: connector.KindSOCKS5, Address: "192.0.2.7", Port: 1080}},
	} {
		if _, err := s.ways.Create(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	tab := s.tab(t, "ana")
	tab.Open("/settings/network-connectors")
	tab.SeeText("main", "Direct connection")
	tab.Check("connectors")
	tab.Open("/settings/notifications/smtp/1/paths")
	tab.Click("main form button")
	tab.SeeText("#paths", "Works ")
	tab.SeeText("#paths", "through Head office")
	tab.SeeText("#paths", "it is not active")
	tab.Click("#paths details:nth-of-type(2) summary")
	tab.Eval(`String(scrollTo(0, 0))`) // what lies under the bar at the top cannot be judged
	tab.Check("paths")
}
