package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"orbit/internal/identity"
)

func path(u identity.User, rest string) string {
	return fmt.Sprintf("/settings/users/%d%s", u.ID, rest)
}

func TestAnAdministratorCreatesAndEditsAUser(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	g := s.as("boss")
	g.get("/settings/users/new").is(http.StatusOK, "New user", "Sees the settings and tests accounts").hides("Your password")

	g.post("/settings/users", "username", "ana lima", "email", "nobody", "role", "king", "password", "short", "time_zone", "Mars").
		is(http.StatusUnprocessableEntity, "things need your attention", "Use letters", "e-mail address such as", "Choose administrator",
			"has 5 characters", "IANA name", `value="ana lima"`).hides(`value="short"`)
	g.post("/settings/users", "username", "ana", "role", "member").is(http.StatusUnprocessableEntity, "Enter a password")
	g.post("/settings/users", "username", "ana", "full_name", "Ana Lima", "role", "operator", "language", "pt",
		"time_zone", "America/Sao_Paulo", "password", goodPassword, "active", "yes").leads("/settings/users")
	g.get("/settings/users").is(http.StatusOK, "User ana is saved.", "Ana Lima", "Operator")

	users, _, err := s.identity.Users(t.Context(), identity.UserFilter{Search: "ana"})
	if err != nil || len(users) != 1 {
		t.Fatalf("found %v (%v)", users, err)
	}
	ana := users[0]
	page := g.get(path(ana, "")).is(http.StatusOK, `value="America/Sao_Paulo"`, "At a glance", "nowhere")
	page.hides(`name="password"`)
	edit := []string{"version", fmt.Sprint(ana.Version), "username", "ana", "full_name", "Ana Maria Lima", "role", "auditor",
		"language", "es", "time_zone", "UTC", "active", "yes"}
	g.post(path(ana, ""), edit...).leads("/settings/users")
	g.post(path(ana, ""), append(edit, "full_name", "Somebody Else")...).
		is(http.StatusConflict, "boss changed this while you were working on it", fmt.Sprintf(`name="version" value="%d"`, ana.Version+1))
	g.get(path(identity.User{ID: 999}, "")).is(http.StatusNotFound)
}

func TestAnAuditorReadsUsersOnly(t *testing.T) {
	s := newSite(t)
	boss := s.somebody("boss", identity.Administrator)
	s.somebody("ida", identity.Auditor)
	g := s.as("ida")
	g.get("/settings/users").is(http.StatusOK, "boss", "View").hides("/settings/users/new", "Delete")
	g.get(path(boss, "")).is(http.StatusOK, "disabled").hides(">Save<")
}

func TestTheListFiltersSortsAndExports(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	formula := s.somebody("formula", identity.Operator)
	formula.FullName = "=HYPERLINK(1)"
	if _, err := s.identity.UpdateUser(t.Context(), formula); err != nil {
		t.Fatal(err)
	}
	for i := range 35 {
		s.somebody(fmt.Sprintf("user%02d", i), identity.Member)
	}
	g := s.as("boss")
	g.get("/settings/users").is(http.StatusOK, "1 to 30 of 37 users", "boss", "You").hides("user34")
	g.get("/settings/users?page=2").is(http.StatusOK, "31 to 37 of 37 users", "user34").hides(`id="user-1"`)
	g.get("/settings/users?sort=-username").is(http.StatusOK, "user34")
	g.get("/settings/users?search=user3&role=member").is(http.StatusOK, "5 users", "user31").hides("user29")
	g.get("/settings/users?search=nobody").is(http.StatusOK, "Nothing matches the filters")
	csv := g.get("/settings/users?format=csv").is(http.StatusOK, "user34", "Last sign-in (UTC)", "'=HYPERLINK(1)")
	if kind := csv.header.Get("Content-Type"); kind != "text/csv; charset=utf-8" {
		t.Errorf("content type %s", kind)
	}
}

func TestImportantActionsAskForThePasswordAgain(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	ana := s.somebody("ana", identity.Member)
	g := s.as("boss")
	g.get(path(ana, "/disable")).is(http.StatusOK, "Disable user ana?").hides("Your password")
	s.pass(6 * time.Minute)
	g.get(path(ana, "/disable")).is(http.StatusOK, "Disable user ana?", "Your password")

	g.post(path(ana, "/disable"), "note", "x & y").is(http.StatusUnprocessableEntity, "Confirm that it is you", `name="note" value="x &amp; y"`).
		hides("not your present password")
	before := g.key()
	g.post(path(ana, "/disable"), "current_password", "wrong one").is(http.StatusUnprocessableEntity, "This is not your present password").
		hides("wrong one")
	g.post(path(ana, "/disable"), "current_password", goodPassword).leads("/settings/users")
	if g.key() == before {
		t.Error("confirming must renew the session's key")
	}
	g.get("/settings/users").is(http.StatusOK, "ana is disabled and signed out", "Disabled")
	g.post(path(ana, "/enable")).leads("/settings/users") // within five minutes nobody asks
}

func TestFormsAskForThePasswordBesideTheirOtherFields(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	ana := s.somebody("ana", identity.Member)
	g := s.as("boss")
	s.pass(6 * time.Minute)
	form := []string{"version", "1", "username", "ana", "full_name", "Ana Lima", "role", "member", "language", "en", "time_zone", "Mars", "active", "yes"}
	g.get(path(ana, "")).is(http.StatusOK, "current_password")
	g.post(path(ana, ""), form...).is(http.StatusUnprocessableEntity, "2 things need your attention", "Enter your own password", `value="Ana Lima"`)
	form[11] = "UTC"
	g.post(path(ana, ""), append(form, "current_password", "wrong one")...).is(http.StatusUnprocessableEntity, "not your present password", `value="Ana Lima"`)
	g.post(path(ana, ""), append(form, "current_password", goodPassword)...).leads("/settings/users")

	s.pass(6 * time.Minute)
	g.post(path(ana, "/password"), "password", "short").is(http.StatusUnprocessableEntity, "Enter your own password")
	g.post(path(ana, "/password"), "password", "short", "current_password", goodPassword).is(http.StatusUnprocessableEntity, "has 5 characters")
	g.post(path(ana, "/password"), "password", "nine lamps over the river").leads("/settings/users")
	s.guest().post("/login", "username", "ana", "password", "nine lamps over the river").leads("/")
}

func TestGuessingThroughTheConfirmationIsThrottled(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	ana := s.somebody("ana", identity.Member)
	g := s.as("boss")
	s.pass(6 * time.Minute)
	for range 5 {
		g.post(path(ana, "/enable"), "current_password", "wrong one").is(http.StatusUnprocessableEntity)
	}
	g.post(path(ana, "/enable"), "current_password", goodPassword).is(http.StatusUnprocessableEntity, "Too many failed attempts")
}

func TestTheLastAdministratorCannotLockEverybodyOut(t *testing.T) {
	s := newSite(t)
	boss := s.somebody("boss", identity.Administrator)
	g := s.as("boss")
	g.post(path(boss, "/disable")).is(http.StatusConflict, "last active administrator")
	g.post(path(boss, "/delete")).is(http.StatusConflict, "last active administrator")
	g.post(path(boss, ""), "version", "1", "username", "boss", "role", "member", "language", "en", "time_zone", "UTC", "active", "yes").
		is(http.StatusConflict, "last active administrator", "Save")
}

func TestLosingAccessWorksAtOnce(t *testing.T) {
	s := newSite(t)
	s.somebody("boss", identity.Administrator)
	boss := s.as("boss")
	for action, pairs := range map[string][]string{
		"/disable": nil, "/delete": nil, "/sign-out": nil, "/password": {"password", "nine lamps over the river"},
	} {
		u := s.somebody("u"+strings.TrimPrefix(action, "/"), identity.Operator)
		g := s.as(u.Username)
		g.get("/settings/users").is(http.StatusOK)
		boss.post(path(u, action), pairs...).leads("/settings/users")
		g.get("/settings/users").leads("/login?next=%2Fsettings%2Fusers")
	}
}
