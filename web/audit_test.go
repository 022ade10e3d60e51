package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"orbit/internal/identity"
)

func TestTheTrailShowsWhoDidWhat(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	ana := s.somebody("ana", identity.Member)
	g := s.as("boss")
	g.post(path(ana, ""), "version", "1", "username", "ana", "full_name", "Ana Lima", "role", "operator", "language", "en", "time_zone", "UTC", "active", "yes").
		leads("/settings/users")
	s.guest().post("/login", "username", "ana", "password", "wrong one")

	g.get("/settings/audit").is(http.StatusOK, "User created", "User changed", "user.sign_in_failed", "Ana Lima", "wrong password", "127.0.0.1", "5 entries")
	for query, want := range map[string]int{
		"who=boss": 2, "who=ana": 1, "action=user.sign": 2, "object=user": 5, "object=credential": 0, "text=lima": 1,
		"from=2020-01-01": 5, "from=2999-01-01": 0, "to=2020-01-01": 0, "from=yesterday": 5,
		"from=" + s.clock().UTC().Format("2006-01-02") + "&to=" + s.clock().UTC().Format("2006-01-02"): 5,
	} {
		a := g.get("/settings/audit?" + query).is(http.StatusOK)
		if got := strings.Count(a.body, `id="entry-`); got != want {
			t.Errorf("%s: %d entries, want %d", query, got, want)
		}
	}
	g.get("/settings/audit?format=csv").is(http.StatusOK, "user.sign_in_failed", "Hash")
}

func TestTheTrailGoesOnToOlderEntries(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	g := s.as("boss")
	for i := range 40 {
		s.somebody(fmt.Sprintf("user%02d", i), identity.Member)
	}
	first := g.get("/settings/audit?who=&action=user").is(http.StatusOK, "30 entries", "Older entries", "user39").hides(`id="entry-1"`)
	older := regexp.MustCompile(`href="([^"]*before=\d+[^"]*)" rel="next"`).FindStringSubmatch(first.body)
	if older == nil {
		t.Fatal("no link to older entries")
	}
	g.get(strings.ReplaceAll(older[1], "&amp;", "&")).is(http.StatusOK, "12 entries", `id="entry-1"`).hides("user39", "Older entries")
}

func TestTheChainIsCheckedOnThePage(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	g := s.as("boss")
	g.get("/settings/audit").is(http.StatusOK, `hx-get="/settings/audit/verify"`)
	g.get("/settings/audit/verify").is(http.StatusOK, "<html", "The chain is intact: 2 entries", "Newest hash")
	g.do(http.MethodGet, "/settings/audit/verify", url.Values{}, "HX-Request", "true").is(http.StatusOK, "The chain is intact").hides("<html")

	if _, err := s.pool.Exec(t.Context(), `
		alter table audit_entry disable trigger user;
		update audit_entry set actor_name = 'nobody' where id = 2`); err != nil {
		t.Fatal(err)
	}
	g.get("/settings/audit/verify").is(http.StatusOK, "The chain is broken at entry 2", "find out who had access")
}
