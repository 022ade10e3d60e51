package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serveMetrics offers Prometheus metrics on an address of their own, when one is configured.
func (o *Orbit) serveMetrics(ctx context.Context) error {
	if o.Config.MetricsListen == "" {
		return nil
	}
	listener, err := listen(ctx, o.Config.MetricsListen, "ORBIT_METRICS_LISTEN")
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.registry(), promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: requestTime}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// registry holds what can be counted.
func (o *Orbit) registry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), o.Proxies.Collector(), o.Agents.Collector(), o.Inbox.Collector(), o.Notify.Collector())
	gauge := func(name, help string, read func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "orbit", Name: name, Help: help}, read))
	}
	gauge("database_connections", "Connections of the pool.", func() float64 { return float64(o.Pool.Stat().TotalConns()) })
	gauge("database_connections_in_use", "Connections of the pool that somebody holds.", func() float64 { return float64(o.Pool.Stat().AcquiredConns()) })
	gauge("account_tests_running", "Tests of SMTP and IMAP/POP3 accounts that run now.", func() float64 { return float64(o.Accounts.TestsRunning()) })
	return registry
}
