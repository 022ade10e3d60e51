package identity_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/identity"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
)

// invitingHouse keeps the invitations that it sends.
func invitingHouse(t *testing.T) (*house, *[]identity.Invitation) {
	t.Helper()
	t.Parallel()
	sent, mu := &[]identity.Invitation{}, new(sync.Mutex)
	c := &clock{now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	pool := pgtest.New(t)
	return &house{t: t, pool: pool, clock: c, Service: identity.New(pool, identity.Options{
		Clock: c.Now, PasswordCost: quick, SendInvitation: func(_ context.Context, _ pgx.Tx, i identity.Invitation) error {
			mu.Lock()
			defer mu.Unlock()
			*sent = append(*sent, i)
			return nil
		},
	})}, sent
}

func TestAnUnknownApproverIsInvitedOnce(t *testing.T) {
	h, sent := invitingHouse(t)
	var wait sync.WaitGroup
	ids := make(chan int64, 8)
	for range 8 {
		wait.Go(func() {
			u, err := h.MemberByEmail(t.Context(), "Ana Souza", "Ana@Example.com")
			if err != nil || u.Role != identity.Member || u.Username != "ana@example.com" {
				t.Errorf("%+v, %v", u, err)
			}
			ids <- u.ID
		})
	}
	wait.Wait()
	close(ids)
	first := <-ids
	for id := range ids {
		if id != first {
			t.Error("two users were made")
		}
	}
	known := h.somebody("carla", identity.Operator)
	known.Email = "carla@example.com"
	if _, err := h.UpdateUser(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	if u, err := h.MemberByEmail(t.Context(), "Carla", "CARLA@example.com"); err != nil || u.ID != known.ID {
		t.Errorf("%+v, %v", u, err)
	}
	if (*sent)[0].User.ID == 0 {
		t.Errorf("%+v", *sent)
	}
	var kept int
	if err := h.pool.QueryRow(t.Context(), "select count(*) from invitation").Scan(&kept); err != nil || kept != 1 {
		t.Errorf("%d invitations, %v", kept, err)
	}
}

func TestAnInvitationIsUsedOnce(t *testing.T) {
	h, sent := invitingHouse(t)
	u, err := h.MemberByEmail(t.Context(), "Ana", "ana@example.com")
	if err != nil {
		t.Fatal(err)
	}
	first := (*sent)[0].Token
	if err := h.Invite(t.Context(), u.ID); err != nil { // the earlier link ends
		t.Fatal(err)
	}
	if _, err := h.Invited(t.Context(), first); !errors.Is(err, problem.ErrNotFound) {
		t.Error(err)
	}
	token := (*sent)[1].Token
	if found, err := h.Invited(t.Context(), token); err != nil || found.ID != u.ID {
		t.Errorf("%+v, %v", found, err)
	}
	visitor := identity.Visitor{Address: "192.0.2.7"}
	var wrong problem.Invalid
	if _, err := h.AcceptInvitation(t.Context(), token, secret("short"), visitor); !errors.As(err, &wrong) || wrong.For("password") == "" {
		t.Error(err)
	}
	session, err := h.AcceptInvitation(t.Context(), token, secret(goodPassword), visitor)
	if err != nil || session.User.ID != u.ID {
		t.Fatalf("%+v, %v", session, err)
	}
	if _, err := h.AcceptInvitation(t.Context(), token, secret(goodPassword), visitor); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("the link was used twice: %v", err)
	}
	h.signIn("ana@example.com")
}

func TestInvitationsEnd(t *testing.T) {
	h, sent := invitingHouse(t)
	u, err := h.MemberByEmail(t.Context(), "Ana", "ana@example.com")
	if err != nil {
		t.Fatal(err)
	}
	h.clock.pass(8 * 24 * time.Hour)
	if _, err := h.AcceptInvitation(t.Context(), (*sent)[0].Token, secret(goodPassword), identity.Visitor{}); !errors.Is(err, problem.ErrNotFound) {
		t.Error(err)
	}
	if _, err := h.SetActive(t.Context(), u.ID, false); err != nil {
		t.Fatal(err)
	}
	var refused *problem.Refused
	if err := h.Invite(t.Context(), u.ID); !errors.As(err, &refused) {
		t.Error(err)
	}
	if err := newInviteless(h).Invite(t.Context(), u.ID); !errors.As(err, &refused) {
		t.Error(err)
	}
	nobody := h.somebody("diego", identity.Member)
	if err := h.Invite(t.Context(), nobody.ID); !errors.As(err, &refused) {
		t.Errorf("somebody without an address is invited: %v", err)
	}
}

// newInviteless is the same house without mail.
func newInviteless(h *house) *identity.Service {
	return identity.New(h.pool, identity.Options{Clock: h.clock.Now})
}
