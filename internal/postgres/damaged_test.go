package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

func TestDataThatCannotBeUsedIsLeftAloneAndExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, content string
		says          []string
	}{
		"older version":   {"PG_VERSION", "13\n", []string{"written by PostgreSQL 13", "this machine has version", "install", "13", "pg_upgrade"}},
		"ancient version": {"PG_VERSION", "9.6\n", []string{"written by PostgreSQL 9"}},
		"no version":      {"PG_VERSION", "", []string{"damaged", "backup"}},
		"not all of it":   {"base", "", []string{"no PG_VERSION", "backup"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := pgtest.TempDir(t)
			data := filepath.Join(dir, "postgres")
			if err := os.Mkdir(data, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(data, c.file), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := postgres.Start(t.Context(), options(t, dir))
			assertSays(t, err, append(c.says, data)...)
			if text, err := os.ReadFile(filepath.Join(data, c.file)); err != nil || string(text) != c.content {
				t.Errorf("the data were touched: %q, %v", text, err)
			}
		})
	}
}

func TestAnEmptyDataDirectoryIsAFirstStart(t *testing.T) {
	t.Parallel()
	dir := pgtest.TempDir(t)
	for _, left := range []string{"postgres", "postgres.new-1"} {
		if err := os.Mkdir(filepath.Join(dir, left), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, start(t, dir), "select 1")
	if left := unfinished(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAWrongSettingIsExplained(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	settings := filepath.Join(dir, "postgresql.conf")
	if err := os.WriteFile(settings, []byte("shared_buffers = plenty\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.Start(t.Context(), options(t, dir))
	assertSays(t, err, "postgresql.conf", "correct or delete")
	if err := os.Remove(settings); err != nil {
		t.Fatal(err)
	}
	execute(t, start(t, dir), "select 1")
}

func TestALongPathStillFindsItsSocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(dataDir(t), strings.Repeat("long", 25))
	execute(t, start(t, dir), "select 1")
	execute(t, attach(t, dir), "select 1")
}

func TestAPathWithOddCharactersWorks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(pgtest.TempDir(t), `o'r "b", it`)
	execute(t, start(t, dir), "select 1")
}

func TestAFullDiskIsExplainedAndLosesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 64<<20)
	filler := filepath.Join(disk, "filler")
	fill(t, filler, 40<<20)
	dir := filepath.Join(disk, "data")

	_, err := postgres.Start(t.Context(), options(t, dir))
	assertSays(t, err, "disk is full", "free some space", dir)
	if left := unfinished(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	db := start(t, dir)
	execute(t, db, "create table kept as select 42 as answer")
	db.Close()

	fillUp(t, filler)
	_, err = postgres.Start(t.Context(), options(t, dir))
	assertSays(t, err, "disk is full", "free some space")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	execute(t, start(t, dir), "select * from kept")
}

// smallDisk mounts a file system of its own, which takes root's rights.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := pgtest.TempDir(t)
	mount := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=711", size), "tmpfs", dir)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("this user cannot mount a small file system (%v: %s); run the tests as root to see a full disk", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

func fill(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fillUp writes until the disk takes no byte more.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4096, 1} {
		block := make([]byte, size)
		for err == nil {
			_, err = f.Write(block)
		}
		if !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
			t.Fatal(err)
		}
		err = nil
	}
}
