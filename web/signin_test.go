package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"orbit/internal/identity"
)

func TestSigningInLeadsToThePageThatWasAskedFor(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	g := s.guest()
	g.get("/settings/users?role=member").leads("/login?next=%2Fsettings%2Fusers%3Frole%3Dmember")
	page := g.get("/login?next=%2Fsettings%2Fusers%3Frole%3Dmember").is(http.StatusOK, "Sign in", `name="next" value="/settings/users?role=member"`)
	if page.header.Get("Set-Cookie") != "" {
		t.Error("a visitor who has not signed in gets a cookie")
	}
	a := g.post("/login", "username", "ana", "password", goodPassword, "next", "/settings/users?role=member")
	a.leads("/settings/users?role=member")
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"orbit=", "Path=/", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q has no %s", cookie, part)
		}
	}
	g.get("/login").leads("/")
	g.get("/settings/users").is(http.StatusOK, "ana")
}

func TestSigningInNeverLeadsToAnotherHost(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	for _, next := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example/`, `\\evil.example`, "/%2f/evil.example", "javascript:alert(1)",
		"settings", "/\r\nLocation: https://evil.example", "http:evil.example", "/%5cevil.example",
	} {
		s.guest().post("/login", "username", "ana", "password", goodPassword, "next", next).leads("/")
	}
}

func TestAWrongPasswordSaysNothingAboutTheName(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	const sentence = "The username or the password is wrong."
	g := s.guest()
	g.post("/login", "username", "ana", "password", "not her password").is(http.StatusUnprocessableEntity, sentence, `value="ana"`).hides("not her password")
	g.post("/login", "username", "bob", "password", goodPassword).is(http.StatusUnprocessableEntity, sentence).hides(goodPassword)
	g.post("/login").is(http.StatusUnprocessableEntity, "Enter your username.", "Enter your password.")
	for range 3 {
		g.post("/login", "username", "ana", "password", "not her password")
	}
	a := g.post("/login", "username", "ana", "password", goodPassword).is(http.StatusTooManyRequests, "Try again in 10 seconds.")
	if a.header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	s.pass(10 * time.Second)
	g.post("/login", "username", "ana", "password", goodPassword).leads("/")
}

func TestSigningInAgainReplacesTheSession(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	g := s.as("ana")
	old := g.key()
	g.post("/login", "username", "ana", "password", goodPassword).leads("/")
	if g.key() == old || g.key() == "" {
		t.Error("the key must change at sign-in")
	}
	a := s.guest().do(http.MethodGet, "/profile", nil, "Cookie", "orbit="+old)
	a.leads("/login?next=%2Fprofile")
}

func TestSigningOut(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	g := s.as("ana")
	old := g.key()
	g.post("/logout").leads("/login")
	if g.key() != "" {
		t.Error("the browser keeps the cookie")
	}
	g.get("/login").is(http.StatusOK, "You are signed out.")
	s.guest().do(http.MethodGet, "/profile", nil, "Cookie", "orbit="+old).leads("/login?next=%2Fprofile")
	g.post("/logout").leads("/login")
}

func TestAPostFromAnotherSiteIsRefused(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	g := s.as("ana")
	for _, from := range []string{"cross-site", "same-site"} {
		g.do(http.MethodPost, "/logout", url.Values{}, "Sec-Fetch-Site", from).is(http.StatusForbidden, "another site")
	}
	g.get("/profile").is(http.StatusOK)
}

func TestTheFirstAdministratorIsMadeOnceWithTheCode(t *testing.T) {
	s := newSite(t)
	code, err := s.identity.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g := s.guest()
	g.get("/").leads("/login")
	g.get("/login").leads("/setup")
	g.get("/setup?code="+code).is(http.StatusOK, "Code from the log", `value="`+code+`"`)
	g.post("/setup", "code", code, "username", "-", "password", "short", "time_zone", "Mars/Olympus", "email", "nobody").
		is(http.StatusUnprocessableEntity, "4 things need your attention", "has 5 characters", `value="`+code+`"`).hides(`value="short"`)
	g.post("/setup", "code", "AAAA-BBBB-CCCC-DDDD", "username", "ana", "password", goodPassword).
		is(http.StatusUnprocessableEntity, "not a code that Orbit printed")
	g.post("/setup", "code", code, "username", "ana", "password", goodPassword, "time_zone", "Europe/Lisbon").leads("/")
	g.get("/").is(http.StatusOK, "You are the first administrator")
	g.get("/setup").leads("/login")
	s.guest().post("/setup", "code", code, "username", "ben", "password", goodPassword).leads("/login")
}

func TestEachPageAsksForItsRole(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	people := map[identity.Role]*guest{}
	for _, role := range identity.Roles() {
		s.somebody("the-"+string(role), role)
		people[role] = s.as("the-" + string(role))
	}
	reads := []identity.Role{identity.Administrator, identity.Operator, identity.Auditor}
	changes := []identity.Role{identity.Administrator}
	for path, allowed := range map[string][]identity.Role{
		"GET /profile":                       identity.Roles(),
		"GET /settings/users":                reads,
		"GET /settings/users/1":              reads,
		"GET /settings/users/new":            changes,
		"GET /settings/users/1/password":     changes,
		"GET /settings/users/1/delete":       changes,
		"GET /settings/users/1/disable":      changes,
		"GET /settings/api-tokens":           reads,
		"GET /settings/api-tokens/new":       changes,
		"GET /settings/audit":                reads,
		"GET /settings/audit/verify":         reads,
		"POST /settings/users":               changes,
		"POST /settings/users/1":             changes,
		"POST /settings/users/999/password":  changes,
		"POST /settings/users/999/delete":    changes,
		"POST /settings/users/999/disable":   changes,
		"POST /settings/users/999/enable":    changes,
		"POST /settings/users/999/sign-out":  changes,
		"POST /settings/api-tokens":          changes,
		"POST /settings/api-tokens/1/revoke": changes,
	} {
		method, target, _ := strings.Cut(path, " ")
		for role, g := range people {
			a := g.do(method, target, nil)
			may := false
			for _, r := range allowed {
				may = may || r == role
			}
			if forbidden := a.status == http.StatusForbidden; forbidden == may {
				t.Errorf("%s as %s: status %d", path, role, a.status)
			}
		}
		if a := s.guest().do(method, target, nil); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login") {
			t.Errorf("%s by a stranger: status %d to %s", path, a.status, a.header.Get("Location"))
		}
	}
}
