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
	{"Check free disk space", "the disk is full: free some space and start Orbit again"}, // a hint; the line above says how many bytes were missing
	{"Disk quota exceeded", "the disk quota is used up: free some space and start Orbit again"},
	{"Read-only file system", "the file system is mounted read-only: choose a writable ORBIT_DATA_DIR"},
	{"Permission denied", "a permission is missing: check the owner and mode of the directory and of those above it"},
	{"Operation not permitted", "this process may not switch to the user that PostgreSQL runs as: start Orbit as that user, or set ORBIT_DATABASE_URL"},
	{"operation not permitted", "this process may not switch to the user that PostgreSQL runs as: start Orbit as that user, or set ORBIT_DATABASE_URL"},
	{"could not look up effective user ID", "the user that Orbit runs as has no name in /etc/passwd: add one, or set ORBIT_DATABASE_URL"},
	{"Cannot allocate memory", "there is not enough memory: lower shared_buffers in postgresql.conf of the data directory"},
	{"is still in use", "parts of an earlier server are still running: wait a moment and start Orbit again"},
	{"database files are incompatible with server", "the data was written by another version of PostgreSQL: install that version"},
	{`configuration file "`, "a setting in postgresql.conf of the data directory is wrong: correct or delete the file"},
}

// explain turns the end of one of PostgreSQL's programs into one sentence: what was attempted, what the
// program said, what to do. It returns nil when err is nil.
func (c *Cluster) explain(attempt string, err error, output string) error {
	if err == nil {
		return nil
	}
	for _, a := range advice {
		if strings.Contains(err.Error(), a.words) {
			return fmt.Errorf("%s: %s (%w)", attempt, a.text, err)
		}
		if line := firstWith(output, a.words); line != "" {
			return fmt.Errorf("%s: %s (%w: %s)", attempt, a.text, err, line)
		}
	}
	if line := complaint(output); line != "" {
		err = fmt.Errorf("%w: %s", err, line)
	}
	return fmt.Errorf("%s: %w", attempt, err)
}

// complaint finds the line that says why, as the server and as initdb word it, or else the last one.
func complaint(output string) string {
	for _, words := range []string{"PANIC:", "FATAL:", "error:", "ERROR:"} {
		if line := firstWith(output, words); line != "" {
			return line
		}
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return tidy(lines[len(lines)-1])
}

func firstWith(output, words string) string {
	for line := range strings.Lines(output) {
		if strings.Contains(line, words) {
			return tidy(line)
		}
	}
	return ""
}

func tidy(line string) string { return strings.Join(strings.Fields(line), " ") }

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
