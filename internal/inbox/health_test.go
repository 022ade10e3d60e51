package inbox

import (
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
	"orbit/internal/vault"
)

// silent is a server that takes connections and says nothing.
func silent(t testing.TB) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// Accounts that hang and accounts that fail stand in nobody's way.
func TestOtherAccountsSlowNobodyDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hangs := silent(t)
	for _, name := range []string{"hangs 1", "hangs 2", "hangs 3", "refused", "wrong password"} {
		c := r.settings(fetch.IMAP)
		c.AccountName, c.NewCredential.Name = name, name
		switch {
		case strings.HasPrefix(name, "hangs"):
			c.Port = hangs
		case name == "refused":
			c.Port = 1
		default:
			c.Secret = vault.NewSecret("wrong")
		}
		_, err := r.accounts.CreateMailbox(r.ctx, c)
		r.must(err)
	}
	r.run(r.process)
	m := r.mailbox(fetch.IMAP, func(c *account.MailboxChange) { c.NewCredential.Name = "good" })
	r.awaitState(m.ID, Watching)
	r.arrives("one", 5*time.Second)
	r.until("the others are explained", func() bool {
		all, err := r.Health(r.ctx, nil)
		r.must(err)
		states := map[State]int{}
		for _, h := range all {
			states[h.State]++
			if h.State == Failing && (h.Fault == nil || h.Fault.Remedy == "" || !h.NextAttempt.After(time.Now().Add(15*time.Second))) {
				t.Fatalf("%+v", h)
			}
		}
		return states[Watching] == 1 && states[Failing] >= 2 && states[Checking]+states[Failing] == 5
	})
	for _, want := range []string{
		`orbit_inbox_mailboxes{state="watching"} 1`, `orbit_inbox_mailboxes{state="disabled"} 0`, `orbit_inbox_messages_total{class="other"} 1`,
		`orbit_inbox_messages_total{class="bounce"} 0`, "orbit_inbox_mailboxes_owned 6", "orbit_inbox_unreadable_messages 0",
	} {
		if !strings.Contains(r.metrics(), want+"\n") {
			t.Errorf("no %s in %s", want, r.metrics())
		}
	}
}

func (r *rig) metrics() string {
	r.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	r.must(registry.Register(r.Collector()))
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).
		ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return answer.Body.String()
}

// Who asks for a check of a mailbox that fails is told why, whichever process does it.
func TestACheckSaysWhyItFailed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.POP3, func(c *account.MailboxChange) {
		manual(c)
		c.Secret = vault.NewSecret("wrong")
	})
	v, err := r.CheckNow(r.ctx, m.ID)
	r.must(err)
	if v.Fault == nil || v.Fault.Remedy == "" || v.Stored != 0 {
		t.Errorf("%+v", v)
	}
	health, err := r.Health(r.ctx, []int64{m.ID})
	r.must(err)
	if h := health[m.ID]; h.State != Failing || h.Failures != 1 || h.Fault == nil || h.LastCheck.IsZero() || !h.LastSuccess.IsZero() {
		t.Errorf("%+v", h)
	}
}

func TestCountingEnds(t *testing.T) {
	t.Parallel()
	for stored, more := range map[int]bool{maxCounted - 1: false, maxCounted: false, maxCounted + 1: true} {
		h, err := healthRow{Stored: stored}.health()
		if err != nil || h.Stored != min(stored, maxCounted) || h.StoredMore != more {
			t.Errorf("%d: %d, more: %t, %v", stored, h.Stored, h.StoredMore, err)
		}
	}
}
