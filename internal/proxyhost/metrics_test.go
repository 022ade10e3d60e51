package proxyhost

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"orbit/internal/mail/proxy"
)

func (r *rig) metrics() string {
	r.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	r.must(registry.Register(r.Collector()))
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).
		ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return answer.Body.String()
}

func TestMetricsCount(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	r.must(r.login(l, mailbox, password))
	if err := r.login(l, mailbox, "wrong"); err == nil {
		t.Fatal("a wrong password opens the mailbox")
	}
	r.listen(r.settings(proxy.SMTP))
	session := r.held(l)
	defer session.Close()
	for _, want := range []string{
		`orbit_mail_proxy_listeners{protocol="imap",state="running"} 1`,
		`orbit_mail_proxy_listeners{protocol="smtp",state="running"} 1`,
		fmt.Sprintf(`orbit_mail_proxy_sessions{listener=%q,protocol="imap"} 1`, l.Local()),
		fmt.Sprintf(`orbit_mail_proxy_connections_total{listener=%q,protocol="imap"} 3`, l.Local()),
		`orbit_mail_proxy_sign_ins_total{protocol="imap",result="ok"} 2`,
		`orbit_mail_proxy_sign_ins_total{protocol="imap",result="wrong_credentials"} 1`,
		`orbit_oauth_grants{state="active"} 1`,
		`orbit_oauth_grants{state="failed"} 0`,
		`orbit_mail_proxy_events_lost_total 0`,
	} {
		r.until(want, func() bool { return strings.Contains(r.metrics(), want+"\n") })
	}
	r.until("bytes are counted", func() bool {
		return !strings.Contains(r.metrics(), fmt.Sprintf(`orbit_mail_proxy_bytes_total{direction="down",listener=%q,protocol="imap"} 0`, l.Local()))
	})
	if strings.Contains(r.metrics(), mailbox) {
		t.Error("the metrics name a mailbox")
	}
}
