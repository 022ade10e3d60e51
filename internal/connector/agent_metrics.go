package connector

import (
	"github.com/prometheus/client_golang/prometheus"

	"orbit/internal/tunnel"
)

var (
	agentsMetric  = agentMetric("agents_connected", "Agents that are connected to this process.", "connector", "role")
	tunnelsMetric = agentMetric("tunnels", "Tunnels that are open now through agents of this process.", "connector")
	openedMetric  = agentMetric("tunnels_total", "Tunnels that were opened through agents of this process.")
	bytesMetric   = agentMetric("bytes_total", "Bytes to and from agents of this process, with all overhead.", "direction")
	latencyMetric = agentMetric("latency_seconds", "Round trip to an agent, median of the last minute.", "connector", "agent")
	doorMetric    = agentMetric("listening", "1 while this process lets agents in.")
)

func agentMetric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("orbit", "connector", name), help, labels, nil)
}

// Collector counts for Prometheus what goes through agents of this process.
func (a *Agents) Collector() prometheus.Collector { return agentCollector{a} }

type agentCollector struct{ *Agents }

// Describe implements prometheus.Collector.
func (c agentCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{agentsMetric, tunnelsMetric, openedMetric, bytesMetric, latencyMetric, doorMetric} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c agentCollector) Collect(out chan<- prometheus.Metric) {
	listening := 0.0
	if c.Address() != nil {
		listening = 1
	}
	out <- prometheus.MustNewConstMetric(doorMetric, prometheus.GaugeValue, listening)
	broker := c.made()
	if broker == nil {
		return
	}
	collectLinks(out, broker.Links())
	var sum tunnel.Figures
	for _, f := range broker.Figures() {
		sum.Up, sum.Down, sum.Tunnels = sum.Up+f.Up, sum.Down+f.Down, sum.Tunnels+f.Tunnels
	}
	out <- prometheus.MustNewConstMetric(openedMetric, prometheus.CounterValue, float64(sum.Tunnels))
	out <- prometheus.MustNewConstMetric(bytesMetric, prometheus.CounterValue, float64(sum.Up), "up")
	out <- prometheus.MustNewConstMetric(bytesMetric, prometheus.CounterValue, float64(sum.Down), "down")
}

func collectLinks(out chan<- prometheus.Metric, links []tunnel.LinkStatus) {
	type group struct{ connector, label string }
	connected, tunnels, latency := map[group]float64{}, map[string]float64{}, map[group]float64{}
	for _, l := range links {
		connected[group{l.Agent.ConnectorName, role(l.Agent.Secondary)}]++
		tunnels[l.Agent.ConnectorName] += float64(l.Tunnels)
		latency[group{l.Agent.ConnectorName, l.Agent.Name}] = l.Latency.Seconds()
	}
	for g, n := range connected {
		out <- prometheus.MustNewConstMetric(agentsMetric, prometheus.GaugeValue, n, g.connector, g.label)
	}
	for name, n := range tunnels {
		out <- prometheus.MustNewConstMetric(tunnelsMetric, prometheus.GaugeValue, n, name)
	}
	for g, seconds := range latency {
		out <- prometheus.MustNewConstMetric(latencyMetric, prometheus.GaugeValue, seconds, g.connector, g.label)
	}
}
