package credential

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"orbit/internal/vault"
)

func TestSignInNeedsARegisteredCredential(t *testing.T) {
	b := newBench(t)
	b.create("Office365", "Alerts@Example.com")
	_, err := b.Create(b.ctx(), "Second", "alerts@example.com", vault.NewSecret("second"))
	b.must(err)
	for _, tt := range []struct {
		username, secret string
		want             bool
	}{
		{"alerts@example.com", clearText, true},
		{"ALERTS@EXAMPLE.COM", "second", true},
		{"alerts@example.com", "wrong", false},
		{"alerts@example.com", "", false},
		{"alerts@example.com", clearText + "x", false},
		{"nobody@example.com", clearText, false},
		{"", "", false},
		{" alerts@example.com", clearText, false},
	} {
		if got := b.verified(b.Service, tt.username, tt.secret); got != tt.want {
			t.Errorf("%q with %q: %v, want %v", tt.username, tt.secret, got, tt.want)
		}
	}
}

// TestChangedSecretCountsInEveryProcess uses two Services as two processes; their clock moves by a second.
func TestChangedSecretCountsInEveryProcess(t *testing.T) {
	b := newBench(t)
	clock := time.Now()
	ours, theirs := b.Service, New(b.pool, b.box)
	ours.now = func() time.Time { return clock }
	theirs.now = ours.now
	c := b.create("Office365", "alerts@example.com")
	both := func(secret string, want bool) {
		t.Helper()
		clock = clock.Add(time.Second)
		for _, s := range []*Service{ours, theirs} {
			if got := b.verified(s, "alerts@example.com", secret); got != want {
				t.Errorf("%q: %v, want %v", secret, got, want)
			}
		}
	}
	both(clearText, true)
	_, err := ours.ReplaceSecret(b.ctx(), c.ID, 0, vault.NewSecret("new"))
	b.must(err)
	both(clearText, false)
	both("new", true)
	b.must(theirs.Delete(b.ctx(), c.ID, 0))
	both("new", false)
	b.create("Again", "alerts@example.com")
	both(clearText, true)
}

func TestSignInsAreVerifiedInMemory(t *testing.T) {
	b := newBench(t)
	b.create("Office365", "alerts@example.com")
	clock := time.Now()
	b.now = func() time.Time { return clock }
	b.verified(b.Service, "alerts@example.com", clearText)
	b.pool.Close()
	if !b.verified(b.Service, "alerts@example.com", clearText) {
		t.Error("a fresh login was not verified")
	}
	clock = clock.Add(time.Second)
	if _, err := b.Verify(b.ctx(), "alerts@example.com", theSecret); err == nil {
		t.Error("without a database an old login was trusted")
	}
}

func TestBrokenCopyLocksOutItsOwnCredentialOnly(t *testing.T) {
	b := newBench(t)
	broken, _ := b.create("Broken", "broken"), b.create("Fine", "fine")
	b.exec(`update credential_secret set sealed = 'x' where credential_id = $1`, broken.ID)
	if !b.verified(b.Service, "fine", clearText) {
		t.Error("the other credential is locked out")
	}
	if ok, err := b.Verify(b.ctx(), "broken", theSecret); ok || !errors.Is(err, vault.ErrDoesNotOpen) {
		t.Errorf("got %v, %v; want ErrDoesNotOpen", ok, err)
	}
}

func TestWaitingForLoginsEndsWithTheContext(t *testing.T) {
	b := newBench(t)
	b.loginsRun <- struct{}{} // somebody else is asking the database
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	if _, err := b.Verify(ctx, "alerts@example.com", theSecret); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestManySignInsAtOnce(t *testing.T) {
	b := newBench(t)
	b.create("Office365", "alerts@example.com")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if ok, err := b.Verify(b.ctx(), "alerts@example.com", theSecret); !ok || err != nil {
				t.Errorf("got %v, %v", ok, err)
			}
		})
	}
	wg.Wait()
}
