package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// dataMajor reads which PostgreSQL wrote the data; 0 means that there is none yet.
func (c *Cluster) dataMajor() (int, error) {
	path := filepath.Join(c.data(), "PG_VERSION")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, c.noData()
	}
	if err != nil {
		return 0, describeFile("read", path, err)
	}
	major, err := ParseMajor(string(text))
	if err != nil {
		return 0, fmt.Errorf("%s does not name a PostgreSQL version: the data is damaged, restore it from a backup", path)
	}
	return major, nil
}

// noData makes sure that a data directory without a version is really not there. The directory appears
// by one rename when it is complete, so anything else was damaged and is not Orbit's to replace.
func (c *Cluster) noData() error {
	entries, err := os.ReadDir(c.data())
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return describeFile("read", c.data(), err)
	}
	return fmt.Errorf("%s holds files but no PG_VERSION: it is not a complete PostgreSQL data directory; "+
		"restore it from a backup, or move it away to start with an empty database", c.data())
}

// initialise creates the data on first use. It works in a directory beside and renames it at the end, so a
// start that was interrupted leaves nothing that looks like data, and the next one begins again.
func (c *Cluster) initialise(ctx context.Context, programs Programs) error {
	major, err := c.dataMajor()
	if err != nil {
		return err
	}
	if major != 0 {
		return c.owner.owns(c.data())
	}
	c.log.Info("creating the private PostgreSQL cluster", "directory", c.data(), "version", programs.Major)
	c.removeUnfinished()
	unfinished := c.data() + fmt.Sprintf(".new-%d", os.Getpid())
	if err := c.initdbAnyLocale(ctx, programs, unfinished); err != nil {
		c.removeUnfinished()
		return err
	}
	_ = os.Remove(c.data()) // an empty directory would be in the way of the rename
	if err := os.Rename(unfinished, c.data()); err != nil {
		return describeFile("rename", unfinished, err)
	}
	return syncDir(c.dir)
}

// removeUnfinished gives back the space of interrupted attempts. One that cannot be removed, because a
// killed initdb still has a child that writes, is in nobody's way.
func (c *Cluster) removeUnfinished() {
	left, _ := filepath.Glob(c.data() + ".new-*") // the only error is a malformed pattern
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
}

// initdbAnyLocale prefers C.UTF-8, whose lower() knows all letters and whose order never changes with the
// C library; C is the one locale that every machine has.
func (c *Cluster) initdbAnyLocale(ctx context.Context, programs Programs, dir string) error {
	locales := [][]string{{"--locale=C.UTF-8"}, {"--locale=C"}}
	if programs.Major >= 17 {
		locales = [][]string{{"--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"}}
	}
	var err error
	for _, locale := range locales {
		if err = c.initdb(ctx, programs, dir, locale); err == nil || !strings.Contains(err.Error(), "invalid locale") {
			return err
		}
	}
	return err
}

func (c *Cluster) initdb(ctx context.Context, programs Programs, dir string, locale []string) error {
	if err := c.owner.makeDir(dir); err != nil {
		return err
	}
	args := append([]string{"--pgdata=" + dir, "--username=" + User, "--auth=peer", "--encoding=UTF8",
		"--data-checksums", "--no-instructions"}, locale...)
	if c.volatile {
		args = append(args, "--no-sync")
	}
	var out bytes.Buffer
	cmd := c.owner.command(programs.Path("initdb"), args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	p := supervise(cmd)
	if err := p.started(); err != nil {
		return c.explain("start "+cmd.Path, err, "")
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.signal(syscall.SIGINT)
		p.endWithin(5 * time.Second)
		return context.Cause(ctx)
	}
	return c.explain("create the private PostgreSQL cluster in "+c.data(), p.err, out.String())
}

// syncDir makes a rename in the directory survive a power failure.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
