package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func newKeyset(t *testing.T, file string) (*Box, []byte) {
	t.Helper()
	b, sealed, err := NewKeyset(file)
	if err != nil {
		t.Fatal(err)
	}
	return b, sealed
}

func TestFirstStartCreatesAKeyFileForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "orbit", "keys")
	file := filepath.Join(dir, "keyset.key")
	b, stored := newKeyset(t, file)
	for path, want := range map[string]os.FileMode{file: 0o600, dir: 0o700, filepath.Dir(dir): 0o700} {
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := stat.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v; want the key file alone", entries, err)
	}
	again, err := OpenKeyset(file, stored)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := again.Open(seal(t, b, NewSecret(clearText), place), place); err != nil || s.Reveal() != clearText {
		t.Errorf("after a restart: %v", err)
	}
}

func TestKeyFileIsNeverOverwritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keyset.key")
	newKeyset(t, file)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if created, err := CreateKeyFile(file); created || err != nil {
		t.Errorf("got %v, %v; want the existing file left alone", created, err)
	}
	newKeyset(t, file)
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("the key file was changed")
	}
}

func TestOnlyOneOfManyFirstStartsCreatesTheKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "keyset.key")
	var creators atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			created, err := CreateKeyFile(file)
			if err != nil {
				t.Error(err)
			}
			if created {
				creators.Add(1)
			}
			if _, err := readKeyFile(file); err != nil {
				t.Error(err) // nobody may ever see half a file
			}
		})
	}
	wg.Wait()
	if creators.Load() != 1 {
		t.Errorf("%d starts created the key file, want 1", creators.Load())
	}
}

func TestEveryKeyFileProblemHasItsOwnSentence(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  error
		says  string
	}{
		{"missing", func(t *testing.T, file string) { check(t, os.Remove(file)) }, ErrKeyFileMissing, "restore the key file from the backup"},
		{"another installation's", func(t *testing.T, file string) {
			check(t, os.Remove(file))
			newKeyset(t, file)
		}, ErrWrongKeyFile, "does not open the keys in this database"},
		{"half written", func(t *testing.T, file string) { check(t, os.Truncate(file, 40)) }, ErrKeyFileDamaged, "is damaged"},
		{"empty", func(t *testing.T, file string) { check(t, os.Truncate(file, 0)) }, ErrKeyFileDamaged, "is damaged"},
		{"readable by the group", func(t *testing.T, file string) { check(t, os.Chmod(file, 0o640)) }, ErrKeyFileExposed, `run "chmod 600`},
		{"readable by all", func(t *testing.T, file string) { check(t, os.Chmod(file, 0o604)) }, ErrKeyFileExposed, "0604"},
		{"a directory", func(t *testing.T, file string) {
			check(t, os.Remove(file))
			check(t, os.Mkdir(file, 0o700))
		}, ErrKeyFileDamaged, "is not a regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "keyset.key")
			_, stored := newKeyset(t, file)
			tt.spoil(t, file)
			_, err := OpenKeyset(file, stored)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if text := err.Error(); !strings.Contains(text, file) || !strings.Contains(text, tt.says) {
				t.Errorf("got %q, want the file's name and %q", text, tt.says)
			}
		})
	}
}

func TestDamagedKeysetIsNotBlamedOnTheKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keyset.key")
	_, stored := newKeyset(t, file)
	changed := bytes.Clone(stored)
	changed[len(changed)/2] ^= 1
	for _, sealed := range [][]byte{nil, []byte("rubbish"), stored[:20], changed} {
		if _, err := OpenKeyset(file, sealed); !errors.Is(err, ErrKeysetDamaged) {
			t.Errorf("got %v, want ErrKeysetDamaged", err)
		}
	}
}

func TestUnwritablePlaceIsOneClearSentence(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(blocked, nil, 0o600))
	_, _, err := NewKeyset(filepath.Join(blocked, "keyset.key"))
	if err == nil || !strings.Contains(err.Error(), "cannot be created") {
		t.Errorf("got %v, want that the key file cannot be created", err)
	}
}

func TestAnotherKeyFileSealsTheSameKeys(t *testing.T) {
	dir := t.TempDir()
	b, stored := newKeyset(t, dir+"/old.key")
	sealed := seal(t, b, NewSecret(clearText), place)
	moved, err := b.ChangeKeyFile(dir + "/new.key")
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenKeyset(dir+"/new.key", moved)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := again.Open(sealed, place); err != nil || s.Reveal() != clearText {
		t.Errorf("after the change of the key file: %v", err)
	}
	if _, err := OpenKeyset(dir+"/old.key", moved); !errors.Is(err, ErrWrongKeyFile) {
		t.Errorf("the old key file: got %v, want ErrWrongKeyFile", err)
	}
	if _, err := OpenKeyset(dir+"/old.key", stored); err != nil {
		t.Errorf("the old key file must open the old keyset until the new one is stored: %v", err)
	}
}

// TestKeysetOfEarlierVersionsOpens reads what an installation has on disk and in its database.
func TestKeysetOfEarlierVersionsOpens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keyset.key")
	if *update {
		b, stored := newKeyset(t, file)
		content, err := os.ReadFile(file)
		check(t, err)
		write(t, "keyset.key", content)
		write(t, "keyset.sealed", []byte(base64.StdEncoding.EncodeToString(stored)))
		write(t, "secret.sealed", []byte(base64.StdEncoding.EncodeToString(seal(t, b, NewSecret(clearText), place))))
	}
	content, err := os.ReadFile("testdata/keyset.key")
	check(t, err)
	check(t, os.WriteFile(file, content, 0o600))
	b, err := OpenKeyset(file, golden(t, "keyset.sealed"))
	check(t, err)
	if s, err := b.Open(golden(t, "secret.sealed"), place); err != nil || s.Reveal() != clearText {
		t.Errorf("got %v, want the golden secret", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join("testdata", name), content, 0o644))
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	check(t, err)
	content, err := base64.StdEncoding.DecodeString(string(text))
	check(t, err)
	return content
}
