package credential

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"orbit/internal/vault"
)

func (b *bench) openBox(keyFile string) *vault.Box {
	b.t.Helper()
	box, _, err := OpenBox(b.ctx(), b.pool, keyFile)
	b.must(err)
	return box
}

func TestFirstStartMakesKeysAndLaterOnesOpenThem(t *testing.T) {
	b := newBench(t)
	keyFile := filepath.Join(t.TempDir(), "keys", "keyset.key")
	box, created, err := OpenBox(b.ctx(), b.pool, keyFile)
	if err != nil || !created {
		t.Fatalf("first start: created %v, %v", created, err)
	}
	b.Service = New(b.pool, box)
	c := b.create("Office365", "alerts@example.com")
	box, created, err = OpenBox(b.ctx(), b.pool, keyFile)
	if err != nil || created {
		t.Fatalf("second start: created %v, %v", created, err)
	}
	if got, err := New(b.pool, box).open(b.ctx(), b.pool, c.ID, Self); got.Reveal() != clearText {
		t.Errorf("the secret does not open after a restart: %v", err)
	}
}

func TestDatabaseWithKeysIsNeverGivenNewOnes(t *testing.T) {
	b := newBench(t)
	keyFile := filepath.Join(t.TempDir(), "keyset.key")
	b.openBox(keyFile)
	b.must(os.Rename(keyFile, keyFile+".lost"))
	if _, _, err := OpenBox(b.ctx(), b.pool, keyFile); !errors.Is(err, vault.ErrKeyFileMissing) {
		t.Errorf("got %v, want ErrKeyFileMissing", err)
	}
	if _, err := os.Stat(keyFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key file appeared: %v", err)
	}
	_, err := vault.CreateKeyFile(keyFile)
	b.must(err)
	if _, _, err := OpenBox(b.ctx(), b.pool, keyFile); !errors.Is(err, vault.ErrWrongKeyFile) {
		t.Errorf("got %v, want ErrWrongKeyFile", err)
	}
	b.must(os.Rename(keyFile+".lost", keyFile))
	b.openBox(keyFile)
}

func TestSecretsWithoutKeysAreNoFirstStart(t *testing.T) {
	b := newBench(t)
	keyFile := filepath.Join(t.TempDir(), "keyset.key")
	b.Service = New(b.pool, b.openBox(keyFile))
	b.create("Office365", "alerts@example.com")
	b.exec(`delete from vault_keyset`)
	if _, _, err := OpenBox(b.ctx(), b.pool, keyFile); !errors.Is(err, ErrKeysetLost) {
		t.Errorf("got %v, want ErrKeysetLost", err)
	}
}

func TestKeyFileOfAnEmptyDatabaseIsUsedAgain(t *testing.T) {
	b := newBench(t)
	keyFile := filepath.Join(t.TempDir(), "keyset.key")
	_, err := vault.CreateKeyFile(keyFile)
	b.must(err)
	before, err := os.ReadFile(keyFile)
	b.must(err)
	if _, created, err := OpenBox(b.ctx(), b.pool, keyFile); created || err != nil {
		t.Errorf("created %v, %v; want the present file used", created, err)
	}
	if after, _ := os.ReadFile(keyFile); string(after) != string(before) {
		t.Error("the key file was changed")
	}
}

func TestProcessesThatStartTogetherShareTheKeys(t *testing.T) {
	b := newBench(t)
	keyFile := filepath.Join(t.TempDir(), "keyset.key")
	boxes := make([]*vault.Box, 6)
	var creators atomic.Int32
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			box, created, err := OpenBox(b.ctx(), b.pool, keyFile)
			if err != nil {
				t.Error(err)
			}
			if created {
				creators.Add(1)
			}
			boxes[i] = box
		})
	}
	wg.Wait()
	if t.Failed() || creators.Load() != 1 {
		t.Fatalf("%d processes say they made the key file, want 1", creators.Load())
	}
	sealed, err := boxes[0].Seal(theSecret, binding(1, selfText))
	b.must(err)
	for _, box := range boxes {
		if _, err := box.Open(sealed, binding(1, selfText)); err != nil {
			t.Error(err)
		}
	}
}

func TestRotationReachesRunningProcessesAndReseals(t *testing.T) {
	b := newBench(t)
	keyFile := filepath.Join(t.TempDir(), "keyset.key")
	b.Service = New(b.pool, b.openBox(keyFile))
	other := New(b.pool, b.openBox(keyFile)) // another process, started before
	c := b.create("Office365", "alerts@example.com")
	b.must(b.approve(c.ID, office(), theSecret))

	b.must(RotateKeys(b.ctx(), b.pool, b.box))
	for _, want := range []int{2, 0} {
		if n, err := b.Reseal(b.ctx()); n != want || err != nil {
			t.Errorf("resealed %d copies, %v; want %d", n, err, want)
		}
	}
	for _, s := range []*Service{b.Service, other, New(b.pool, b.openBox(keyFile))} {
		if _, secret, err := s.Open(b.ctx(), c.ID, office()); secret.Reveal() != clearText {
			t.Errorf("does not open after the rotation: %v", err)
		}
	}
	b.must(RotateKeys(b.ctx(), b.pool, other.box)) // a second rotation builds on the first
	if n, err := other.Reseal(b.ctx()); n != 2 || err != nil {
		t.Errorf("resealed %d copies, %v; want 2", n, err)
	}
	if got, err := b.opens(c.ID, office()); got != clearText {
		t.Errorf("does not open after the second rotation: %v", err)
	}
	if actions, _ := b.trail(); actions[2] != "vault_keyset.rotated" {
		t.Errorf("got %v, want the rotation in the trail", actions)
	}
}

func TestKeyFileCanBeChanged(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	b.Service = New(b.pool, b.openBox(dir+"/old.key"))
	c := b.create("Office365", "alerts@example.com")
	b.must(ChangeKeyFile(b.ctx(), b.pool, b.box, dir+"/new.key"))
	if _, _, err := OpenBox(b.ctx(), b.pool, dir+"/old.key"); !errors.Is(err, vault.ErrWrongKeyFile) {
		t.Errorf("the old file: got %v, want ErrWrongKeyFile", err)
	}
	if got, err := New(b.pool, b.openBox(dir+"/new.key")).open(b.ctx(), b.pool, c.ID, Self); got.Reveal() != clearText {
		t.Errorf("the new file: %v", err)
	}
	if got, err := b.opens(c.ID, Self); got != clearText {
		t.Errorf("the running process: %v", err)
	}
}
