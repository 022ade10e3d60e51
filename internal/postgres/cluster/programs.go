package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// MinMajor is the oldest PostgreSQL that Orbit works with.
const MinMajor = 14

// ErrNoPrograms says that the machine has no PostgreSQL server.
var ErrNoPrograms = errors.New("no PostgreSQL server programs")

// Programs is a directory with the server programs of one PostgreSQL version.
type Programs struct {
	Dir   string
	Major int
}

// Path returns the path of one program, e.g. pg_dump.
func (p Programs) Path(name string) string { return filepath.Join(p.Dir, name) }

// places are the directories, outside of PATH, in which the packages of the usual systems put the programs.
var places = []string{
	"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
	"/usr/pgsql-*/bin",                  // packages of postgresql.org for Red Hat
	"/usr/libexec/postgresql*",          // Alpine
	"/opt/homebrew/opt/postgresql*/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// Find returns the PostgreSQL programs of this machine, newest first.
func Find() []Programs { return find(os.Getenv("PATH"), places) }

func find(path string, patterns []string) []Programs {
	dirs := filepath.SplitList(path)
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		dirs = append(dirs, matches...)
	}
	var found []Programs
	for _, dir := range dirs {
		dir, ok := realDir(dir)
		if !ok || slices.ContainsFunc(found, func(f Programs) bool { return f.Dir == dir }) {
			continue
		}
		if major, err := majorOf(filepath.Join(dir, "postgres")); err == nil {
			found = append(found, Programs{Dir: dir, Major: major})
		}
	}
	slices.SortStableFunc(found, func(a, b Programs) int { return cmp.Compare(b.Major, a.Major) })
	return found
}

// realDir looks behind the links of a directory in PATH: initdb searches the other programs beside itself.
func realDir(dir string) (string, bool) {
	server, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return "", false
	}
	dir = filepath.Dir(server)
	_, err = os.Stat(filepath.Join(dir, "initdb"))
	return dir, err == nil
}

// majorOf asks the server program; it answers "postgres (PostgreSQL) 15.18 (Debian ...)".
func majorOf(server string) (int, error) {
	out, err := exec.Command(server, "--version").Output()
	if err != nil {
		return 0, err
	}
	_, version, _ := strings.Cut(string(out), ") ")
	return ParseMajor(version)
}

// ParseMajor reads the 15 of "15.18 (Debian 15.18-0+deb12u1)", "18beta1" and "15".
func ParseMajor(version string) (int, error) {
	version = strings.TrimSpace(version)
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		version = version[:end]
	}
	return strconv.Atoi(version)
}

// choose takes the version that wrote the data, or the newest when there is no data yet.
func (c *Cluster) choose(found []Programs) (Programs, error) {
	if len(found) == 0 {
		return Programs{}, fmt.Errorf("%w were found on this machine: install them with `%s`, "+
			"or set ORBIT_DATABASE_URL to a PostgreSQL server that is running elsewhere", ErrNoPrograms, InstallCommand())
	}
	wanted, err := c.dataMajor()
	switch {
	case err != nil:
		return Programs{}, err
	case wanted == 0 && found[0].Major < MinMajor:
		return Programs{}, fmt.Errorf("PostgreSQL %d in %s is too old: Orbit needs version %d or newer",
			found[0].Major, found[0].Dir, MinMajor)
	case wanted == 0:
		return found[0], nil
	}
	i := slices.IndexFunc(found, func(p Programs) bool { return p.Major == wanted })
	if i < 0 {
		return Programs{}, c.misfit(wanted, found)
	}
	return found[i], nil
}

func (c *Cluster) misfit(wanted int, found []Programs) error {
	var have []string
	for _, p := range found {
		have = append(have, fmt.Sprintf("%d (%s)", p.Major, p.Dir))
	}
	return fmt.Errorf("the data in %s was written by PostgreSQL %d, but this machine has version %s: "+
		"install version %d with `%s`, or bring the data to the new version with pg_upgrade",
		c.data(), wanted, strings.Join(have, " and "), wanted, installCommand(strconv.Itoa(wanted)))
}

// InstallCommand is what an administrator of this machine types to get a PostgreSQL server.
func InstallCommand() string { return installCommand("") }

// installCommand is what an administrator of this machine types to get a version; "" is the newest.
func installCommand(version string) string {
	for _, m := range []struct{ tool, command, versioned string }{
		{"brew", "brew install postgresql", "brew install postgresql@%s"},
		{"apt-get", "apt-get install postgresql", "apt-get install postgresql-%s"},
		{"dnf", "dnf install postgresql-server", "dnf install postgresql%s-server"},
		{"apk", "apk add postgresql", "apk add postgresql%s"},
		{"zypper", "zypper install postgresql-server", "zypper install postgresql%s-server"},
		{"pacman", "pacman -S postgresql", "pacman -S postgresql-old-upgrade"},
	} {
		if _, err := exec.LookPath(m.tool); err != nil {
			continue
		}
		if version == "" {
			return m.command
		}
		return strings.ReplaceAll(m.versioned, "%s", version)
	}
	if runtime.GOOS == "darwin" {
		return "brew install postgresql"
	}
	return "apt-get install postgresql"
}
