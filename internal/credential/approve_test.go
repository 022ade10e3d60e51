package credential

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/audit"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestSecretGoesOnlyWhereItWasEntered(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	if ok, err := b.Approved(b.ctx(), c.ID, office()); ok || err != nil {
		t.Errorf("approved before the secret was entered: %v, %v", ok, err)
	}
	if got, err := b.opens(c.ID, office()); !errors.Is(err, ErrNotApproved) || got != "" {
		t.Errorf("got %v, want ErrNotApproved", err)
	}
	text := wrongField(t, b.approve(c.ID, office(), vault.Secret{}), "secret")
	if !strings.Contains(text, "smtp.example.com:587") {
		t.Errorf("the sentence does not say for what: %s", text)
	}
	text = wrongField(t, b.approve(c.ID, office(), vault.NewSecret("guess")), "secret")
	if !strings.Contains(text, "not the secret stored in credential Office365") {
		t.Errorf("got %s", text)
	}
	b.must(b.approve(c.ID, office(), theSecret))
	if ok, err := b.Approved(b.ctx(), c.ID, office()); !ok || err != nil {
		t.Errorf("not approved: %v", err)
	}
	username, secret, err := b.Open(b.ctx(), c.ID, office())
	if err != nil || username != "alerts@example.com" || secret.Reveal() != clearText {
		t.Errorf("got %q, %v", username, err)
	}
	b.must(b.approve(c.ID, office(), vault.Secret{})) // asked once only
	wrongField(t, b.approve(c.ID, office(), vault.NewSecret("guess")), "secret")
}

func TestChangedDestinationDoesNotOpen(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	for name, to := range map[string]Destination{
		"host":        with(func(d *Destination) { d.Host = "attacker.example" }),
		"port":        with(func(d *Destination) { d.Port = 2525 }),
		"no TLS":      with(func(d *Destination) { d.TLS = "" }),
		"certificate": with(func(d *Destination) { d.Certificate = "ignore" }),
		"username":    with(func(d *Destination) { d.Username = "root" }),
	} {
		if got, err := b.opens(c.ID, to); !errors.Is(err, ErrNotApproved) || got != "" {
			t.Errorf("%s: got %v, want ErrNotApproved", name, err)
		}
		if ok, err := b.Approved(b.ctx(), c.ID, to); ok || err != nil {
			t.Errorf("%s: approved %v, %v", name, ok, err)
		}
	}
	if got, err := b.opens(c.ID, with(func(d *Destination) { d.Username, d.Host = "", "SMTP.example.com." })); got != clearText {
		t.Errorf("another spelling does not open: %v", err)
	}
}

// TestMovedCopyDoesNotOpen is what an attacker with the database, but without the key file, would try.
func TestMovedCopyDoesNotOpen(t *testing.T) {
	b := newBench(t)
	c, other := b.create("Office365", "alerts@example.com"), b.create("Other", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	attacker := with(func(d *Destination) { d.Host = "attacker.example" })
	b.exec(`update credential_secret set destination = $1 where destination = $2`, attacker.String(), office().String())
	if got, err := b.opens(c.ID, attacker); !errors.Is(err, vault.ErrDoesNotOpen) || got != "" {
		t.Errorf("another destination: got %v, want ErrDoesNotOpen", err)
	}
	b.exec(`update credential_secret set credential_id = $1, destination = $3 where destination = $2`, other.ID, attacker.String(), office().String())
	if got, err := b.opens(other.ID, office()); !errors.Is(err, vault.ErrDoesNotOpen) || got != "" {
		t.Errorf("another credential: got %v, want ErrDoesNotOpen", err)
	}
	if _, rows := b.trail(); rows[0].Action == "credential.used" {
		t.Error("what did not open was recorded as used")
	}
}

func TestSelfNeedsNoSecret(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, Self, vault.Secret{}))
	if ok, err := b.Approved(b.ctx(), c.ID, Self); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if err := b.approve(99, office(), theSecret); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if _, err := b.Approved(b.ctx(), 99, office()); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestPlacesSayWhereASecretMayGo(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	b.must(b.approve(c.ID, Destination{Host: "relay.example", Port: 25}, theSecret))
	_, err := b.opens(c.ID, office())
	b.must(err)
	places, err := b.Places(b.ctx(), c.ID)
	if err != nil || len(places) != 2 || places[0].Label != "relay.example:25, not encrypted" || places[1].Label != office().Label() {
		t.Fatalf("got %+v, %v", places, err)
	}
	if places[0].LastUsedAt != nil || places[1].LastUsedAt == nil {
		t.Error("the wrong place was used")
	}
	other := b.create("Relay", "orbit")
	b.must(b.approve(other.ID, Destination{Host: "relay.example", Port: 2525}, theSecret))
	all, err := b.PlacesOf(b.ctx(), []int64{c.ID, other.ID})
	if err != nil || len(all[c.ID]) != 2 || len(all[other.ID]) != 1 || all[other.ID][0].Label != "relay.example:2525, not encrypted" {
		t.Errorf("got %+v, %v", all, err)
	}
	if c, err = b.Find(b.ctx(), c.ID); err != nil || c.LastUsedAt == nil {
		t.Errorf("got %+v, %v; want when it was used last", c, err)
	}
}

// TestBulkUseDoesNotBuryTheTrail moves the Service's clock instead of waiting.
func TestBulkUseDoesNotBuryTheTrail(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	clock := time.Now()
	b.now = func() time.Time { return clock }
	touched := func() (at time.Time) {
		b.must(b.pool.QueryRow(b.ctx(), `select max(last_used_at) from credential_secret`).Scan(&at))
		return at
	}
	for range 50 {
		_, err := b.opens(c.ID, office())
		b.must(err)
	}
	first := touched()
	if n := b.count(`select count(*) from audit_entry where action = 'credential.used'`); n != 1 {
		t.Errorf("50 mails left %d entries, want 1", n)
	}
	clock = clock.Add(touchEvery)
	_, err := b.opens(c.ID, office())
	b.must(err)
	if !touched().After(first) {
		t.Error("after a minute the last use was not noted")
	}
	worker := audit.WithActor(b.ctx(), audit.Actor{Kind: audit.System, Name: "orbit"})
	_, _, err = b.Open(worker, c.ID, office())
	b.must(err)
	clock = clock.Add(recordEvery)
	_, err = b.opens(c.ID, office())
	b.must(err)
	if n := b.count(`select count(*) from audit_entry where action = 'credential.used'`); n != 3 {
		t.Errorf("%d entries, want one for each actor and hour", n)
	}
}

func TestUseWithAReasonIsAlwaysRecorded(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	for range 3 {
		_, _, err := b.Open(WithReason(b.ctx(), "test of SMTP account Office365"), c.ID, office())
		b.must(err)
	}
	actions, rows := b.trail()
	if n := len(slices.DeleteFunc(actions, func(a string) bool { return a != "credential.used" })); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	if got := fmt.Sprint(rows[0].Detail); got != "map[destination:smtp.example.com:587, STARTTLS reason:test of SMTP account Office365]" {
		t.Errorf("got %s", got)
	}
}

func TestUnrecordedUseHandsOutNothing(t *testing.T) {
	b := newBench(t)
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))
	b.exec(`alter table audit_entry add constraint full_disk check (action <> 'credential.used')`)
	if got, err := b.opens(c.ID, office()); err == nil || got != "" {
		t.Errorf("got %q, %v; want an error and no secret", got, err)
	}
	b.exec(`alter table audit_entry drop constraint full_disk`)
	_, err := b.opens(c.ID, office())
	b.must(err)
	if n := b.count(`select count(*) from audit_entry where action = 'credential.used'`); n != 1 {
		t.Errorf("%d entries, want 1: the failed one does not count", n)
	}
}

func TestRememberedUsesAreBounded(t *testing.T) {
	t.Parallel()
	var u uses
	now := time.Now()
	for i := range 3 * maxUses {
		if !u.due(use{id: int64(i)}, now, time.Minute) {
			t.Fatal("a new use is not due")
		}
	}
	if len(u.last) > maxUses {
		t.Errorf("%d uses are remembered", len(u.last))
	}
	if u.due(use{id: 3*maxUses - 1}, now, time.Minute) {
		t.Error("the latest use was forgotten")
	}
}
