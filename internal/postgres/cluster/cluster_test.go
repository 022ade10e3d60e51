package cluster

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fakePrograms makes a directory with programs that know their version, and links to them.
func fakePrograms(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + " (Test)'\n"
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFindTakesTheNewestOnce(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	fakePrograms(t, filepath.Join(root, "14", "bin"), "14.9")
	fakePrograms(t, filepath.Join(root, "17", "bin"), "17.2")
	links := filepath.Join(root, "links")
	if err := os.Mkdir(links, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "14", "bin", "postgres"), filepath.Join(links, "postgres")); err != nil {
		t.Fatal(err)
	}
	found := find(links+string(filepath.ListSeparator)+root, []string{filepath.Join(root, "*", "bin")})
	if len(found) != 2 || found[0].Major != 17 || found[1].Major != 14 {
		t.Fatalf("found %v, want 17 and 14", found)
	}
	if want := filepath.Join(root, "17", "bin", "pg_dump"); found[0].Path("pg_dump") != want {
		t.Errorf("pg_dump is %s, want %s", found[0].Path("pg_dump"), want)
	}
}

func TestWithoutProgramsTheErrorNamesTheCommandThatInstallsThem(t *testing.T) {
	t.Parallel()
	if found := find(t.TempDir(), nil); len(found) != 0 {
		t.Fatalf("found %v", found)
	}
	_, err := (&Cluster{dir: t.TempDir()}).choose(nil)
	if !errors.Is(err, ErrNoPrograms) {
		t.Fatalf("error %v, want ErrNoPrograms", err)
	}
	for _, words := range []string{InstallCommand(), "ORBIT_DATABASE_URL"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("error %q does not say %q", err, words)
		}
	}
}

func TestTheProgramsFitTheData(t *testing.T) {
	t.Parallel()
	machine := []Programs{{Dir: "/17", Major: 17}, {Dir: "/14", Major: 14}}
	for data, want := range map[string]string{"": "/17", "14\n": "/14", "17\n": "/17", "15\n": "written by PostgreSQL 15"} {
		c := &Cluster{dir: t.TempDir()}
		if data != "" {
			if err := os.Mkdir(c.data(), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.data(), "PG_VERSION"), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.choose(machine)
		if err == nil && got.Dir != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("data of %q: %v, %v, want %s", data, got, err, want)
		}
	}
	if _, err := (&Cluster{dir: t.TempDir()}).choose([]Programs{{Dir: "/11", Major: 11}}); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("version 11: %v", err)
	}
}

func TestParseMajor(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"15.18 (Debian 15.18-0+deb12u1)\n": 15, "18beta1": 18, "16": 16, "9.6": 9} {
		if got, err := ParseMajor(version); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", version, got, err, want)
		}
	}
	if _, err := ParseMajor("unknown"); err == nil {
		t.Error("unknown is no version")
	}
}

func TestExplainSaysWhatToDo(t *testing.T) {
	t.Parallel()
	failed := errors.New("exit status 1")
	for name, c := range map[string]struct {
		err    error
		output string
		says   []string
	}{
		"disk": {failed, "LOG:  starting\nFATAL:  could not write lock file \"postmaster.pid\": No space left on device\n", []string{"disk is full", "postmaster.pid"}},
		"disk, initdb": {failed, "creating configuration files ... ok\nFATAL:  could not extend file \"base/1/2691\": wrote only 4096 of 8192 bytes\n" +
			"HINT:  Check free disk space.\nPANIC:  cannot abort transaction 1, it was already committed\n", []string{"disk is full"}},
		"permission": {failed, "initdb: error: could not access directory \"/x\": Permission denied\n", []string{"owner and mode", "/x"}},
		"no setuid":  {&os.PathError{Op: "fork/exec", Path: "/x/postgres", Err: syscall.EPERM}, "", []string{"may not switch"}},
		"memory":     {failed, "FATAL:  could not map anonymous shared memory: Cannot allocate memory\n", []string{"lower shared_buffers"}},
		"other":      {failed, "LOG:  one\nFATAL:  something new\nLOG:  database system is shut down\n", []string{"exit status 1: FATAL: something new"}},
		"no words":   {failed, "", []string{"start it: exit status 1"}},
	} {
		err := (&Cluster{}).explain("start it", c.err, c.output)
		for _, words := range c.says {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %q does not say %q", name, err, words)
			}
		}
	}
	if err := (&Cluster{}).explain("start it", nil, "FATAL: x"); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestTheServerLogKnowsWhenTheServerIsReady(t *testing.T) {
	t.Parallel()
	l := newServerLog(slog.New(slog.DiscardHandler))
	for _, piece := range []string{"LOG:  starting\nLOG:  database system is rea", "dy to accept conn", "ections"} {
		if _, err := l.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-l.ready:
		t.Fatal("ready before the line has ended")
	default:
	}
	for range 2 * keptLines {
		if _, err := l.Write([]byte("\nLOG:  database system is ready to accept connections")); err != nil {
			t.Fatal(err)
		}
	}
	<-l.ready
	if n := strings.Count(l.last(), "\n"); n > keptLines {
		t.Errorf("%d lines are kept, want at most %d", n, keptLines)
	}
}

func TestALockHasOneHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := TryLock(path, "first")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(path, "second"); !errors.Is(err, ErrLocked) {
		t.Errorf("second: %v, want ErrLocked", err)
	}
	if got := Holder(path); got != "first" {
		t.Errorf("holder %q, want first", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := AwaitLock(ctx, path, "third"); !errors.Is(err, context.Canceled) {
		t.Errorf("third: %v, want that the wait was given up", err)
	}
	first.Release()
	if got := Holder(path); got != "" {
		t.Errorf("holder %q, want none", got)
	}
	one, err := TryShare(path)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	other, err := TryShare(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Release()
	if _, err := TryLock(path, "fourth"); !errors.Is(err, ErrLocked) {
		t.Errorf("fourth: %v, want ErrLocked", err)
	}
}
