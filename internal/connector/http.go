package connector

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
)

const (
	requestTimeout = 30 * time.Second // of a token request, with connection and body
	headerTimeout  = 20 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeaders     = 64 << 10
	maxRedirects   = 3
)

// HTTPClient returns a client for identity providers, whose connections obey the same rules and leave the same
// way as mail: https, or http to an allowed loopback address. It follows no redirect to another host, takes no
// proxy from the environment, and reports no steps. Callers limit the body that they read.
func (s *Service) HTTPClient(ctx context.Context, use bool, id int64) (*http.Client, error) {
	c, err := s.choose(ctx, use, id)
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return newHTTPClient(s.gone(c), s.rules), nil
	case err != nil:
		return nil, err
	case c.Kind == KindDirect && c.Active:
		return s.directClient(), nil
	}
	return s.clients.get(c, func() *http.Client { return newHTTPClient(s.way(c), s.rules) }), nil
}

// clients are kept by connector, so that token requests share connections.
type clients struct {
	mu   sync.Mutex
	kept map[int64]keptClient
}

type keptClient struct {
	version int
	client  *http.Client
}

// get returns the client of a connector as it is now; one of an older version ends with its last request.
func (k *clients) get(c Connector, build func() *http.Client) *http.Client {
	k.mu.Lock()
	defer k.mu.Unlock()
	if kept, found := k.kept[c.ID]; found {
		if kept.version == c.Version {
			return kept.client
		}
		kept.client.CloseIdleConnections()
	}
	if k.kept == nil {
		k.kept = map[int64]keptClient{}
	}
	client := build()
	k.kept[c.ID] = keptClient{c.Version, client}
	return client
}

func (k *clients) drop(id int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if kept, found := k.kept[id]; found {
		kept.client.CloseIdleConnections()
		delete(k.kept, id)
	}
}

func (k *clients) closeAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, kept := range k.kept {
		kept.client.CloseIdleConnections()
		delete(k.kept, id)
	}
}

func newHTTPClient(d dial.Dialer, rules Rules) *http.Client {
	return &http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: sameHost,
		Transport: guarded{rules: rules, next: &http.Transport{
			DialContext:            dialHTTP(d),
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    4,
			MaxResponseHeaderBytes: maxHeaders,
			ForceAttemptHTTP2:      true,
		}},
	}
}

// dialHTTP hides the ladder: a token request is one step of a visit, not a visit of its own.
func dialHTTP(d dial.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		host, digits, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		port, err := strconv.Atoi(digits)
		if err != nil {
			return nil, err
		}
		return d.Dial(ladder.With(ctx, nil), host, port)
	}
}

// sameHost is the redirect policy: a token request carries secrets, so it stays where it was sent.
func sameHost(to *http.Request, via []*http.Request) error {
	from := via[0].URL
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	if to.URL.Scheme != from.Scheme || to.URL.Host != from.Host {
		fault := explain.RedirectRefused(from.Host, to.URL.Host)
		return &ladder.Error{Step: ladder.Token, Fault: fault, Err: fmt.Errorf("redirect from %s to %s", from.Host, to.URL.Host)}
	}
	return nil
}

// guarded refuses http, except to an allowed loopback address: there nobody listens on the way.
type guarded struct {
	rules Rules
	next  *http.Transport
}

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.check(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return g.next.RoundTrip(r)
}

// CloseIdleConnections implements what http.Client.CloseIdleConnections looks for.
func (g guarded) CloseIdleConnections() { g.next.CloseIdleConnections() }

func (g guarded) check(u *url.URL) error {
	if u.Scheme == "https" || u.Scheme == "http" && g.allowedLoopback(u) {
		return nil
	}
	return &ladder.Error{Step: ladder.Token, Fault: explain.PlainHTTP(u.Host), Err: fmt.Errorf("%s://%s is refused", u.Scheme, u.Host)}
}

// allowedLoopback accepts literal addresses and localhost only: another name could lead anywhere by the time it
// is dialled.
func (g guarded) allowedLoopback(u *url.URL) bool {
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = 80
	}
	host := u.Hostname()
	for _, addr := range loopback(host) {
		if g.rules.Judge(host, addr, port) == nil {
			return true
		}
	}
	return false
}

func loopback(host string) []netip.Addr {
	if host == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !plain(addr).IsLoopback() {
		return nil
	}
	return []netip.Addr{plain(addr)}
}
