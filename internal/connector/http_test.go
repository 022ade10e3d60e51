package connector

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"orbit/internal/mail/ladder"
	"orbit/internal/postgres/pgtest"
)

// provider is an identity provider on loopback.
func provider(t *testing.T, start func(http.Handler) *httptest.Server, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	p := start(handle)
	t.Cleanup(p.Close)
	return p
}

func client(t *testing.T, s *Service, trust *httptest.Server) *http.Client {
	t.Helper()
	c, err := s.HTTPClient(t.Context(), false, 0)
	if err != nil {
		t.Fatal(err)
	}
	if trust != nil {
		pool := x509.NewCertPool()
		pool.AddCert(trust.Certificate())
		c.Transport.(guarded).next.TLSClientConfig.RootCAs = pool
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func post(t *testing.T, c *http.Client, address string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("client_secret=s"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func hello(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, "got "+string(body))
}

func TestHTTPSToAnAllowedAddress(t *testing.T) {
	t.Parallel()
	p := provider(t, httptest.NewTLSServer, hello)
	c := client(t, NewService(nil, rules(t, "127.0.0.1", "")), p)
	if body, err := post(t, c, p.URL); err != nil || body != "got client_secret=s" {
		t.Errorf("%q %v", body, err)
	}
}

func TestHTTPObeysTheRules(t *testing.T) {
	t.Parallel()
	p := provider(t, httptest.NewTLSServer, hello)
	c := client(t, NewService(nil, Rules{}), p)
	_, err := post(t, c, p.URL)
	if fault := faultOf(t, err); fault.Fault.Code != "destination_not_allowed" {
		t.Errorf("%+v", fault)
	}
	_, err = post(t, c, "https://169.254.169.254/latest/meta-data/")
	if fault := faultOf(t, err); fault.Fault.Code != "destination_forbidden" {
		t.Errorf("%+v", fault)
	}
}

func TestPlainHTTPGoesToAllowedLoopbackOnly(t *testing.T) {
	t.Parallel()
	p := provider(t, httptest.NewServer, hello)
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	allowed := client(t, NewService(nil, rules(t, u.Host, "")), nil)
	for _, address := range []string{p.URL, "http://localhost:" + u.Port()} {
		if body, err := post(t, allowed, address); address == p.URL && (err != nil || body != "got client_secret=s") {
			t.Errorf("%s: %q %v", address, body, err)
		}
	}
	for name, c := range map[string]*http.Client{"allowed": allowed, "by default": client(t, NewService(nil, Rules{}), nil)} {
		for _, address := range []string{"http://id.example.com/token", "http://10.0.0.1/token", "http://127.0.0.1:1/token", "ftp://127.0.0.1/", "http://[::1]:80/token"} {
			_, err := post(t, c, address)
			if fault := faultOf(t, err); fault.Fault.Code != "http_refused" || fault.Step != ladder.Token {
				t.Errorf("%s %s: %+v", name, address, fault)
			}
		}
	}
}

func TestSecretsAreNotRedirected(t *testing.T) {
	t.Parallel()
	other := provider(t, httptest.NewTLSServer, func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") })
	var p *httptest.Server
	p = provider(t, httptest.NewTLSServer, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/downgrade":
			http.Redirect(w, r, strings.Replace(p.URL, "https", "http", 1), http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
		case "/moved":
			http.Redirect(w, r, "/here", http.StatusTemporaryRedirect)
		default:
			hello(w, r)
		}
	})
	c := client(t, NewService(nil, rules(t, "127.0.0.1", "")), p)
	for _, path := range []string{"/elsewhere", "/downgrade"} {
		_, err := post(t, c, p.URL+path)
		if fault := faultOf(t, err); fault.Fault.Code != "redirect_refused" {
			t.Errorf("%s: %+v", path, fault)
		}
	}
	if body, err := post(t, c, p.URL+"/moved"); err != nil || body != "got client_secret=s" {
		t.Errorf("%q %v", body, err)
	}
	if _, err := post(t, c, p.URL+"/loop"); err == nil || !strings.Contains(err.Error(), "too many redirects") {
		t.Error(err)
	}
}

// A token request is one step of the visit that needs the token; its own look-up must not add steps.
func TestHTTPReportsNoSteps(t *testing.T) {
	t.Parallel()
	p := provider(t, httptest.NewServer, hello)
	c := client(t, NewService(nil, rules(t, "127.0.0.1", "")), nil)
	l := ladder.New(nil)
	l.Begin(ladder.Token, "Access token")
	r, err := http.NewRequestWithContext(ladder.With(t.Context(), l), http.MethodGet, p.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if steps := l.Steps(); len(steps) != 1 || steps[0].Done || len(steps[0].Transcript) != 0 {
		t.Errorf("%+v", steps)
	}
}

func TestHTTPTakesTheConnector(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	off := add(t, pool, "Branch", KindAgent, false)
	s := NewService(pool, rules(t, "127.0.0.1", ""))
	s.open = func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
		t.Errorf("dialled %s directly", to)
		return nil, errors.New("dialled")
	}
	c, err := s.HTTPClient(t.Context(), true, off)
	if err != nil {
		t.Fatal(err)
	}
	_, err = post(t, c, "https://127.0.0.1:4433/token")
	if fault := faultOf(t, err); fault.Fault.Code != "connector_unusable" {
		t.Errorf("%+v", fault)
	}
}
