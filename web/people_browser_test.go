package web_test

import (
	"testing"
	"time"

	"orbit/internal/identity"
	"orbit/web/browsertest"
)

// fill types into fields by their names.
func fill(tab *browsertest.Tab, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		tab.Type(`main [name="`+pairs[i]+`"], dialog [name="`+pairs[i]+`"]`, pairs[i+1])
	}
}

// submit presses the button of the form in the page.
const submit = `main form .form-foot button[type="submit"]`

func TestTheFirstAdministratorWalksInAndAddsOthers(t *testing.T) {
	s := newSite(t)
	code, err := s.identity.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tab := browsertest.New(t, s.url)
	tab.Open("/setup?code=" + code)
	tab.Until(`document.querySelector('[name="time_zone"]').value === Intl.DateTimeFormat().resolvedOptions().timeZone`)
	tab.Check("setup")
	fill(tab, "username", "ana", "password", "short")
	tab.Follow(submit)
	tab.SeeText("main", "has 5 characters")
	fill(tab, "password", goodPassword, "full_name", "Ana Lima", "time_zone", "America/Sao_Paulo")
	tab.Follow(submit)
	tab.SeeText("main", "You are the first administrator")

	tab.Open("/settings/users/new")
	tab.Check("user-new")
	fill(tab, "username", "ben", "full_name", "Ben Costa", "email", "ben@example.com", "password", "short")
	tab.Follow(submit)
	tab.SeeText("main", "has 5 characters")
	fill(tab, "password", goodPassword)
	tab.Follow(submit)
	tab.SeeText("main", "User ben is saved")
	for _, name := range []string{"carla", "diego", "eva"} {
		s.somebody(name, identity.Member)
	}
	tab.Open("/settings/users")
	tab.Check("users")
	tab.Follow(`#user-2 .row-name a`)
	tab.Check("user-edit")
}

func TestSigningInByKeyboard(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	tab := browsertest.New(t, s.url)
	tab.Open("/settings/audit")
	tab.Check("signin")
	tab.Press("ana")
	tab.Press("\t")
	tab.Press("wrong password")
	tab.Enter()
	tab.SeeText("main", "The username or the password is wrong.")
	tab.Check("signin-wrong")
	tab.Press(goodPassword) // the cursor waits in the password
	tab.Enter()
	tab.SeeText("h1", "Audit")
}

func TestPagesOfPeople(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.somebody("ben", identity.Operator)
	tab := s.tab(t, "ana")

	tab.Open("/settings/users/2/delete")
	tab.Check("user-delete-page")
	tab.Open("/settings/users")
	tab.Click(`#user-2 .dots`)
	tab.Click(`#user-2 .menu a[href$="/password"]`)
	tab.See(`dialog[open] [name="password"]`)
	tab.Check("user-password-window")
	fill(tab, "password", "short")
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("dialog", "has 5 characters")
	fill(tab, "password", "nine lamps over the river")
	tab.Follow(`dialog[open] button[type="submit"]`)
	tab.SeeText("main", "has a new password")

	s.pass(6 * time.Minute)
	tab.Open("/settings/users")
	tab.Click(`#user-2 .dots`)
	tab.Follow(`#user-2 .menu button[formaction$="/sign-out"]`)
	tab.SeeText("main", "Enter your password to go on")
	tab.Check("confirm")
	fill(tab, "current_password", goodPassword)
	tab.Follow(`main button[type="submit"]`)
	tab.SeeText("main", "ben is signed out everywhere")

	tab.Open("/settings/audit")
	tab.SeeText(".audit-check", "The chain is intact")
	tab.Check("audit")
	tab.Open("/profile")
	tab.Check("profile")
}

func TestPagesOfTokens(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	tab := s.tab(t, "ana")
	tab.Open("/settings/api-tokens")
	tab.Follow(".nothing a.btn-primary")
	tab.Check("token-new")
	fill(tab, "name", "Access portal")
	tab.Follow(submit)
	tab.SeeText("main", "This token is shown once")
	tab.Check("token-made")
	tab.Follow("main a.btn-primary")
	tab.Check("tokens")
	tab.Click(`#token-1 .dots`)
	tab.Click(`#token-1 .menu a[href$="/revoke"]`)
	tab.SeeText("dialog", "refused at once")
	tab.Check("token-revoke-window")
	tab.Follow(`dialog[open] button[type="submit"]`)
	tab.SeeText("main", "is revoked")
}

// tab is a browser window in which name is signed in.
func (s *site) tab(t *testing.T, name string) *browsertest.Tab {
	t.Helper()
	tab := browsertest.New(t, s.url)
	tab.Open("/login")
	fill(tab, "username", name, "password", goodPassword)
	tab.Follow(submit)
	return tab
}
