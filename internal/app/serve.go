package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/sync/errgroup"

	"orbit/internal/config"
	"orbit/web"
	"orbit/web/api"
)

const (
	headerTime   = 10 * time.Second // a slow client may not hold a connection with half a request
	requestTime  = time.Minute
	idleTime     = 2 * time.Minute
	shutdownTime = 10 * time.Second
	maxHeaders   = 64 << 10
)

// Listen opens the address of the pages. It comes before everything else, so that a port in use is said at once.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	return listen(ctx, address, "ORBIT_LISTEN")
}

// listen opens an address that variable names.
func listen(ctx context.Context, address, variable string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: another program uses this port; stop it, or set %s to another address", address, variable)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("cannot listen on %s: ports below 1024 need more rights; set %s to a higher port", address, variable)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("cannot listen on %s: this machine does not have the address; correct %s", address, variable)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w; correct %s", address, err, variable)
	}
	return listener, nil
}

// Handler is the whole of Orbit's HTTP: pages and API.
func (o *Orbit) Handler() (http.Handler, error) {
	server, err := web.New(web.Options{
		BaseURL: o.Config.BaseURL, TrustedProxies: o.Config.TrustedProxies, Log: o.Log, Ready: o.ready,
		Trail: o.Pool, Identity: o.Identity, Credentials: o.Credentials, Settings: o.Settings,
		Connectors: o.Connectors, Agents: o.Agents, OAuth: o.OAuth, Proxies: o.Proxies, Accounts: o.Accounts, Approvals: o.Approvals, Inbox: o.Inbox, Notify: o.Notify, Resolver: net.DefaultResolver,
		Jobs: o.auditedJobs(), API: o.mountAPI, Finders: o.finders(), Attention: o.attention,
	})
	if err != nil {
		return nil, err
	}
	return server.Handler(), nil
}

func (o *Orbit) mountAPI(router chi.Router) {
	router.Route(api.Base, func(r chi.Router) {
		api.Mount(r, api.Options{
			Accounts: o.Accounts, Approvals: o.Approvals, Connectors: o.Connectors, Agents: o.Agents, Credentials: o.Credentials, Identity: o.Identity, OAuth: o.OAuth, Proxies: o.Proxies, Inbox: o.Inbox, Notify: o.Notify,
			Version: Version, Host: o.Config.BaseURL.Hostname(),
			Seen: web.NoteToken,
		})
	})
}

// ready is what /readyz asks.
func (o *Orbit) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return o.Pool.Ping(ctx)
}

// Serve answers on listener and does all background work until ctx ends; then it lets running requests finish.
func (o *Orbit) Serve(ctx context.Context, listener net.Listener) error {
	handler, err := o.Handler()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if o.db != nil {
		group.Go(func() error { return o.db.Run(ctx) })
	}
	for _, service := range []func(context.Context) error{
		o.Identity.Run, o.Connectors.Run, o.Agents.Run, o.Accounts.Run, o.OAuth.Run, o.Proxies.Run, o.Inbox.Run, o.Notify.Run, o.runJobsPage, o.watchItself, o.Approvals.Run, o.serveRedirects(handler), o.reloadOnHangup, o.serveMetrics,
	} {
		group.Go(func() error { return service(ctx) })
	}
	group.Go(func() error { return o.serveHTTP(ctx, listener, handler) })
	return group.Wait()
}

func (o *Orbit) serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: requestTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeaders,
		BaseContext: func(net.Listener) context.Context { return requests },
	}
	server.RegisterOnShutdown(cancel) // ends the event streams, which would wait for ever
	listener, err := o.withTLS(listener)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve pages: %w", err)
	case <-ctx.Done():
	}
	stop, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancelStop()
	if err := server.Shutdown(stop); err != nil {
		return errors.Join(fmt.Errorf("stop serving pages: %w", err), server.Close())
	}
	return nil
}

// withTLS wraps listener when certificate files are configured.
func (o *Orbit) withTLS(listener net.Listener) (net.Listener, error) {
	if o.Config.TLSCertFile == "" {
		return listener, nil
	}
	own, err := certificate(o.Config)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(listener, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, NextProtos: []string{"h2", "http/1.1"},
	}), nil
}

// certificate reads the certificate of the pages, if there is to be one.
func certificate(c config.Config) (tls.Certificate, error) {
	if c.TLSCertFile == "" {
		return tls.Certificate{}, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
	if err != nil {
		return pair, fmt.Errorf("ORBIT_TLS_CERT_FILE and ORBIT_TLS_KEY_FILE are not a certificate and its key: name two PEM files that belong together (%w)", err)
	}
	return pair, nil
}
