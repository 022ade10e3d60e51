package identity

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestPasswordRules(t *testing.T) {
	u := User{Username: "ana.lima", Email: "ana@example.com"}
	for password, want := range map[string]string{
		"seven lamps over the river":       "",
		"Tr0ub4dor&Lighthouse":             "",
		"пароль из семи слов":              "",
		"🦜🦜🌲🌊🌙⭐🔥🍀🎈🎻🚲🧭":                     "",
		strings.Repeat("otter lamp ", 23):  "", // 253 characters
		"":                                 "Enter a password",
		"eleven char":                      "has 11 characters",
		strings.Repeat("otter lamps ", 22): "at most 256",
		"lamps\nover rivers":               "cannot be typed",
		"lamps over \x00 rivers":           "cannot be typed",
		"lamps over \xff rivers":           "cannot be typed",
		"ana.lima12345":                    "little more than",
		"Ana@Example.com1":                 "little more than",
		"Password1234":                     "first that anybody",
		"P@ssw0rd2026!":                    "first that anybody",
		"Welcome2026!!":                    "first that anybody",
		"qwertyuiop12":                     "first that anybody",
		"1q2w3e4r5t6y":                     "first that anybody",
		"123456789012":                     "first that anybody",
		"abcdefghijkl":                     "first that anybody",
		"aaaaaaaaaaaa":                     "first that anybody",
		"abababababab":                     "first that anybody",
	} {
		var wrong problem.Invalid
		checkPassword(&wrong, "password", vault.NewSecret(password), u)
		got := wrong.For("password")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", password, got, want)
		}
	}
}

func TestAHashCarriesItsCost(t *testing.T) {
	ctx, password := context.Background(), vault.NewSecret("caf\u00e9 under the bridge")
	cheap := newHasher(Cost{Memory: 64, Passes: 1, Threads: 1})
	stored, err := cheap.hash(ctx, password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("stored %s", stored)
	}
	if again, _ := cheap.hash(ctx, password); again == stored {
		t.Error("two hashes of one password are equal: no salt")
	}
	for _, typed := range []string{"caf\u00e9 under the bridge", "cafe\u0301 under the bridge"} {
		if ok, outdated, err := cheap.matches(ctx, stored, vault.NewSecret(typed)); !ok || outdated || err != nil {
			t.Errorf("%q: %v %v %v", typed, ok, outdated, err)
		}
	}
	dear := newHasher(Cost{Memory: 128, Passes: 2, Threads: 1})
	if ok, outdated, err := dear.matches(ctx, stored, password); !ok || !outdated || err != nil {
		t.Errorf("at a higher cost: %v %v %v, want it to match and be outdated", ok, outdated, err)
	}
	if ok, _, err := dear.matches(ctx, "", vault.Secret{}); ok || err != nil {
		t.Errorf("nobody's password: %v %v", ok, err)
	}
}

func TestBrokenHashesAreRefused(t *testing.T) {
	good := phc{cost: presentCost, salt: random(16), key: random(32)}.String()
	if p, err := parsePHC(good); err != nil || p.String() != good {
		t.Fatalf("%s became %s (%v)", good, p, err)
	}
	for _, text := range []string{
		"", "$", "password", "$2y$10$abcdefghijklmnopqrstuv",
		strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=19456", "m=4194304", 1), // 4 GiB
		strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "p=1", "p=300", 1),
		good + "$", good[:len(good)-30], strings.Replace(good, "$v", "$$v", 1),
	} {
		if _, err := parsePHC(text); !errors.Is(err, errHash) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add(phc{cost: presentCost, salt: random(16), key: random(32)}.String())
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePHC(text)
		if err == nil && !p.plausible() {
			t.Errorf("%q gave %+v", text, p)
		}
	})
}

func TestOnlySoManyHashesRunAtOnce(t *testing.T) {
	h := newHasher(Cost{Memory: 1024, Passes: 1, Threads: 1})
	var most atomic.Int64
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := h.hash(context.Background(), vault.NewSecret("x")); err != nil {
				t.Error(err)
			}
			most.Store(max(most.Load(), int64(len(h.turns))))
		})
	}
	wg.Wait()
	if got := most.Load(); got > mostHashes {
		t.Errorf("%d hashes ran at once", got)
	}
	for range cap(h.turns) {
		h.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.hash(ctx, vault.NewSecret("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has left: %v", err)
	}
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "@": "@",
	} {
		if got := network(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
