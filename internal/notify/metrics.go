package notify

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metricsTime bounds the queries of a scrape.
const metricsTime = 2 * time.Second

var (
	eventsMetric   = metric("events_total", "Events that this process accepted.")
	attemptsMetric = metric("attempts_total", "Attempts of this process by how they ended.", "outcome")
	waitMetric     = metric("first_attempt_seconds", "Time from acceptance to the first attempt.", "priority")
	waitingMetric  = metric("waiting", "Messages in the queue by priority.", "priority")
	sendersMetric  = metric("senders", "Connections on which this process sends.")
	brokenMetric   = metric("accounts_failing", "Accounts that send and do not work.")
)

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("orbit", "notify", name), help, labels, nil)
}

// counts are what this process has done.
type counts struct {
	events   atomic.Int64
	attempts [len(outcomes)]atomic.Int64
	waits    [len(priorities)]waits
}

var (
	outcomes   = [...]Outcome{AttemptSent, AttemptRetry, AttemptThrottled, AttemptUncertain, AttemptFailed, AttemptAccount}
	priorities = [...]string{"urgent", "normal", "bulk"}
	buckets    = [...]float64{0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30, 300}
)

// waits is a histogram.
type waits struct {
	count, micros atomic.Int64
	within        [len(buckets)]atomic.Int64
}

func (w *waits) observe(d time.Duration) {
	w.count.Add(1)
	w.micros.Add(d.Microseconds())
	for i, most := range buckets {
		if d.Seconds() <= most {
			w.within[i].Add(1)
		}
	}
}

// attempt counts an attempt that began at a time.
func (c *counts) attempt(it *item, o outcome, began time.Time) {
	for i, known := range outcomes {
		if o.Outcome == known {
			c.attempts[i].Add(1)
		}
	}
	if it.Tries == 1 && int(it.Priority) < len(c.waits) {
		c.waits[it.Priority].observe(began.Sub(it.CreatedAt))
	}
}

// Collector counts for Prometheus. No metric names a person or an account.
func (s *Service) Collector() prometheus.Collector { return collector{s} }

type collector struct{ *Service }

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{eventsMetric, attemptsMetric, waitMetric, waitingMetric, sendersMetric, brokenMetric} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(eventsMetric, prometheus.CounterValue, float64(c.counts.events.Load()))
	for i, o := range outcomes {
		out <- prometheus.MustNewConstMetric(attemptsMetric, prometheus.CounterValue, float64(c.counts.attempts[i].Load()), string(o))
	}
	for i := range priorities {
		out <- c.counts.waits[i].metric(priorities[i])
	}
	out <- prometheus.MustNewConstMetric(sendersMetric, prometheus.GaugeValue, float64(c.senders()))
	c.collectQueue(out)
}

func (w *waits) metric(priority string) prometheus.Metric {
	within := map[float64]uint64{}
	for i, most := range buckets {
		within[most] = uint64(w.within[i].Load())
	}
	return prometheus.MustNewConstHistogram(waitMetric, uint64(w.count.Load()), float64(w.micros.Load())/1e6, within, priority)
}

func (s *Service) senders() (n int) {
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	for _, l := range s.lanes.by {
		l.mu.Lock()
		n += l.senders
		l.mu.Unlock()
	}
	return n
}

// collectQueue leaves the queue out when the database does not answer.
func (c collector) collectQueue(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), metricsTime)
	defer cancel()
	waiting, failing, err := countWaiting(ctx, c.pool)
	if err != nil {
		return
	}
	for i, n := range waiting {
		out <- prometheus.MustNewConstMetric(waitingMetric, prometheus.GaugeValue, float64(n), priorities[i])
	}
	out <- prometheus.MustNewConstMetric(brokenMetric, prometheus.GaugeValue, float64(failing))
}
