package oauth

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestRedirectListenAddressServesTheRedirectEndpoint(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path+"?"+r.URL.RawQuery) })
	address := freeAddress(t)
	open := redirects{handler: atRedirectPath(handler), log: slog.New(slog.DiscardHandler), servers: map[string]*http.Server{}}
	open.follow(context.Background(), redirectAddresses([]Registration{
		{Settings: Settings{PermissionURL: "https://x", RedirectListenAddress: "http://" + address + "/"}},
		{Settings: Settings{Flow: ClientCredentials, RedirectListenAddress: "http://127.0.0.1:1/"}},
	}))
	get := func(path string) string {
		t.Helper()
		answer, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, _ := io.ReadAll(answer.Body)
		return string(body)
	}
	for path, want := range map[string]string{
		"/?state=s&code=c":                                    RedirectPath + "?state=s&code=c",
		"/static/orbit.css":                                   "/static/orbit.css?",
		"/cut/off/?state=s":                                   RedirectPath + "?state=s",
		"/email-oauth2-proxy-authorize/start/id":              "/email-oauth2-proxy-authorize/start/id?",
		"/email-oauth2-proxy-authorize/?state=already-in-use": RedirectPath + "?state=already-in-use",
	} {
		if got := get(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	open.follow(context.Background(), nil)
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("still listening")
	}
}

func TestServeRedirectsFollowsTheRegistrationsAndEnds(t *testing.T) {
	b := setup(t)
	s := b.settings(AuthorizationCode)
	address := freeAddress(t)
	s.RedirectListenAddress = "http://" + address + "/"
	b.register(s, sharedSecret())
	called := make(chan string, 1)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- b.ServeRedirects(ctx, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r.URL.Path }))
	}()
	awaitGet(t, "http://"+address+"/")
	if path := <-called; path != RedirectPath {
		t.Errorf("called at %s", path)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// awaitGet asks until somebody listens.
func awaitGet(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		answer, err := http.Get(address)
		if err == nil {
			_ = answer.Body.Close()
			return
		}
		if pause(ctx, leaseLook) != nil {
			t.Fatalf("nobody listens: %v", err)
		}
	}
}
