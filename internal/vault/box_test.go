package vault

import (
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
)

var place = Binding{Table: "credential_secret", Row: 7, Destination: "smtp.example.com:587"}

func seal(t *testing.T, b *Box, s Secret, at Binding) Sealed {
	t.Helper()
	sealed, err := b.Seal(s, at)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealedSecretOpensAtItsPlace(t *testing.T) {
	b := NewTestBox()
	for _, clear := range []string{clearText, "ü€\x00\n", strings.Repeat("long", 10_000)} {
		got, err := b.Open(seal(t, b, NewSecret(clear), place), place)
		if err != nil || got.Reveal() != clear {
			t.Errorf("opened %d bytes, %v; want the %d sealed ones", len(got.Reveal()), err, len(clear))
		}
	}
}

func TestMovedOrChangedValueStaysShut(t *testing.T) {
	b := NewTestBox()
	sealed := seal(t, b, NewSecret(clearText), place)
	if strings.Contains(string(sealed), clearText) {
		t.Fatal("the sealed value holds the clear text")
	}
	moved := map[string]Binding{
		"another row":         {place.Table, 8, place.Destination},
		"another table":       {"oauth_client", place.Row, place.Destination},
		"another destination": {place.Table, place.Row, "attacker.example:587"},
		"text moved over":     {place.Table + "x", place.Row, place.Destination[1:]},
	}
	for name, at := range moved {
		if s, err := b.Open(sealed, at); !errors.Is(err, ErrDoesNotOpen) || !s.IsZero() {
			t.Errorf("%s: got %v, %v; want ErrDoesNotOpen", name, s, err)
		}
	}
	for i := range sealed {
		changed := append(Sealed(nil), sealed...)
		changed[i] ^= 1
		if _, err := b.Open(changed, place); !errors.Is(err, ErrDoesNotOpen) {
			t.Fatalf("changed byte %d: got %v, want ErrDoesNotOpen", i, err)
		}
	}
	for _, short := range []Sealed{nil, {}, sealed[:4], sealed[:5], sealed[:20]} {
		if _, err := b.Open(short, place); !errors.Is(err, ErrDoesNotOpen) {
			t.Errorf("%d bytes: got %v, want ErrDoesNotOpen", len(short), err)
		}
	}
	if _, err := NewTestBox().Open(sealed, place); !errors.Is(err, ErrDoesNotOpen) {
		t.Errorf("other keys: got %v, want ErrDoesNotOpen", err)
	}
}

func TestBindingIsUnambiguous(t *testing.T) {
	const golden = "000000146f72626974207365616c65642076616c75652031" +
		"0000001163726564656e7469616c5f736563726574" +
		"0000000000000007" +
		"00000014736d74702e6578616d706c652e636f6d3a353837"
	if got := hex.EncodeToString(place.associatedData()); got != golden {
		t.Errorf("the encoding changed, sealed values of existing databases would not open:\n got %s\nwant %s", got, golden)
	}
	if string(Binding{"ab", 1, "c"}.associatedData()) == string(Binding{"a", 1, "bc"}.associatedData()) {
		t.Error("two bindings give the same bytes")
	}
}

func TestSealRefusesWhatHasNoPlaceOrNoContent(t *testing.T) {
	b := NewTestBox()
	if _, err := b.Seal(Secret{}, place); err == nil {
		t.Error("an empty secret was sealed")
	}
	for _, at := range []Binding{{}, {Table: "credential_secret"}, {Row: 3, Destination: "x"}} {
		if _, err := b.Seal(NewSecret(clearText), at); err == nil {
			t.Errorf("sealed for %+v, which is no single place", at)
		}
		if _, err := b.Open(Sealed("x"), at); err == nil {
			t.Errorf("opened for %+v, which is no single place", at)
		}
	}
}

func TestRotationSealsAnewAndStillOpensTheOld(t *testing.T) {
	b := NewTestBox()
	old := seal(t, b, NewSecret(clearText), place)
	stored, err := b.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	if b.NeedsReseal(seal(t, b, NewSecret("x"), place)) || b.NeedsReseal(old) {
		t.Error("the box seals by a key that nobody has stored yet")
	}
	if err := b.Reload(stored); err != nil {
		t.Fatal(err)
	}
	fresh := seal(t, b, NewSecret(clearText), place)
	if !b.NeedsReseal(old) || b.NeedsReseal(fresh) || !b.NeedsReseal(nil) {
		t.Error("after the rotation only the old value needs to be sealed again")
	}
	for _, sealed := range []Sealed{old, fresh} {
		if s, err := b.Open(sealed, place); err != nil || s.Reveal() != clearText {
			t.Errorf("does not open after the rotation: %v", err)
		}
	}
}

func TestBoxFetchesKeysThatAnotherProcessMade(t *testing.T) {
	file := t.TempDir() + "/keyset.key"
	ours, stored, err := NewKeyset(file)
	if err != nil {
		t.Fatal(err)
	}
	fetched := 0
	theirs, err := OpenKeyset(file, stored, ReloadFrom(func() ([]byte, error) { fetched++; return stored, nil }))
	if err != nil {
		t.Fatal(err)
	}
	if stored, err = ours.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := ours.Reload(stored); err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, ours, NewSecret(clearText), place)
	for range 2 {
		if s, err := theirs.Open(sealed, place); err != nil || s.Reveal() != clearText {
			t.Fatalf("the other process cannot open what was sealed by the new key: %v", err)
		}
	}
	if fetched != 1 {
		t.Errorf("fetched the keyset %d times, want once", fetched)
	}
}

func TestBoxIsSafeWhileKeysChange(t *testing.T) {
	b := NewTestBox()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				sealed, err := b.Seal(NewSecret(clearText), place)
				if err != nil {
					t.Error(err)
				}
				if _, err := b.Open(sealed, place); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		stored, err := b.Rotate()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Reload(stored); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

func FuzzOpenNeverOpensOrPanics(f *testing.F) {
	b := NewTestBox()
	sealed, err := b.Seal(NewSecret(clearText), place)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(sealed))
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, changed []byte) {
		s, err := b.Open(changed, place)
		if err == nil && s.Reveal() != clearText {
			t.Errorf("%x opened as something else", changed)
		}
	})
}
