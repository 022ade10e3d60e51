package identity_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/internal/problem"
)

func TestATokenIsShownOnceAndOpensUntilItIsRevoked(t *testing.T) {
	h := newHouse(t)
	ctx := audit.WithActor(context.Background(), audit.Actor{Kind: audit.Command, Name: "root"})
	made, text, err := h.CreateToken(ctx, identity.Token{Name: " backup script ", Role: identity.Operator})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^orbit_[0-9A-Za-z]{43}$`).MatchString(text.Reveal()) {
		t.Errorf("the token has an odd form, %d bytes", len(text.Reveal()))
	}
	if made.Name != "backup script" || made.CreatedBy != "root" {
		t.Errorf("made %+v", made)
	}
	if e := h.lastEntry(); e.Action != "api_token.created" || e.ObjectName != "backup script" {
		t.Errorf("audit entry %+v", e)
	}
	found, err := h.FindToken(ctx, text)
	if err != nil || found.ID != made.ID || found.Role != identity.Operator {
		t.Fatalf("found %+v (%v)", found, err)
	}
	for _, other := range []string{"", "orbit_", text.Reveal() + "0", text.Reveal()[6:]} {
		if _, err := h.FindToken(ctx, secret(other)); !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("another text: %v", err)
		}
	}
	if err := h.RevokeToken(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.FindToken(ctx, text); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("revoked: %v", err)
	}
	if e := h.lastEntry(); e.Action != "api_token.revoked" || e.Actor.Name != "root" {
		t.Errorf("audit entry %+v", e)
	}
	if err := h.RevokeToken(ctx, made.ID); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("revoked twice: %v", err)
	}
}

func TestATokenExpires(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	end := h.clock.Now().Add(time.Hour)
	_, text, err := h.CreateToken(ctx, identity.Token{Name: "short", Role: identity.Auditor, ExpiresAt: &end})
	if err != nil {
		t.Fatal(err)
	}
	h.clock.pass(time.Hour - time.Second)
	if _, err := h.FindToken(ctx, text); err != nil {
		t.Errorf("before its end: %v", err)
	}
	h.clock.pass(time.Second)
	if _, err := h.FindToken(ctx, text); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
	tokens, err := h.Tokens(ctx)
	if err != nil || len(tokens) != 1 || !tokens[0].Expired(h.clock.Now()) {
		t.Errorf("lists %+v (%v)", tokens, err)
	}
	_, _, err = h.CreateToken(ctx, identity.Token{Role: "king", ExpiresAt: &end})
	for _, field := range []string{"name", "role", "expires_at"} {
		invalid(t, err, field)
	}
	_, _, err = h.CreateToken(ctx, identity.Token{Name: "SHORT", Role: identity.Auditor})
	invalid(t, err, "name")
}

func TestTokenUseIsNotedAtMostOnceAMinute(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	made, text, err := h.CreateToken(ctx, identity.Token{Name: "busy", Role: identity.Auditor})
	if err != nil {
		t.Fatal(err)
	}
	used := func() time.Time {
		if _, err := h.FindToken(ctx, text); err != nil {
			t.Fatal(err)
		}
		stored, err := h.Token(ctx, made.ID)
		if err != nil || stored.LastUsedAt == nil {
			t.Fatalf("stored %+v (%v)", stored, err)
		}
		return *stored.LastUsedAt
	}
	first := used()
	h.clock.pass(59 * time.Second)
	if !used().Equal(first) {
		t.Error("noted within the minute")
	}
	h.clock.pass(time.Second)
	if !used().Equal(first.Add(time.Minute)) {
		t.Error("not noted after a minute")
	}
}
