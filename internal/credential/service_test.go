package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestCreatedCredentialIsListedWithoutItsSecret(t *testing.T) {
	b := newBench(t)
	created := b.create("  Office365 ", " alerts@example.com\n")
	if created.Name != "Office365" || created.Username != "alerts@example.com" || created.Version != 1 || created.ChangedBy != "ana" {
		t.Errorf("got %+v", created)
	}
	b.create("backup", "root")
	list, err := b.List(b.ctx())
	if err != nil || len(list) != 2 || list[0].Name != "backup" || list[1].ID != created.ID {
		t.Errorf("got %+v, %v; want both by name", list, err)
	}
	found, err := b.Find(b.ctx(), created.ID)
	if err != nil || found.Name != "Office365" || found.LastUsedAt != nil {
		t.Errorf("got %+v, %v", found, err)
	}
	if _, err := b.Find(b.ctx(), 99); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	b := newBench(t)
	_, err := b.Create(b.ctx(), " ", "a\nb", vault.Secret{})
	for _, field := range []string{"name", "username", "secret"} {
		wrongField(t, err, field)
	}
	for field, tt := range map[string]struct{ name, username, secret string }{
		"name":     {strings.Repeat("ü", 101), "u", "s"},
		"username": {"n", strings.Repeat("a", 321), "s"},
		"secret":   {"n", "u", "a\x00b"},
	} {
		_, err := b.Create(b.ctx(), tt.name, tt.username, vault.NewSecret(tt.secret))
		wrongField(t, err, field)
	}
	for _, bad := range []string{strings.Repeat("s", maxSecret+1), "\xff"} {
		_, err := b.Create(b.ctx(), "n", "u", vault.NewSecret(bad))
		if text := wrongField(t, err, "secret"); strings.Contains(text, bad) {
			t.Errorf("the sentence shows the secret: %s", text)
		}
	}
	if actions, _ := b.trail(); len(actions) != 0 {
		t.Errorf("refused inputs left %v", actions)
	}
}

func TestNameIsUsedOnce(t *testing.T) {
	b := newBench(t)
	b.create("Office365", "a")
	other := b.create("Other", "a")
	_, err := b.Create(b.ctx(), "office365", "b", theSecret)
	wrongField(t, err, "name")
	other.Name = "OFFICE365"
	_, err = b.Update(b.ctx(), other, vault.Secret{})
	wrongField(t, err, "name")
}

func TestRenamingKeepsTheSecret(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	c.Name = "Microsoft"
	after, err := b.Update(b.ctx(), c, vault.Secret{})
	if err != nil || after.Name != "Microsoft" || after.Version != 2 {
		t.Fatalf("got %+v, %v", after, err)
	}
	if got, err := b.opens(c.ID, office()); got != clearText {
		t.Errorf("the secret is gone: %v", err)
	}
	same, err := b.Update(b.ctx(), after, vault.Secret{})
	if err != nil || same.Version != 2 {
		t.Errorf("saving without a change made version %d, %v", same.Version, err)
	}
}

func TestAnotherUsernameNeedsTheSecretAndNewApprovals(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	c.Username = "mallory@example.com"
	_, err := b.Update(b.ctx(), c, vault.Secret{})
	wrongField(t, err, "secret")

	after, err := b.Update(b.ctx(), c, vault.NewSecret("hers"))
	b.must(err)
	for _, username := range []string{"", "alerts@example.com", "mallory@example.com"} {
		to := office()
		to.Username = username
		if got, err := b.opens(c.ID, to); !errors.Is(err, ErrNotApproved) || got != "" {
			t.Errorf("as %q the destination is still open: %v", username, err)
		}
	}
	if b.verified(New(b.pool, b.box), "alerts@example.com", clearText) || !b.verified(New(b.pool, b.box), "mallory@example.com", "hers") {
		t.Error("own listeners do not follow the new username")
	}
	if err := b.approve(after.ID, Destination{Host: "x", Username: "alerts@example.com"}, theSecret); err == nil {
		t.Error("approved for the username of before")
	}
}

func TestReplacingTheSecretReachesEveryDestination(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	relay := Destination{Host: "relay.example", Port: 25}
	b.must(b.approve(c.ID, office(), theSecret))
	b.must(b.approve(c.ID, relay, theSecret))
	after, err := b.ReplaceSecret(b.ctx(), c.ID, c.Version, vault.NewSecret("new"))
	if err != nil || after.Version != 2 {
		t.Fatalf("got %+v, %v", after, err)
	}
	for _, to := range []Destination{office(), relay, Self} {
		if got, err := b.opens(c.ID, to); got != "new" {
			t.Errorf("%s: got %q, %v; want the new secret", to.Label(), got, err)
		}
	}
	_, err = b.ReplaceSecret(b.ctx(), c.ID, 0, vault.Secret{})
	wrongField(t, err, "secret")
	if _, err := b.ReplaceSecret(b.ctx(), 99, 0, theSecret); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestSecondEditorIsToldWhatDiffers(t *testing.T) {
	b := newBench(t)
	first := b.create("Office365", "alerts@example.com")
	second := first
	first.Name = "Microsoft"
	_, err := b.Update(b.ctx(), first, vault.Secret{})
	b.must(err)
	second.Name = "Mail"
	_, err = b.Update(b.ctx(), second, vault.Secret{})
	var conflict *problem.Conflict
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	want := []problem.Change{{Field: "name", Label: "Name", Stored: "Microsoft", Yours: "Mail"}}
	if conflict.Who != "ana" || !slices.Equal(conflict.Changed, want) {
		t.Errorf("got %+v", conflict)
	}
	if _, err := b.ReplaceSecret(b.ctx(), first.ID, 1, theSecret); !errors.As(err, &conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	if err := b.Delete(b.ctx(), first.ID, 1); !errors.As(err, &conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestDeletingIsRefusedWhileInUse(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	insert := `insert into smtp_account (account_name, sender_email, smtp_host, port, credential_id) values ($1, 'a@b', 'h', 25, $2)`
	b.exec(insert, "Alerts", c.ID)

	var refused *problem.Refused
	if err := b.Delete(b.ctx(), c.ID, 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("by the constraint alone: got %v, want a refusal", err)
	}
	b.UsedBy = func(_ context.Context, ids []int64) (map[int64][]Use, error) {
		var all []Use
		for i := range 7 {
			all = append(all, Use{What: "SMTP account", Name: fmt.Sprint("A", i)})
		}
		return map[int64][]Use{ids[0]: all}, nil
	}
	if err := b.Delete(b.ctx(), c.ID, 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), "SMTP account A0, SMTP account A1") || !strings.Contains(err.Error(), "and 2 more") {
		t.Errorf("got %v, want the names", err)
	}
	list, err := b.List(b.ctx())
	if err != nil || len(list[0].UsedBy) != 7 {
		t.Errorf("got %+v, %v; want the uses", list, err)
	}
	b.UsedBy = nil
	b.exec(`delete from smtp_account`)
	b.must(b.Delete(b.ctx(), c.ID, c.Version))
	if n := b.count(`select count(*) from credential_secret`); n != 0 {
		t.Errorf("%d copies are left", n)
	}
	if err := b.Delete(b.ctx(), c.ID, 0); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestTrailTellsEveryChangeAndNoSecret(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	b.must(b.approve(c.ID, office(), theSecret)) // nothing new
	c.Username = "other@example.com"
	c, err := b.Update(b.ctx(), c, vault.NewSecret("second"))
	b.must(err)
	_, err = b.ReplaceSecret(b.ctx(), c.ID, 0, vault.NewSecret("third"))
	b.must(err)
	b.must(b.Delete(b.ctx(), c.ID, 0))
	actions, rows := b.trail()
	want := []string{"credential.created", "credential.approved", "credential.changed", "credential.secret_replaced", "credential.deleted"}
	if !slices.Equal(actions, want) {
		t.Errorf("got %v, want %v", actions, want)
	}
	all, err := json.Marshal(rows)
	b.must(err)
	for _, secret := range []string{clearText, "second", "third"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the trail shows %q: %s", secret, all)
		}
	}
	if got := fmt.Sprint(rows[2].Detail); got != "map[secret:replaced username:map[now:other@example.com was:alerts@example.com]]" {
		t.Errorf("got %s", got)
	}
}

func TestParallelEditsNeverMixSecrets(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			to := Destination{Host: fmt.Sprintf("relay%d.example", i), Port: 25}
			var wrong problem.Invalid
			if err := b.approve(c.ID, to, theSecret); err != nil && !errors.As(err, &wrong) {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := b.ReplaceSecret(b.ctx(), c.ID, 0, vault.NewSecret(fmt.Sprint("secret ", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want, err := b.opens(c.ID, Self)
	b.must(err)
	copies, err := selectCopies(b.ctx(), b.pool, c.ID, unlocked)
	b.must(err)
	for _, row := range copies {
		got, err := b.box.Open(row.Sealed, binding(c.ID, row.Destination))
		if err != nil || got.Reveal() != want {
			t.Errorf("%s holds %q, %v; want %q like all others", row.Destination, got.Reveal(), err, want)
		}
	}
}

func TestDumpOfTheDatabaseHoldsNoSecret(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	_, err := b.opens(c.ID, office())
	b.must(err)
	dump := b.dump()
	if !strings.Contains(dump, "alerts@example.com") {
		t.Fatal("the dump is empty")
	}
	for _, form := range []string{clearText, fmt.Sprintf("%x", clearText)} {
		if strings.Contains(dump, form) {
			t.Errorf("the dump shows the secret as %s", form)
		}
	}
}
