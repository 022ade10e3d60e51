package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orbit/internal/identity"
)

func TestFromHomeToASettingByMenuAndBySearch(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	tab := s.tab(t, "ana")
	tab.Open("/")
	tab.SeeText("h1", "Welcome, ana")
	tab.Check("home")

	tab.Click(`[popovertarget="grid-menu"]`)
	tab.Follow(`#grid-menu a[href="/settings"]`)
	tab.SeeText("h1", "SMTP Configuration")
	tab.Follow(`.side a[href="/settings/users"]`)
	tab.SeeText("h1", "Users")

	tab.Press("k", chromedp.KeyModifiers(2)) // Ctrl
	tab.Press("audit")
	tab.SeeText(`[role="option"]`, "Audit")
	tab.Press(kb.ArrowDown)
	tab.See(`[role="option"][aria-selected="true"]`)
	tab.Enter()
	tab.SeeText("h1", "Audit")

	tab.Open("/settings/nothing-here")
	tab.SeeText("h1", "There is nothing here")
	tab.Check("not-found")
	tab.Open("/search?q=credent")
	tab.SeeText(".result", "Credentials")
	tab.Check("search")
}

func TestAMemberSeesNoSettings(t *testing.T) {
	s := newSite(t)
	s.somebody("eva", identity.Member)
	tab := s.tab(t, "eva")
	tab.Open("/")
	tab.Check("home-member")
	s.as("eva").get("/").is(http.StatusOK).hides(`href="/settings"`, "SMTP Configuration")
	s.as("eva").get("/settings/users").is(http.StatusForbidden, "Your role does not allow this")
	s.as("eva").get("/search?q=users").is(http.StatusOK, "0 results")
}

func TestTheSearchAnswersScripts(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	a := s.as("ana").do(http.MethodGet, "/search?q=users", nil, "Accept", "application/json")
	var found struct {
		Items []struct{ Title, Href string }
	}
	if err := json.Unmarshal([]byte(a.body), &found); err != nil || len(found.Items) != 1 || found.Items[0].Href != "/settings/users" {
		t.Errorf("found %+v, error %v in %s", found, err, a.body)
	}
}

func TestTheProcessSaysHowItIs(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready"} {
		if a := s.guest().get(path); a.status != http.StatusOK || strings.TrimSpace(a.body) != want {
			t.Errorf("%s answers %d %q", path, a.status, a.body)
		}
	}
}

func TestAStrangersMissingPageShowsNoMenu(t *testing.T) {
	s := newSite(t)
	s.guest().get("/settings/nothing-here").is(http.StatusNotFound, "There is nothing here").hides("side-menu", "grid-menu")
}
