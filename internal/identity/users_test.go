package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestEverythingWrongWithAUserIsSaidAtOnce(t *testing.T) {
	h := newHouse(t)
	_, err := h.CreateUser(context.Background(), identity.User{
		Username: "-ana maria", Email: "nobody", FullName: "two\nlines", Role: "king", Language: "tlh", TimeZone: "Local",
	}, secret("short"))
	for _, field := range []string{"username", "email", "full_name", "role", "language", "time_zone", "password"} {
		invalid(t, err, field)
	}
	if n := h.count(`select count(*) from "user"`); n != 0 {
		t.Errorf("%d users were stored", n)
	}
}

func TestUsernamesAreUniqueWhateverTheirCase(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Member)
	_, err := h.CreateUser(context.Background(), identity.User{Username: "ANA", Role: identity.Member}, secret(goodPassword))
	invalid(t, err, "username")

	_, err = h.CreateUser(context.Background(), identity.User{Username: "Ana", Role: "king"}, secret(goodPassword))
	invalid(t, err, "username") // together with what else is wrong
	invalid(t, err, "role")
}

func TestUsernamesAndAddresses(t *testing.T) {
	for name, valid := range map[string]bool{
		"ana": true, "a": true, "Ana.Maria-2": true, "ana@example.com": true, "ana+test@example.com": true, "7of9": true,
		"": false, "-ana": false, "@ana": false, "ana maria": false, "anä": false, "ana\n": false, "ana/ben": false,
		strings.Repeat("a", 100): true, strings.Repeat("a", 101): false,
	} {
		u := identity.User{Username: name, Role: identity.Member, Language: identity.English, TimeZone: "UTC"}
		if got := u.Validate().Err() == nil; got != valid {
			t.Errorf("username %q: valid %v, want %v", name, got, valid)
		}
	}
	for address, valid := range map[string]bool{
		"": true, "ana@example.com": true, "Ana <ana@example.com>": false, "ana": false, "ana@": false, "a b@example.com": false,
		"ana@example.com\r\nBcc: x@example.com": false,
	} {
		u := identity.User{Username: "ana", Email: address, Role: identity.Member, Language: identity.English, TimeZone: "UTC"}
		if got := u.Validate().Err() == nil; got != valid {
			t.Errorf("e-mail %q: valid %v, want %v", address, got, valid)
		}
	}
}

func TestEveryOfferedTimeZoneIsKnown(t *testing.T) {
	zones := identity.TimeZones()
	if len(zones) < 400 || zones[0] != "UTC" || !slices.Contains(zones, "America/Sao_Paulo") {
		t.Fatalf("offers %d zones, the first %q", len(zones), zones[0])
	}
	for _, zone := range zones {
		u := identity.User{Username: "ana", Role: identity.Member, Language: identity.English, TimeZone: zone}
		if err := u.Validate().Err(); err != nil {
			t.Errorf("%s: %v", zone, err)
		}
		if u.Location().String() != zone {
			t.Errorf("%s is read as %s", zone, u.Location())
		}
	}
}

func TestChangingAUserLeavesATrail(t *testing.T) {
	h := newHouse(t)
	ctx := audit.WithActor(context.Background(), audit.Actor{Kind: audit.User, ID: 1, Name: "boss"})
	ana := h.somebody("ana", identity.Member)
	ana.FullName, ana.TimeZone = " Ana Lima ", "America/Sao_Paulo"
	changed, err := h.UpdateUser(ctx, ana)
	if err != nil {
		t.Fatal(err)
	}
	if changed.FullName != "Ana Lima" || changed.Version != ana.Version+1 || changed.ChangedBy != "boss" {
		t.Errorf("changed to %+v", changed)
	}
	e := h.lastEntry()
	name, _ := e.Detail["full_name"].(map[string]any)
	if e.Action != "user.changed" || e.Actor.Name != "boss" || e.ObjectName != "ana" || name["now"] != "Ana Lima" {
		t.Errorf("audit entry %+v", e)
	}
	if _, has := e.Detail["role"]; has {
		t.Error("the entry lists what did not change")
	}
	entries := len(h.trail())
	if again, err := h.UpdateUser(ctx, changed); err != nil || again.Version != changed.Version || len(h.trail()) != entries {
		t.Errorf("saving without a change is no change (%v)", err)
	}
}

func TestTheSecondEditorIsToldWhatChanged(t *testing.T) {
	h := newHouse(t)
	ana := h.somebody("ana", identity.Member)
	first, second := ana, ana
	first.Email = "ana@example.com"
	if _, err := h.UpdateUser(audit.WithActor(context.Background(), audit.Actor{Kind: audit.User, Name: "ben"}), first); err != nil {
		t.Fatal(err)
	}
	second.Email = "ana@example.org"
	_, err := h.UpdateUser(context.Background(), second)
	var conflict *problem.Conflict
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	want := problem.Change{Field: "email", Label: "E-mail", Stored: "ana@example.com", Yours: "ana@example.org"}
	if conflict.Who != "ben" || conflict.What != "User ana" || len(conflict.Changed) != 1 || conflict.Changed[0] != want {
		t.Errorf("conflict %+v", conflict)
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	ana := h.somebody("ana", identity.Administrator)
	ben := h.somebody("ben", identity.Administrator)
	if _, err := h.SetActive(ctx, ben.ID, false); err != nil {
		t.Fatal(err)
	}
	demoted := ana
	demoted.Role = identity.Operator
	for name, try := range map[string]func() error{
		"demote":     func() error { _, err := h.UpdateUser(ctx, demoted); return err },
		"deactivate": func() error { _, err := h.SetActive(ctx, ana.ID, false); return err },
		"delete":     func() error { return h.DeleteUser(ctx, ana.ID) },
	} {
		if text := refused(t, try()); !strings.Contains(text, "ana is the last active administrator") {
			t.Errorf("%s: reads %q", name, text)
		}
	}
	if _, err := h.SetActive(ctx, ben.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := h.UpdateUser(ctx, demoted); err != nil {
		t.Errorf("with another administrator: %v", err)
	}
}

func TestTwoAdministratorsCannotRemoveEachOther(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	for round := range 5 {
		names := []string{"ana", "ben"}
		var users [2]identity.User
		for i, name := range names {
			users[i] = h.somebody(name+string(rune('a'+round)), identity.Administrator)
		}
		h.demoteAllBut(users[:])
		var wg sync.WaitGroup
		for _, u := range users {
			wg.Go(func() { _, _ = h.SetActive(ctx, u.ID, false) })
		}
		wg.Wait()
		if n := h.count(`select count(*) from "user" where role = 'administrator' and active`); n != 1 {
			t.Fatalf("%d administrators are left, want 1", n)
		}
	}
}

// demoteAllBut leaves only the given administrators, whatever rounds before have left.
func (h *house) demoteAllBut(users []identity.User) {
	h.t.Helper()
	all, _, err := h.Users(context.Background(), identity.UserFilter{Role: identity.Administrator})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, u := range all {
		if u.Active && u.ID != users[0].ID && u.ID != users[1].ID {
			if _, err := h.SetActive(context.Background(), u.ID, false); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

func TestLosingPowerEndsSessionsAtOnce(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	h.somebody("boss", identity.Administrator)
	for name, change := range map[string]func(identity.User) error{
		"role": func(u identity.User) error {
			u.Role = identity.Auditor
			_, err := h.UpdateUser(ctx, u)
			return err
		},
		"deactivated": func(u identity.User) error { _, err := h.SetActive(ctx, u.ID, false); return err },
		"password":    func(u identity.User) error { return h.SetPassword(ctx, u.ID, secret("nine lamps over the river")) },
		"deleted":     func(u identity.User) error { return h.DeleteUser(ctx, u.ID) },
	} {
		u := h.somebody(name, identity.Operator)
		session := h.signIn(name)
		if err := change(u); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if h.lives(session) {
			t.Errorf("%s: the session goes on", name)
		}
	}
	u := h.somebody("calm", identity.Operator)
	session := h.signIn("calm")
	u.FullName = "Calm"
	if _, err := h.SaveProfile(ctx, u); err != nil || !h.lives(session) {
		t.Errorf("a new name must not sign anybody out (%v)", err)
	}
}

func TestAProfileCannotRaiseItself(t *testing.T) {
	h := newHouse(t)
	u := h.somebody("ben", identity.Member)
	u.Role, u.Username, u.Active, u.Language = identity.Administrator, "boss", false, identity.Portuguese
	saved, err := h.SaveProfile(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	if saved.Role != identity.Member || saved.Username != "ben" || !saved.Active || saved.Language != identity.Portuguese {
		t.Errorf("saved %+v", saved)
	}
}

func TestAUserWithoutPasswordCannotSignIn(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	u, err := h.CreateUser(ctx, identity.User{Username: "ana", Role: identity.Member}, vault.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"", " ", goodPassword} {
		if _, err := h.attempt("ana", password); err == nil {
			t.Errorf("signed in with %q", password)
		}
	}
	if err := h.SetPassword(ctx, u.ID, secret(goodPassword)); err != nil {
		t.Fatal(err)
	}
	h.signIn("ana")
}

func TestUsersAreFoundSortedAndPaged(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	h.somebody("carla", identity.Administrator)
	h.somebody("ana", identity.Member)
	ben := h.somebody("ben_x", identity.Member)
	if _, err := h.SetActive(ctx, ben.ID, false); err != nil {
		t.Fatal(err)
	}
	yes := true
	for want, filter := range map[string]identity.UserFilter{
		"ana ben_x carla 3": {},
		"carla ben_x ana 3": {Sort: "username", Descending: true},
		"carla ana ben_x 3": {Sort: "id"},
		"ana ben_x 2":       {Role: identity.Member},
		"ana carla 2":       {Active: &yes},
		"ben_x 1":           {Search: "N_X"},
		"0":                 {Search: "%"},
		"ben_x 3":           {Limit: 1, Offset: 1, Sort: `"; drop table session`},
	} {
		users, total, err := h.Users(ctx, filter)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, u := range users {
			got += u.Username + " "
		}
		got += string(rune('0' + total))
		if got != want {
			t.Errorf("%+v: got %s, want %s", filter, got, want)
		}
	}
}
