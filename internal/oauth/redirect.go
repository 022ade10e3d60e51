package oauth

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	redirectLook    = 2 * time.Second // how soon a changed redirect_listen_address is followed
	redirectTimeout = 10 * time.Second
)

// ServeRedirects answers at the redirect_listen_address of registrations, for those whose reverse proxy
// points there, as email-oauth2-proxy wants it. Whatever the path, it is the redirect endpoint that handler
// serves. It returns when ctx has ended and all listeners are closed.
func (s *Service) ServeRedirects(ctx context.Context, handler http.Handler) error {
	open := redirects{handler: atRedirectPath(handler), log: s.log, servers: map[string]*http.Server{}}
	defer open.follow(ctx, nil)
	for {
		registrations, err := s.List(ctx)
		if err == nil {
			open.follow(ctx, redirectAddresses(registrations))
		} else {
			s.logUnlessEnded(ctx, "read the addresses to listen on for redirects", err)
		}
		if pause(ctx, redirectLook) != nil {
			return nil
		}
	}
}

// redirectAddresses collects what has to be listened on.
func redirectAddresses(registrations []Registration) map[string]bool {
	wanted := map[string]bool{}
	for _, r := range registrations {
		if r.RedirectListenAddress == "" || r.EffectiveFlow() != AuthorizationCode {
			continue
		}
		if address, err := ListenAddress(r.RedirectListenAddress); err == nil {
			wanted[address] = true
		}
	}
	return wanted
}

// atRedirectPath makes every path the redirect endpoint: a reverse proxy may have cut its own off. What the page
// is painted with keeps its path.
func atRedirectPath(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, RedirectPath) && !strings.HasPrefix(r.URL.Path, "/static/") {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = RedirectPath, ""
		}
		handler.ServeHTTP(w, r)
	})
}

// redirects are the listeners that are open, by address.
type redirects struct {
	handler http.Handler
	log     *slog.Logger
	servers map[string]*http.Server
	failed  map[string]bool // was logged once
	running sync.WaitGroup
}

// follow opens what is wanted and closes what is not; with nothing wanted it waits for the end of all.
func (o *redirects) follow(ctx context.Context, wanted map[string]bool) {
	for address, server := range o.servers {
		if !wanted[address] {
			_ = server.Close() // an answer that is cut off is asked for again
			delete(o.servers, address)
		}
	}
	failed := map[string]bool{}
	for address := range wanted {
		if o.servers[address] == nil && !o.open(ctx, address) {
			failed[address] = true
		}
	}
	o.failed = failed
	if len(wanted) == 0 {
		o.running.Wait()
	}
}

func (o *redirects) open(ctx context.Context, address string) bool {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		if !o.failed[address] { // it is tried again every round
			o.log.Warn("listen for redirects", "address", address, "error", err)
		}
		return false
	}
	server := &http.Server{Handler: o.handler, ReadHeaderTimeout: redirectTimeout, ReadTimeout: redirectTimeout, IdleTimeout: time.Minute}
	o.servers[address] = server
	o.running.Go(func() { _ = server.Serve(listener) }) // ends with Close
	o.log.Info("listening for redirects", "address", address)
	return true
}
