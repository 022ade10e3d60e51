package web

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"orbit/internal/identity"
	"orbit/web/ui"
)

// doors is a route behind the doors that need no database.
func doors(t *testing.T, s *Server, h http.HandlerFunc) http.Handler {
	t.Helper()
	crossOrigin, err := s.crossOriginProtection()
	if err != nil {
		t.Fatal(err)
	}
	mux := chi.NewRouter()
	mux.Use(s.identify, s.clientAddress(), s.accessLog, s.recovered, securityHeaders(s.secure()), limitBody, compressed, crossOrigin)
	mux.HandleFunc("/decide/{token}", h)
	return mux
}

func TestTheAccessLogHoldsNoAddressesOfPages(t *testing.T) {
	var log bytes.Buffer
	s := bareServer(&log)
	s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	h := doors(t, s, func(http.ResponseWriter, *http.Request) {})
	for from, want := range map[string]string{"10.1.2.3:999": "address=203.0.113.9 ", "192.0.2.1:999": "address=192.0.2.1 "} {
		log.Reset()
		r := httptest.NewRequest(http.MethodGet, "/decide/very-secret-token?x=secret", nil)
		r.RemoteAddr = from
		r.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.9")
		h.ServeHTTP(httptest.NewRecorder(), r)
		if line := log.String(); !strings.Contains(line, want) || !strings.Contains(line, "route=/decide/{token}") || strings.Contains(line, "secret") {
			t.Errorf("from %s the log says %s", from, line)
		}
	}
}

func TestEveryAnswerForbidsWhatPagesDoNotNeed(t *testing.T) {
	w := httptest.NewRecorder()
	doors(t, bareServer(&bytes.Buffer{}), func(http.ResponseWriter, *http.Request) {}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/decide/x", nil))
	for name, want := range map[string]string{
		"Content-Security-Policy": ui.Policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if strings.Contains(ui.Policy, "unsafe") {
		t.Error("the policy allows inline code")
	}
}

func TestPostsOfOtherSitesAreRefused(t *testing.T) {
	h := doors(t, bareServer(&bytes.Buffer{}), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	cases := map[string]struct {
		header, value string
		status        int
	}{
		"same origin":         {"Sec-Fetch-Site", "same-origin", http.StatusNoContent},
		"another site":        {"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		"a neighbour":         {"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		"the base URL":        {"Origin", "https://orbit.example.com", http.StatusNoContent},
		"an origin of others": {"Origin", "https://evil.example", http.StatusForbidden},
		"a program":           {"User-Agent", "curl", http.StatusNoContent},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/decide/x", nil)
			r.Header.Set(c.header, c.value)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("answered %d, want %d", w.Code, c.status)
			}
		})
	}
}

func TestAFormMayNotBeEndless(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	h := doors(t, s, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			s.fail(w, r, err)
		}
	})
	r := httptest.NewRequest(http.MethodPost, "/decide/x", strings.NewReader("a="+strings.Repeat("a", maxBody)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d", w.Code)
	}
}

func TestMenusShowWhatExistsAndIsAllowed(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	s.needs = map[string]need{"/settings": view, "/settings/notifications/smtp": view, "/settings/users": change, "/approvals": signedIn}
	labels := func(role identity.Role) string {
		var all []string
		for _, l := range s.visible(gridMenu, role, "") {
			all = append(all, l.Label)
		}
		for _, g := range s.settingsFor(role, "/settings/notifications/smtp/7") {
			for _, l := range g.Links {
				all = append(all, g.Label+">"+l.Label)
				if l.Here {
					all = append(all, "here")
				}
			}
		}
		return strings.Join(all, " ")
	}
	for role, want := range map[identity.Role]string{
		identity.Administrator: "Settings Approvals Notifications>SMTP Configuration here >Users",
		identity.Auditor:       "Settings Approvals Notifications>SMTP Configuration here",
		identity.Member:        "Approvals",
	} {
		if got := labels(role); got != want {
			t.Errorf("%s sees %q, want %q", role, got, want)
		}
	}
}

func TestCrumbsShowTheWayInTheWordsOfTheDocument(t *testing.T) {
	cases := map[[2]string]string{
		{"/settings/notifications/smtp", "SMTP Configuration"}: "Settings > Notifications > SMTP Configuration",
		{"/settings/notifications/smtp/new", "New account"}:    "Settings > Notifications > SMTP Configuration > New account",
		{"/settings/users", "Users"}:                           "Settings > Users",
		{"/settings/usersish", "Else"}:                         "Settings > Else",
		{"/", "Home"}:                                          "",
	}
	for at, want := range cases {
		var words []string
		for _, l := range crumbs(at[0], at[1]) {
			words = append(words, l.Label)
		}
		if got := strings.Join(words, " > "); got != want {
			t.Errorf("%s: %q, want %q", at[0], got, want)
		}
	}
}

func TestSigningInLeadsOnlyToPagesOfOrbit(t *testing.T) {
	cases := map[string]string{
		"/settings/audit?page=2": "/settings/audit?page=2", "https://evil.example/": "/", "//evil.example/": "/", `/\evil.example`: "/",
		"javascript:alert(1)": "/", "settings": "/", "": "/", "/%0d%0aX: y": "/",
	}
	for next, want := range cases {
		r := httptest.NewRequest(http.MethodGet, "/login", nil)
		r.Form = map[string][]string{"next": {next}}
		if got := nextPage(r); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestARoleHasWhatStandsBelowIt(t *testing.T) {
	for role, allowed := range map[identity.Role][]need{
		identity.Administrator: {anyone, signedIn, view, test, change}, identity.Operator: {anyone, signedIn, view, test},
		identity.Auditor: {anyone, signedIn, view}, identity.Member: {anyone, signedIn},
	} {
		for n := anyone; n <= change; n++ {
			if got, want := n.allows(role), n <= allowed[len(allowed)-1]; got != want {
				t.Errorf("%s, need %d: %v", role, n, got)
			}
		}
	}
}
