package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"orbit/internal/identity"
)

func TestEverybodyEditsTheirOwnProfile(t *testing.T) {
	s := newSite(t)
	ana := s.somebody("ana", identity.Member)
	g := s.as("ana")
	g.get("/profile").is(http.StatusOK, "Your profile", "ana · Member", "This browser")
	g.post("/profile", "version", "1", "full_name", "Ana Lima", "email", "nobody", "language", "pt", "time_zone", "Mars").
		is(http.StatusUnprocessableEntity, "2 things need your attention", `value="Ana Lima"`)
	g.post("/profile", "version", "1", "full_name", "Ana Lima", "language", "pt", "time_zone", "America/Sao_Paulo", "role", "administrator").leads("/profile")
	g.get("/profile").is(http.StatusOK, "Your profile is saved.", "America/Sao_Paulo (-03)")
	g.post("/profile", "version", "1", "full_name", "Ana", "language", "pt", "time_zone", "UTC").is(http.StatusConflict, "changed this while")
	saved, err := s.identity.FindUser(t.Context(), ana.ID)
	if err != nil || saved.Role != identity.Member || saved.Language != identity.Portuguese {
		t.Errorf("saved %+v (%v)", saved, err)
	}
}

func TestChangingThePasswordEndsTheOtherBrowsers(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Member)
	here, there := s.as("ana"), s.as("ana")
	here.post("/profile/password").is(http.StatusUnprocessableEntity, "Enter your present password", "Enter a password of 12")
	here.post("/profile/password", "current_password", "wrong one", "new_password", "nine lamps over the river").
		is(http.StatusUnprocessableEntity, "not your present password").hides("nine lamps")
	before := here.key()
	here.post("/profile/password", "current_password", goodPassword, "new_password", "nine lamps over the river").leads("/profile")
	if here.key() == before {
		t.Error("the session keeps its key")
	}
	here.get("/profile").is(http.StatusOK, "Your password is changed")
	there.get("/profile").leads("/login?next=%2Fprofile")
}

func TestOwnSessionsCanBeEnded(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Member)
	s.somebody("ben", identity.Member)
	here, other := s.as("ana"), s.guest()
	other.do(http.MethodPost, "/login", url.Values{"username": {"ana"}, "password": {goodPassword}},
		"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0").leads("/")
	page := here.get("/profile").is(http.StatusOK, "Firefox on Linux")
	end := regexp.MustCompile(`/profile/sessions/\d+/end`).FindString(page.body)
	s.as("ben").post(end).leads("/profile") // somebody else's session: nothing happens
	other.get("/profile").is(http.StatusOK)
	here.post(end).leads("/profile")
	other.get("/profile").leads("/login?next=%2Fprofile")
	here.get("/profile").is(http.StatusOK, "That browser is signed out.").hides("Firefox on Linux")

	again := s.as("ana")
	here.post("/profile/sign-out-everywhere").leads("/login")
	here.get("/profile").leads("/login?next=%2Fprofile")
	again.get("/profile").leads("/login?next=%2Fprofile")
}
