package identity_test

import (
	"context"
	"testing"

	"orbit/internal/identity"
	"orbit/internal/postgres/pgtest"
)

// BenchmarkFindSession is what each request pays for being signed in.
func BenchmarkFindSession(b *testing.B) {
	ctx, service := context.Background(), identity.New(pgtest.New(b), identity.Options{})
	if _, err := service.CreateUser(ctx, identity.User{Username: "ana", Role: identity.Member}, secret(goodPassword)); err != nil {
		b.Fatal(err)
	}
	session, err := service.SignIn(ctx, identity.Attempt{Username: "ana", Password: secret(goodPassword)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := service.FindSession(ctx, session.Key); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignIn is what a try at the door costs, in time and memory.
func BenchmarkSignIn(b *testing.B) {
	ctx, service := context.Background(), identity.New(pgtest.New(b), identity.Options{})
	if _, err := service.CreateUser(ctx, identity.User{Username: "ana", Role: identity.Member}, secret(goodPassword)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := service.SignIn(ctx, identity.Attempt{Username: "ana", Password: secret(goodPassword)}); err != nil {
			b.Fatal(err)
		}
	}
}
