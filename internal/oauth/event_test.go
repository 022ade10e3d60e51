package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// heard collects what a service tells.
type heard struct {
	mu     sync.Mutex
	events []Event
}

func (h *heard) add(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// take returns what was told since the last time, as "refresh_failed aadsts700082".
func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var told []string
	for _, e := range h.events {
		if e.Address != address {
			told = append(told, "of "+e.Address)
		}
		told = append(told, string(e.Kind)+" "+e.Fault.Code)
	}
	h.events = nil
	return told
}

func (b *bundle) listen() *heard {
	var h heard
	b.options.Observe = h.add
	b.Service = b.process()
	return &h
}

func TestARefreshInTheBackgroundThatFailsIsToldOnce(t *testing.T) {
	b := authorised(t)
	h := b.listen()
	background := func(want ...string) {
		t.Helper()
		b.clock.advance(10 * time.Minute)
		b.refreshDue(context.Background())
		if got := h.take(); !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	background() // nothing is due
	b.clock.advance(40 * time.Minute)
	b.provider.script(func(url.Values) (int, any) { return http.StatusServiceUnavailable, "" })
	background("refresh_failed token_endpoint_answer")
	background()
	background()
	b.provider.script(nil)
	background("refresh_recovered ")
	b.clock.advance(50 * time.Minute)
	b.provider.script(refuse("invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked."))
	background("refresh_failed AADSTS50173")
	background()
	if _, err := b.access(context.Background(), address); err == nil {
		t.Error("a revoked grant gives a token")
	}
	if got := h.take(); len(got) > 0 {
		t.Errorf("a sign-in tells it again: %q", got)
	}
}

func TestAnAuthorisationThatFailsOrCanNotLastIsTold(t *testing.T) {
	b := setup(t)
	h := b.listen()
	b.register(b.settings(AuthorizationCode), sharedSecret())
	b.provider.script(refuse("invalid_grant", "AADSTS54005: code used twice"))
	b.authorise(address)
	if got := h.take(); !slices.Equal(got, []string{"authorisation_failed AADSTS54005"}) {
		t.Errorf("told %q", got)
	}
	b.provider.script(func(url.Values) (int, any) {
		return http.StatusOK, map[string]any{"access_token": "access-secret", "token_type": "Bearer", "expires_in": 3600}
	})
	b.authorise(address)
	if got := h.take(); !slices.Equal(got, []string{"no_refresh_token "}) {
		t.Errorf("told %q", got)
	}
	b.provider.script(nil)
	b.authorise(address)
	if got := h.take(); len(got) > 0 {
		t.Errorf("what went well is told: %q", got)
	}
}
