package identity_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"orbit/internal/identity"
)

func (h *house) setUp(code, username, password string) (identity.Session, error) {
	return h.SetUp(context.Background(), identity.FirstAdministrator{
		Code: secret(code), User: identity.User{Username: username}, Password: secret(password),
		Visitor: identity.Visitor{Address: "192.0.2.7"},
	})
}

// code is what a process prints.
func (h *house) code() string {
	h.t.Helper()
	code, err := h.SetupCode(context.Background())
	if err != nil || code == "" {
		h.t.Fatalf("setup code %q: %v", code, err)
	}
	return code
}

func TestTheCodeFromTheLogMakesTheFirstAdministrator(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	if needed, err := h.NeedsSetup(ctx); err != nil || !needed {
		t.Fatalf("needs setup: %v (%v)", needed, err)
	}
	first, second := h.code(), h.code() // two processes, or a restart
	session, err := h.setUp(" "+strings.ToLower(first)+" ", "ana", goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if !h.lives(session) || session.User.Role != identity.Administrator {
		t.Errorf("session %+v", session)
	}
	if e := h.trail()[0]; e.Action != "user.created" || e.Actor.Name != "ana" || e.Actor.Address != "192.0.2.7" {
		t.Errorf("audit entry %+v", e)
	}
	if needed, err := h.NeedsSetup(ctx); err != nil || needed {
		t.Errorf("still needs setup: %v (%v)", needed, err)
	}
	for _, code := range []string{first, second} {
		if _, err := h.setUp(code, "ben", goodPassword); err == nil {
			t.Error("a code worked after the first administrator was made")
		}
	}
	if code, err := h.SetupCode(ctx); err != nil || code != "" {
		t.Errorf("makes another code %q (%v)", code, err)
	}
}

func TestAWrongCodeIsCounted(t *testing.T) {
	h := newHouse(t)
	code := h.code()
	_, err := h.setUp("", "-", "short")
	for _, field := range []string{"code", "username", "password"} {
		invalid(t, err, field)
	}
	for range 5 {
		_, err := h.setUp("ABCD-EFGH-JKMN-PQRS", "ana", goodPassword)
		invalid(t, err, "code")
	}
	var wait *identity.Throttled
	if _, err := h.setUp(code, "ana", goodPassword); !errors.As(err, &wait) {
		t.Fatalf("got %v, want it throttled", err)
	}
	h.clock.pass(wait.Wait)
	if _, err := h.setUp(code, "ana", goodPassword); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestOneCodeMakesOneAdministrator(t *testing.T) {
	h := newHouse(t)
	code := h.code()
	var wg sync.WaitGroup
	for _, name := range []string{"ana", "ben", "carla"} {
		wg.Go(func() { _, _ = h.setUp(code, name, goodPassword) })
	}
	wg.Wait()
	if n := h.count(`select count(*) from "user"`); n != 1 {
		t.Errorf("%d users were made, want 1", n)
	}
}

func TestOnlyTheNewestCodesWork(t *testing.T) {
	h := newHouse(t)
	oldest := h.code()
	var newest string
	for range 10 {
		newest = h.code()
	}
	if n := h.count(`select jsonb_array_length(value) from system_parameter where name = 'setup_code_hashes'`); n != 10 {
		t.Errorf("%d codes are kept, want 10", n)
	}
	_, err := h.setUp(oldest, "ana", goodPassword)
	invalid(t, err, "code")
	if _, err := h.setUp(newest, "ana", goodPassword); err != nil {
		t.Error(err)
	}
}

func TestTheEnvironmentMakesTheFirstAdministratorOnce(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	_, err := h.Bootstrap(ctx, "ana", secret("short"))
	invalid(t, err, "password")

	created, err := h.Bootstrap(ctx, "ana", secret(goodPassword))
	if err != nil || !created {
		t.Fatalf("created %v (%v)", created, err)
	}
	h.signIn("ana")
	created, err = h.Bootstrap(ctx, "ben", secret("short"))
	if err != nil || created {
		t.Errorf("with an administrator it must do nothing, created %v (%v)", created, err)
	}
}
