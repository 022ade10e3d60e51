package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"orbit/internal/identity"
	"orbit/internal/proxyhost"
	"orbit/web/form"
	"orbit/web/page"
)

// logLines is how many lines of the log the page begins with.
const logLines = 200

// logFilters is the row of filters above the log.
type logFilters struct {
	Account  string `form:"account"`
	Listener int64  `form:"listener"`
	Before   int64  `form:"before"` // lines older than this one
	After    int64  `form:"after"`  // the stream: lines newer than this one
}

func (f logFilters) filter() proxyhost.EventFilter {
	return proxyhost.EventFilter{Account: f.Account, ListenerID: f.Listener, Before: f.Before, After: f.After, Limit: logLines}
}

// query names the filters again, with one more name.
func (f logFilters) query(name string, value int64) string {
	query := url.Values{name: {strconv.FormatInt(value, 10)}}
	if f.Account != "" {
		query.Set("account", f.Account)
	}
	if f.Listener != 0 {
		query.Set("listener", strconv.FormatInt(f.Listener, 10))
	}
	return "?" + query.Encode()
}

// showProxyLog shows the newest lines of the log; the page goes on with streamProxyLog.
func (s *Server) showProxyLog(w http.ResponseWriter, r *http.Request) error {
	var f logFilters
	_, _ = form.Decode(r.URL.Query(), &f)
	f.After = 0
	events, err := s.Proxies.Events(r.Context(), f.filter())
	if err != nil {
		return err
	}
	state, err := s.proxyState(r.Context())
	if err != nil {
		return err
	}
	v := page.ProxyLogView{Title: proxyTitle, Tabs: state.tabs(proxyLogPath), Account: f.Account, Listener: f.Listener, Path: proxyLogPath}
	if v.Listeners, err = s.listenerOptions(r.Context()); err != nil {
		return err
	}
	if v.Accounts, err = s.knownMailboxes(r.Context()); err != nil {
		return err
	}
	names := state.listenerNames()
	last := int64(0)
	for _, e := range events {
		v.Lines, last = append(v.Lines, s.logLine(r, e, names)), e.ID
	}
	if len(events) == logLines {
		v.Older = proxyLogPath + f.query("before", events[0].ID)
	}
	v.Stream = proxyLogPath + "/events" + f.query("after", last)
	return s.show(w, r, http.StatusOK, "Log", page.ProxyLog(v))
}

func (s *Server) logLine(r *http.Request, e proxyhost.Event, names map[int64]string) page.ProxyLine {
	return page.ProxyLine{Event: e, Listener: names[e.ListenerID], Clock: s.clock(r), Links: identity.UserFrom(r.Context()).Role.CanChange()}
}

// streamProxyLog sends each line as it happens. A browser that was cut off goes on after the last line it has seen.
func (s *Server) streamProxyLog(w http.ResponseWriter, r *http.Request) error {
	var f logFilters
	_, _ = form.Decode(r.URL.Query(), &f)
	if seen, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		f.After = seen
	}
	f.Before = 0
	state, err := s.proxyState(r.Context())
	if err != nil {
		return err
	}
	names := state.listenerNames()
	events, err := startStream(w, r)
	if err != nil {
		return err
	}
	for e, err := range s.Proxies.Follow(r.Context(), f.filter()) {
		if err != nil {
			continue // the database does not answer: the next look may find it again
		}
		if _, err := fmt.Fprintf(w, "id: %d\n", e.ID); err != nil {
			return nil //nolint:nilerr // the browser went away
		}
		if err := events.send("line", page.ProxyLogLine(s.logLine(r, e, names))); err != nil {
			return nil //nolint:nilerr // the browser went away
		}
	}
	return nil
}
