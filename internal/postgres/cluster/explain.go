package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// advice maps words of PostgreSQL's programs to what an administrator can do about them.
var advice = []struct{ words, text string }{
	{"No space left on device", "the disk is full: free some space and start Orbit again"},
	{"Disk quota exceeded", "the disk quota is used up: free some space and start Orbit again"},
	{"Read-only file system", "the file system is mounted read-only: choose a writable ORBIT_DATA_DIR"},
	{"Permission denied", "a permission is missing: check the owner and mode of the directory and of those above it"},
	{"Operation not permitted", "this process may not switch to the user that PostgreSQL runs as: start Orbit as that user, or set ORBIT_DATABASE_URL"},
	{"operation not permitted", "this process may not switch to the user that PostgreSQL runs as: start Orbit as that user, or set ORBIT_DATABASE_URL"},
	{"could not look up effective user ID", "the user that Orbit runs as has no name in /etc/passwd: add one, or set ORBIT_DATABASE_URL"},
	{"Cannot allocate memory", "there is not enough memory: lower shared_buffers in postgresql.conf of the data directory"},
	{"is still in use", "parts of an earlier server are still running: wait a moment and start Orbit again"},
	{"database files are incompatible with server", "the data was written by another version of PostgreSQL: install that version"},
	{"configuration file", "a setting in postgresql.conf of the data directory is wrong: correct or delete the file"},
}

// explain turns the end of one of PostgreSQL's programs into one sentence: what was attempted, what the
// program said, what to do. It returns nil when err is nil.
func (c *Cluster) explain(attempt string, err error, output string) error {
	if err == nil {
		return nil
	}
	said := complaint(output)
	if said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	for _, a := range advice {
		if strings.Contains(output, a.words) || strings.Contains(err.Error(), a.words) {
			return fmt.Errorf("%s: %s (%w)", attempt, a.text, err)
		}
	}
	return fmt.Errorf("%s: %w", attempt, err)
}

// complaint finds the line that says why: the last fatal one, else the first error of initdb, else the last.
func complaint(output string) string {
	var fatal, failed, last string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "FATAL:"), strings.HasPrefix(line, "PANIC:"):
			fatal = line
		case failed == "" && strings.Contains(line, "error:"):
			failed = line
		}
		if line != "" {
			last = line
		}
	}
	for _, line := range []string{fatal, failed, last} {
		if line != "" {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	return ""
}

// describeFile words an error about one of the cluster's own files; nil stays nil.
func describeFile(attempt, path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s %s: the disk is full: free some space and start Orbit again (%w)", attempt, path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s %s: %w: start Orbit as the user who owns the directory, or set ORBIT_DATA_DIR to another one", attempt, path, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s %s: %w: choose a writable ORBIT_DATA_DIR", attempt, path, err)
	default:
		return fmt.Errorf("%s %s: %w", attempt, path, err)
	}
}
