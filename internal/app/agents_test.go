package app_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/connector"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/tunnel"
	"orbit/internal/vault"
)

// farName is a host that the branch's own resolver knows, and nobody else.
const farName = "mail.branch.test"

// branch is a network connector whose agent runs.
type branch struct {
	connector.Connector
	mu     sync.Mutex
	dialed []string // host:port, as the agent was asked
}

// dial implements tunnel.Dial for the branch's agent.
func (b *branch) dial(far *connector.Far) tunnel.Dial {
	return func(ctx context.Context, r tunnel.Request, told func(tunnel.Progress)) (tunnel.Dialled, error) {
		b.mu.Lock()
		b.dialed = append(b.dialed, net.JoinHostPort(r.Host, strconv.Itoa(r.Port)))
		b.mu.Unlock()
		if r.Host == farName {
			r.Host = "localhost"
		}
		return far.Dial(ctx, r, told)
	}
}

// wasAskedFor reports whether the agent was asked for a destination.
func (b *branch) wasAskedFor(destination string) bool { return b.timesAskedFor(destination) > 0 }

func (b *branch) timesAskedFor(destination string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.dialed {
		if d == destination {
			n++
		}
	}
	return n
}

func (h *house) branch(t *testing.T, destinations string) *branch {
	t.Helper()
	settings := connector.NewSettings()
	settings.Name, settings.Kind = "Branch office", connector.KindAgent
	c, err := h.Connectors.Create(t.Context(), connector.Change{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Agents.Enrol(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "the port opens", func() bool { return h.Agents.Address() != nil })
	list, err := connector.ParseDestinations(destinations)
	if err != nil {
		t.Fatal(err)
	}
	b := &branch{Connector: c}
	agent, err := tunnel.NewAgent(tunnel.AgentOptions{
		Addresses: []string{h.Agents.Address().String()}, Fingerprint: e.Fingerprint, Token: e.Token, Name: "lisbon", Version: "1.0",
		State: t.TempDir(), Dial: b.dial(connector.NewFar(list, func() []netip.Addr { return nil })), Drain: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		var refused *tunnel.Refusal
		if err := <-ended; err != nil && (!errors.As(err, &refused) || refused.Code != tunnel.Revoked) {
			t.Errorf("the agent: %v", err)
		}
	})
	soon(t, "the agent connects", func() bool { _, err := h.Agents.Online(t.Context(), c.ID); return err == nil })
	return b
}

func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(15 * time.Second); !is(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// Test configuration sends a mail through an agent to a real Postfix, and the certificate is verified for the name
// that the account has, not for the agent's.
func TestMailLeavesThroughAnAgent(t *testing.T) {
	t.Parallel()
	postfix := mailtest.Postfix(t, mailtest.PostfixOptions{})
	h := newHouse(t)
	c := h.branch(t, "localhost")
	s := account.NewSMTPSettings()
	s.AccountName, s.SenderEmail = "Branch", mailtest.User
	s.SMTPHost, s.Port = "localhost", postfix.Submission
	s.CertificateRule, s.CertificateCA = dial.CustomCA, postfix.Cert.CA
	s.UseNetworkConnector, s.NetworkConnectorID = true, c.ID
	s.CredentialID = account.NewCredentialID
	change := account.SMTPChange{
		SMTPSettings: s, Secret: vault.NewSecret(mailtest.Password), NewCredential: account.NewCredential{Name: "Branch", Username: mailtest.User},
	}
	test := h.climb(t, change)
	if f := test.Fault(); f != nil {
		t.Fatalf("%+v", *f)
	}
	var said []string
	for _, step := range test.Steps {
		said = append(said, string(step.Name)+": "+step.Result)
	}
	all := strings.Join(said, "\n")
	for _, part := range []string{"connector: agent lisbon (primary)", "resolve: localhost has", "connect: the agent connected to localhost (127.0.0.1:", "tls: TLS 1.3", "reply:"} {
		if !strings.Contains(all, part) {
			t.Errorf("%q is missing in\n%s", part, all)
		}
	}

	other := mailtest.Certificate(t, mailtest.CertificateOptions{})
	change.CertificateCA = other.CA
	if f := h.climb(t, change).Fault(); f == nil || !strings.HasPrefix(f.Code, "tls_") {
		t.Errorf("with another authority: %+v", f)
	}
	change.SMTPHost = "127.0.0.1" // the agent's list has the name only
	test = h.climb(t, change)
	if f := test.Fault(); f == nil || f.Code != "agent_not_allowed" || test.Steps[len(test.Steps)-1].Name != ladder.Connect {
		t.Errorf("a destination that is not in the list: %+v", f)
	}
}

func (h *house) climb(t *testing.T, change account.SMTPChange) account.SMTPTest {
	t.Helper()
	test, err := h.Accounts.TestSMTP(t.Context(), account.SMTPTestRequest{Unsaved: &change, To: "someone@example.com"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return test
}

// What happens to a connector reaches the rules of notifications, in the transaction that records it.
func TestAConnectorThatGoesIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.branch(t, "localhost")
	told := func(kind string) (n int) {
		err := h.Pool.QueryRow(t.Context(), `select count(*) from event where type = $1 and data->>'subject_name' = $2
			and data->>'url_open' like '%/settings/network-connectors/status'`, kind, c.Name).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	soon(t, "it is told that the connector is up", func() bool { return told("orbit.connector_up") == 1 })
	agents, err := h.Agents.FindAgents(t.Context(), "lisbon")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Agents.Revoke(t.Context(), agents[0].ID); err != nil {
		t.Fatal(err)
	}
	soon(t, "it is told that the connector is down", func() bool {
		// A break counts after 15 seconds; the test turns the clock of this one back.
		if _, err := h.Pool.Exec(t.Context(), `update connector_state set missed_since = now() - interval '1 minute' where missed_since is not null`); err != nil {
			t.Fatal(err)
		}
		return told("orbit.connector_down") == 1
	})
	if n := told("orbit.agent_down") + told("orbit.agent_up"); n != 0 {
		t.Errorf("one loss is told %d times more", n)
	}
}
