package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/identity"
	"orbit/internal/problem"
)

func TestSignInBeginsASessionThatTheKeyOpens(t *testing.T) {
	h := newHouse(t)
	ana := h.somebody("ana", identity.Administrator)
	session := h.signIn("ANA") // the case of a username does not matter

	found, _, err := h.FindSession(context.Background(), session.Key)
	if err != nil {
		t.Fatal(err)
	}
	if found.ID != session.ID || found.User.ID != ana.ID || found.User.Role != identity.Administrator {
		t.Errorf("found %+v", found)
	}
	if found.Address != "192.0.2.7" || found.UserAgent != "test" {
		t.Errorf("session came from %q %q", found.Address, found.UserAgent)
	}
	if found.User.LastSignIn == nil {
		t.Error("the last sign-in is not noted")
	}
	if n := h.count(`select count(*) from session where position($1::bytea in key_hash) > 0`, []byte(session.Key.Reveal())); n != 0 {
		t.Error("the key itself is stored")
	}
	e := h.lastEntry()
	if e.Action != "user.signed_in" || e.Actor.Name != "ana" || e.Actor.ID != ana.ID || e.Actor.Address != "192.0.2.7" {
		t.Errorf("audit entry %+v", e)
	}
}

func TestWrongNameAndWrongPasswordReadTheSame(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	gone := h.somebody("gone", identity.Member)
	if _, err := h.SetActive(context.Background(), gone.ID, false); err != nil {
		t.Fatal(err)
	}
	_, wrongPassword := h.attempt("ana", "not her password")
	if e := h.lastEntry(); e.Action != "user.sign_in_failed" || e.Actor.Name != "ana" || e.Detail["reason"] != "wrong password" {
		t.Errorf("audit entry %+v", e)
	}
	_, wrongName := h.attempt("hunter2 is my password", goodPassword)
	if e := h.lastEntry(); e.Detail["reason"] != "no such user" || strings.Contains(e.Actor.Name+e.ObjectName, "hunter2") {
		t.Errorf("audit entry %+v", e)
	}
	_, deactivated := h.attempt("gone", goodPassword)
	if e := h.lastEntry(); e.Detail["reason"] != "user is deactivated" {
		t.Errorf("audit entry %+v", e)
	}
	want := invalid(t, wrongPassword, "")
	for _, err := range []error{wrongName, deactivated} {
		if got := invalid(t, err, ""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSignInReplacesTheBrowsersSession(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	old := h.signIn("ana")
	renewed, err := h.SignIn(context.Background(), identity.Attempt{
		Username: "ana", Password: secret(goodPassword), Previous: old,
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.lives(old) || !h.lives(renewed) || old.Key.Equal(renewed.Key) {
		t.Error("the old key must end and the new one open the session")
	}
}

func TestSessionsEndWhenIdleAndAtTheLatestAfterTwelveHours(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	idle, busy := h.signIn("ana"), h.signIn("ana")

	h.clock.pass(59 * time.Minute)
	if !h.lives(busy) {
		t.Error("a session must live for 60 minutes without use")
	}
	h.clock.pass(time.Minute)
	if h.lives(idle) || !h.lives(busy) {
		t.Error("only the idle session must end after 60 minutes")
	}
	for range 12 {
		h.clock.pass(55 * time.Minute)
		h.lives(busy)
	}
	if h.lives(busy) {
		t.Error("a session must end after 12 hours however busy it is")
	}
}

func TestUseIsNotedAtMostOnceAMinute(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	session := h.signIn("ana")
	seen := func() (at time.Time) {
		if err := h.pool.QueryRow(context.Background(), `select last_seen_at from session`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	begun := seen()
	h.clock.pass(59 * time.Second)
	h.lives(session)
	if !seen().Equal(begun) {
		t.Error("noted within the minute")
	}
	h.clock.pass(time.Second)
	h.lives(session)
	if !seen().Equal(begun.Add(time.Minute)) {
		t.Errorf("seen %s, want a minute after %s", seen(), begun)
	}
}

func TestFailuresSlowAnAccountDownAndNeverLockItOut(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	from := func(i int, password string) error {
		_, err := h.SignIn(context.Background(), identity.Attempt{
			Username: "ana", Password: secret(password), Visitor: identity.Visitor{Address: fmt.Sprintf("192.0.2.%d", i)},
		})
		return err
	}
	for i := range 5 {
		invalid(t, from(i, "wrong password"), "")
	}
	var wait *identity.Throttled
	if err := from(10, goodPassword); !errors.As(err, &wait) || wait.Wait != 10*time.Second {
		t.Fatalf("got %v, want a wait of 10 s even with the right password", err)
	}
	if text := wait.Error(); text != "Too many failed attempts. Try again in 10 seconds." {
		t.Errorf("reads %q", text)
	}
	for i := range 20 { // each wrong try after the wait doubles it, up to the limit
		h.clock.pass(wait.Wait)
		invalid(t, from(20+i, "wrong password"), "")
		if err := from(60+i, goodPassword); !errors.As(err, &wait) {
			t.Fatalf("try %d: got %v, want it throttled", i, err)
		}
	}
	if wait.Wait != 15*time.Minute {
		t.Errorf("waits %s in the end, want 15 minutes", wait.Wait)
	}
	h.clock.pass(wait.Wait)
	if err := from(100, goodPassword); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	invalid(t, from(101, "wrong password"), "") // and the slate is clean
}

func TestFailuresSlowAnAddressDown(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	from := func(name, address string) error {
		_, err := h.SignIn(context.Background(), identity.Attempt{
			Username: name, Password: secret("wrong password"), Visitor: identity.Visitor{Address: address},
		})
		return err
	}
	for i := range 5 {
		invalid(t, from(fmt.Sprintf("user%d", i), fmt.Sprintf("2001:db8::%d", i)), "")
	}
	var wait *identity.Throttled
	if err := from("ana", "2001:db8::ffff"); !errors.As(err, &wait) {
		t.Errorf("same /64: got %v, want it throttled", err)
	}
	invalid(t, from("ana", "2001:db8:0:1::1"), "")
}

func TestParallelGuessesAreCountedOneByOne(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	var checked, throttled int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			_, err := h.SignIn(context.Background(), identity.Attempt{
				Username: "ana", Password: secret("wrong password"), Visitor: identity.Visitor{Address: fmt.Sprintf("192.0.2.%d", i)},
			})
			mu.Lock()
			defer mu.Unlock()
			var wait *identity.Throttled
			if errors.As(err, &wait) {
				throttled++
			} else {
				checked++
			}
		})
	}
	wg.Wait()
	if checked != 5 || throttled != 25 {
		t.Errorf("%d passwords were checked and %d tries throttled, want 5 and 25", checked, throttled)
	}
}

func TestOldFailuresAreForgotten(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	for range 4 {
		_, _ = h.attempt("ana", "wrong password")
	}
	h.clock.pass(61 * time.Minute)
	for range 4 {
		_, err := h.attempt("ana", "wrong password")
		invalid(t, err, "")
	}
	h.signIn("ana")
}

func TestConfirmingRenewsTheKey(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	session := h.signIn("ana")
	if !identity.Confirmed(session, h.clock.Now()) {
		t.Error("who has just signed in has just typed the password")
	}
	h.clock.pass(5 * time.Minute)
	if identity.Confirmed(session, h.clock.Now()) {
		t.Error("after five minutes the password must be asked again")
	}
	_, err := h.ConfirmPassword(context.Background(), session, secret("wrong password"))
	invalid(t, err, "current_password")

	confirmed, err := h.ConfirmPassword(context.Background(), session, secret(goodPassword))
	if err != nil {
		t.Fatal(err)
	}
	if !identity.Confirmed(confirmed, h.clock.Now()) || h.lives(session) || !h.lives(confirmed) || confirmed.ID != session.ID {
		t.Error("the same session must go on, confirmed, under a new key")
	}
	var actions []string
	for _, e := range h.trail() {
		actions = append(actions, e.Action)
	}
	want := "user.created user.signed_in user.confirmation_failed user.password_confirmed"
	if got := strings.Join(actions, " "); got != want {
		t.Errorf("trail %s, want %s", got, want)
	}
}

func TestOwnPasswordNeedsTheOldOneAndEndsOtherSessions(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	h.somebody("ana", identity.Administrator)
	here, there := h.signIn("ana"), h.signIn("ana")
	const wanted = "eight lamps over the river"

	_, err := h.ChangePassword(ctx, here, secret(""), secret("short"))
	invalid(t, err, "current_password")
	invalid(t, err, "new_password")
	_, err = h.ChangePassword(ctx, here, secret("wrong password"), secret(wanted))
	invalid(t, err, "current_password")

	renewed, err := h.ChangePassword(ctx, here, secret(goodPassword), secret(wanted))
	if err != nil {
		t.Fatal(err)
	}
	if h.lives(here) || h.lives(there) || !h.lives(renewed) {
		t.Error("only this session must go on, under a new key")
	}
	if _, err := h.attempt("ana", goodPassword); err == nil {
		t.Error("the old password still works")
	}
	if _, err := h.attempt("ana", wanted); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestSigningOut(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	ana, ben := h.somebody("ana", identity.Administrator), h.somebody("ben", identity.Operator)
	one, two, three := h.signIn("ana"), h.signIn("ana"), h.signIn("ana")
	bens := h.signIn("ben")

	if err := h.SignOut(ctx, one); err != nil || h.lives(one) || !h.lives(two) {
		t.Errorf("sign out ends this session only (%v)", err)
	}
	list, err := h.Sessions(ctx, ana.ID)
	if err != nil || len(list) != 2 {
		t.Fatalf("lists %d sessions (%v), want 2", len(list), err)
	}
	if err := h.SignOutOf(ctx, ben, two.ID); !errors.Is(err, problem.ErrNotFound) || !h.lives(two) {
		t.Errorf("ben must not end ana's session (%v)", err)
	}
	if err := h.SignOutOf(ctx, ana, two.ID); err != nil || h.lives(two) {
		t.Errorf("ana ends her own session (%v)", err)
	}
	if n, err := h.SignOutEverywhere(ctx, ana); err != nil || n != 1 || h.lives(three) || !h.lives(bens) {
		t.Errorf("everywhere ended %d sessions (%v)", n, err)
	}
}

func TestRunRemovesWhatHasExpired(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	h.signIn("ana")
	_, _ = h.attempt("ben", "wrong password")
	h.clock.pass(13 * time.Hour)

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	deadline := time.After(time.Minute)
	for h.count(`select (select count(*) from session) + (select count(*) from sign_in_failure)`) > 0 {
		select {
		case <-deadline:
			t.Fatal("expired rows are still there")
		default:
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
