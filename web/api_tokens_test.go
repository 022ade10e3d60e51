package web_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"orbit/internal/identity"
	"orbit/internal/vault"
)

func TestATokenIsShownOnceOnItsPage(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	g := s.as("boss")
	g.get("/settings/api-tokens").is(http.StatusOK, "No API token yet", "New API token")
	g.get("/settings/api-tokens/new").is(http.StatusOK, "In 90 days")
	g.post("/settings/api-tokens", "name", "", "role", "king", "expires_in_days", "-5").
		is(http.StatusUnprocessableEntity, "3 things need your attention")

	made := g.post("/settings/api-tokens", "name", "Access portal", "role", "operator", "expires_in_days", "30").
		is(http.StatusOK, "This token is shown once", "Access portal", "curl")
	if made.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", made.header.Get("Cache-Control"))
	}
	text := regexp.MustCompile(`orbit_[0-9A-Za-z]{43}`).FindString(made.body)
	token, err := s.identity.FindToken(t.Context(), vault.NewSecret(text))
	if err != nil || token.Role != identity.Operator || token.CreatedBy != "boss" || token.ExpiresAt == nil {
		t.Fatalf("the page shows a token %+v (%v)", token, err)
	}
	if days := token.ExpiresAt.Sub(s.clock()).Hours() / 24; days < 29.9 || days > 30.1 {
		t.Errorf("expires in %.1f days", days)
	}
	g.get("/settings/api-tokens").is(http.StatusOK, "Access portal", "Active", "boss", "Revoke").hides(text)
	g.post("/settings/api-tokens", "name", "access PORTAL", "role", "operator", "expires_in_days", "0").
		is(http.StatusUnprocessableEntity, "Another token has this name")
	s.pass(31 * 24 * time.Hour)
	g = s.as("boss")
	g.get("/settings/api-tokens").is(http.StatusOK, "Expired")

	g.get("/settings/api-tokens/1/revoke").is(http.StatusOK, "Revoke API token Access portal?", "refused at once")
	g.post("/settings/api-tokens/1/revoke").leads("/settings/api-tokens")
	g.get("/settings/api-tokens").is(http.StatusOK, "API token Access portal is revoked.", "No API token yet")
	g.get("/settings/api-tokens/1/revoke").is(http.StatusNotFound)
}
