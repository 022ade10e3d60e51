package identity

import (
	"context"
	"strings"
	"testing"

	"orbit/internal/postgres/pgtest"
	"orbit/internal/vault"
)

func TestSignInHashesAgainWhenTheCostHasRisen(t *testing.T) {
	t.Parallel()
	ctx, pool, password := context.Background(), pgtest.New(t), vault.NewSecret("seven lamps over the river")
	s := New(pool, Options{})
	s.hashes = newHasher(Cost{Memory: 64, Passes: 1, Threads: 1})
	if _, err := s.CreateUser(ctx, User{Username: "ana", Role: Member}, password); err != nil {
		t.Fatal(err)
	}
	stored := func() string {
		u, err := selectUserByName(ctx, pool, "ana")
		if err != nil {
			t.Fatal(err)
		}
		return u.PasswordHash
	}
	old := stored()
	s.hashes = newHasher(presentCost)
	for round := range 2 {
		if _, err := s.SignIn(ctx, Attempt{Username: "ana", Password: password}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if now := stored(); now == old || !strings.HasPrefix(now, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("stored %s", now)
	}
}
