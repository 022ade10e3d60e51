package mailhtml_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"orbit/web/browsertest"
	"orbit/web/mailhtml"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// Cleaning is only the first of two walls. Behind it the browser alone keeps a message from doing anything, even one
// that nobody has cleaned.
func TestThePolicyAloneHoldsAMessage(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer trap.Close()
	hostile, err := os.ReadFile("testdata/hostile.html")
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/message" {
			w.Header().Set("Content-Security-Policy", mailhtml.Policy)
			_, _ = w.Write([]byte(strings.ReplaceAll(string(hostile), "http://trap.example", trap.URL)))
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-src 'self'")
		_, _ = w.Write([]byte(`<!DOCTYPE html><title>page</title><iframe id="frame" src="/message" sandbox="" width="600" height="400"></iframe>`))
	}))
	defer site.Close()
	tab := browsertest.New(t, site.URL)
	tab.Allow(strings.TrimPrefix(trap.URL, "http://"))
	tab.Provoke()
	tab.Open("/")
	tab.See("#frame")
	tab.Open("/message") // a meta refresh would have led away by now; a script would have said so
	tab.SeeText("body", "Please approve the request below.")
	if got := tab.Eval(`[document.title, window.origin, location.pathname].join(" ")`); got != " null /message" {
		t.Errorf("the message did something: %q", got)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the browser asked %d times for what the message names", n)
	}
}
