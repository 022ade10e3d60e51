package inbox

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orbit/internal/mail/reply"
)

// metricsTime bounds the one query of a scrape.
const metricsTime = 2 * time.Second

var (
	mailboxesMetric = metric("mailboxes", "IMAP/POP3 accounts by state, of all processes.", "state")
	ownedMetric     = metric("mailboxes_owned", "Mailboxes that this process watches.")
	failedMetric    = metric("unreadable_messages", "Messages that could not be read or stored and are tried again, of all processes.")
	visitsMetric    = metric("visits_total", "Visits to mailboxes by result.", "result")
	messagesMetric  = metric("messages_total", "Messages that were stored, by class.", "class")
	knownMetric     = metric("known_messages_total", "Messages that were recognised by their content and not stored again.")
	bytesMetric     = metric("bytes_total", "Bytes of mail that were stored.")
)

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("orbit", "inbox", name), help, labels, nil)
}

// Collector counts for Prometheus: visits and messages of this process, and how mailboxes do. No metric names an
// account.
func (s *Service) Collector() prometheus.Collector { return collector{s} }

type collector struct{ *Service }

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{mailboxesMetric, ownedMetric, failedMetric, visitsMetric, messagesMetric, knownMetric, bytesMetric} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	failures := c.counts.failures.Load()
	count(visitsMetric, c.counts.visits.Load()-failures, "ok")
	count(visitsMetric, failures, "failed")
	count(knownMetric, c.counts.known.Load())
	count(bytesMetric, c.counts.bytes.Load())
	stored := c.counts.messages()
	for _, class := range []reply.Class{reply.ClassReply, reply.ClassBounce, reply.ClassReceipt, reply.ClassAutoReply, reply.ClassReport, reply.ClassOther} {
		count(messagesMetric, int64(stored[class]), string(class))
	}
	out <- prometheus.MustNewConstMetric(ownedMetric, prometheus.GaugeValue, float64(len(c.watched.list())))
	c.collectHealth(out)
}

// collectHealth leaves the mailboxes out when the database does not answer.
func (c collector) collectHealth(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), metricsTime)
	defer cancel()
	all, err := c.Health(ctx, nil)
	if err != nil {
		return
	}
	states := map[State]float64{Watching: 0, Checking: 0, Failing: 0, Unowned: 0, Manual: 0, Disabled: 0}
	unreadable := 0
	for _, h := range all {
		states[h.State]++
		unreadable += h.Unreadable
	}
	for state, n := range states {
		out <- prometheus.MustNewConstMetric(mailboxesMetric, prometheus.GaugeValue, n, string(state))
	}
	out <- prometheus.MustNewConstMetric(failedMetric, prometheus.GaugeValue, float64(unreadable))
}
