package proxyhost

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
)

// metricsTime bounds the one query of a scrape.
const metricsTime = 2 * time.Second

var (
	listenersMetric = metric("listeners", "Listeners of the mail proxy in this process by state.", "protocol", "state")
	sessionsMetric  = metric("sessions", "Sessions that are open now.", "listener", "protocol")
	acceptedMetric  = metric("connections_total", "Connections of clients.", "listener", "protocol")
	bytesMetric     = metric("bytes_total", "Bytes that were passed on after sign-in.", "listener", "protocol", "direction")
	loginsMetric    = metric("sign_ins_total", "Sign-ins by result: ok, or why they were refused.", "protocol", "result")
	lostMetric      = metric("events_lost_total", "Events that the database was too slow for.")
	grantsMetric    = prometheus.NewDesc("orbit_oauth_grants", "Addresses with OAuth tokens by state.", []string{"state"}, nil)
)

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("orbit", "mail_proxy", name), help, labels, nil)
}

// Collector counts for Prometheus: listeners, sessions, sign-ins and bytes of this process, and grants. No
// metric names an account.
func (s *Service) Collector() prometheus.Collector { return collector{s} }

type collector struct{ *Service }

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		listenersMetric, sessionsMetric, acceptedMetric, bytesMetric, loginsMetric, lostMetric, grantsMetric,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	c.collectListeners(out)
	for what, n := range c.counts.all() {
		result := "ok"
		if what.reason != "" {
			result = string(what.reason)
		}
		out <- prometheus.MustNewConstMetric(loginsMetric, prometheus.CounterValue, n, string(what.protocol), result)
	}
	out <- prometheus.MustNewConstMetric(lostMetric, prometheus.CounterValue, float64(c.journal.lostEver.Load()))
	c.collectGrants(out)
}

func (c collector) collectListeners(out chan<- prometheus.Metric) {
	type kind struct {
		protocol proxy.Protocol
		state    proxy.State
	}
	states := map[kind]float64{}
	for _, st := range c.server.Status() {
		protocol, name := string(st.Listener.Protocol), st.Listener.LocalAddress
		states[kind{st.Listener.Protocol, st.State}]++
		out <- prometheus.MustNewConstMetric(sessionsMetric, prometheus.GaugeValue, float64(st.Sessions), name, protocol)
		out <- prometheus.MustNewConstMetric(acceptedMetric, prometheus.CounterValue, float64(st.Accepted), name, protocol)
		out <- prometheus.MustNewConstMetric(bytesMetric, prometheus.CounterValue, float64(st.Up), name, protocol, "up")
		out <- prometheus.MustNewConstMetric(bytesMetric, prometheus.CounterValue, float64(st.Down), name, protocol, "down")
	}
	for k, n := range states {
		out <- prometheus.MustNewConstMetric(listenersMetric, prometheus.GaugeValue, n, string(k.protocol), string(k.state))
	}
}

// collectGrants leaves the grants out when the database does not answer.
func (c collector) collectGrants(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), metricsTime)
	defer cancel()
	grants, err := c.oauth.Grants(ctx, 0)
	if err != nil {
		return
	}
	states := map[oauth.State]float64{oauth.None: 0, oauth.Waiting: 0, oauth.Active: 0, oauth.Failed: 0}
	for _, g := range grants {
		states[g.State]++
	}
	for state, n := range states {
		out <- prometheus.MustNewConstMetric(grantsMetric, prometheus.GaugeValue, n, string(state))
	}
}
