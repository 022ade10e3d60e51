package browsertest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// watch notes what a page does wrong, and how much it loads.
type watch struct {
	hosts []string // the only ones that pages may talk to

	mu       sync.Mutex
	provoked bool // refusals of the policy are what the test wants to see
	wrong    []string
	weight   int64
	urls     []string
}

// event is called by the goroutine that reads from the browser; it must be quick.
func (w *watch) event(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		text := arguments(e.Args)
		if (e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert) && !leftBehind(text) {
			w.note("console error: %s", text)
		}
	case *runtime.EventExceptionThrown:
		w.note("exception: %s", thrown(e.ExceptionDetails))
	case *log.EventEntryAdded:
		w.entry(e.Entry)
	case *network.EventRequestWillBeSent:
		w.request(e.Request.URL)
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 && e.Type != network.ResourceTypeDocument && e.Type != network.ResourceTypeXHR && e.Type != network.ResourceTypeFetch {
			w.note("%d for %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFinished:
		w.weight += int64(e.EncodedDataLength)
	}
}

// leftBehind reports whether htmx tells of a request that ended because the page was left while it ran: a live summary
// that nobody waits for any more. It tells it twice.
func leftBehind(text string) bool {
	return strings.Contains(text, "htmx:sendAbort") || strings.Contains(text, "htmx:afterRequest")
}

// entry takes the browser's own log. That a document answered 4xx is the test's to judge, and that a test leaves a form
// without asking is its right.
func (w *watch) entry(e *log.Entry) {
	expected := e.Source == log.EntrySourceNetwork && strings.Contains(e.Text, "the server responded with a status of 4") ||
		strings.Contains(e.Text, "'beforeunload' confirmation panel")
	if w.provoked && (e.Source == log.EntrySourceSecurity || strings.Contains(e.Text, "sandboxed") || strings.Contains(e.Text, "ERR_BLOCKED")) {
		return
	}
	if e.Level == log.EntryLevelError && !expected || strings.Contains(e.Text, "Content Security Policy") {
		w.note("browser log: %s (%s)", e.Text, e.URL)
	}
}

func (w *watch) request(address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "data" || u.Scheme == "about" || u.Scheme == "blob" {
		return
	}
	w.urls = append(w.urls, address)
	if !slices.Contains(w.hosts, u.Host) {
		w.note("request to another host: %s", address)
	}
}

func (w *watch) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.wrong, text) {
		w.wrong = append(w.wrong, text)
	}
}

func (w *watch) troubles() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong)
}

// Allow lets the tab talk to one more host:port, such as a provider's that people are sent to.
func (tab *Tab) Allow(host string) {
	tab.seen.mu.Lock()
	defer tab.seen.mu.Unlock()
	tab.seen.hosts = append(tab.seen.hosts, host)
}

// Provoke lets a page try what the Content-Security-Policy and the sandbox of a frame forbid, without failing the test.
func (tab *Tab) Provoke() {
	tab.seen.mu.Lock()
	defer tab.seen.mu.Unlock()
	tab.seen.provoked = true
}

// forget begins to weigh anew.
func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.weight, w.urls = 0, nil
}

// Weight is how many bytes the page has loaded since it was opened, headers included.
func (tab *Tab) Weight() int64 {
	tab.seen.mu.Lock()
	defer tab.seen.mu.Unlock()
	return tab.seen.weight
}

func arguments(args []*runtime.RemoteObject) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a.Description
		if words[i] == "" {
			words[i] = string(a.Value)
		}
	}
	return strings.Join(words, " ")
}

func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}
