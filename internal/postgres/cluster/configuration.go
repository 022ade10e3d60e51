package cluster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The configuration stands beside the data, not in it: as root, Orbit never writes into a directory of
// another user, and that user cannot widen the rules of who may enter.
func (c *Cluster) tuningFile() string { return filepath.Join(c.dir, "postgresql.conf") }
func (c *Cluster) accessFile() string { return filepath.Join(c.dir, "pg_hba.conf") }
func (c *Cluster) namesFile() string  { return filepath.Join(c.dir, "pg_ident.conf") }

// tuning is written once and then belongs to the administrator.
const tuning = `# PostgreSQL settings of Orbit's private cluster. Orbit wrote this file once and will not change it.
# Settings that Orbit depends on are given on the command line and win over this file.
shared_buffers = 64MB
max_connections = 60
max_wal_size = 512MB
min_wal_size = 80MB
max_parallel_workers_per_gather = 0
jit = off
timezone = UTC
log_timezone = UTC
`

const volatileTuning = `shared_buffers = 128MB
max_connections = 300
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 128MB
autovacuum = off
max_parallel_workers_per_gather = 0
jit = off
timezone = UTC
`

// access lets in one role, from this machine, as an operating-system user whom namesFile lists.
const access = "local all " + User + " peer map=orbit\n"

// writeConfiguration brings the files up to date before each start.
func (c *Cluster) writeConfiguration() error {
	if err := writeFile(c.accessFile(), access); err != nil {
		return err
	}
	if err := writeFile(c.namesFile(), c.names()); err != nil {
		return err
	}
	if _, err := os.Stat(c.tuningFile()); err == nil {
		return nil
	}
	if c.volatile {
		return writeFile(c.tuningFile(), volatileTuning)
	}
	return writeFile(c.tuningFile(), tuning)
}

// names maps operating-system users to the role: the one that runs the server, and root where it differs.
func (c *Cluster) names() string {
	names := fmt.Sprintf("orbit %q %s\n", c.owner.name, User)
	if c.owner.switches {
		names += fmt.Sprintf("orbit %q %s\n", userName(0), User)
	}
	return names
}

// settings are those that Orbit depends on; on the command line nothing can override them.
func (c *Cluster) settings() []string {
	var args []string
	for _, setting := range []string{
		"config_file=" + c.tuningFile(),
		"hba_file=" + c.accessFile(),
		"ident_file=" + c.namesFile(),
		"listen_addresses=",
		fmt.Sprintf("port=%d", port),
		"unix_socket_directories=" + quoteListItem(c.socket),
		"unix_socket_permissions=0700",
		"cluster_name=orbit",
		"lc_messages=C", // the log is read by a program
		"log_destination=stderr",
		"logging_collector=off",
		"log_line_prefix=",
		"log_min_messages=log",          // an ERROR goes to the client, which handles it
		"log_error_verbosity=terse",     // details quote rows, and rows are nobody's business
		"log_min_error_statement=panic", // as do statements
	} {
		args = append(args, "-c", setting)
	}
	return args
}

// quoteListItem protects a path with spaces or commas in a setting that is a list.
func quoteListItem(path string) string { return `"` + strings.ReplaceAll(path, `"`, `""`) + `"` }

// readable is the mode of files that the server's user reads; they hold no secrets.
const readable = 0o644

// writeFile replaces a file as a whole, and leaves alone one that already says the same.
func writeFile(path, content string) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, []byte(content)) {
		return nil
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(content), readable); err != nil {
		return describeFile("write", temporary, err)
	}
	if err := os.Chmod(temporary, readable); err != nil { // whatever the umask says
		return describeFile("write", temporary, err)
	}
	return describeFile("write", path, os.Rename(temporary, path))
}
