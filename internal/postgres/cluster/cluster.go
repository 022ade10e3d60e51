// Package cluster runs a private PostgreSQL server as a child of this process.
//
// Everything lives in one directory: the data, the access rules and the socket. The server listens on a
// Unix socket in a directory that only its owner may enter, never on the network. It ends with the
// process that started it, however that process ends. The package knows files, processes and signals,
// but no SQL; package postgres builds the database on top of it.
package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
)

// User is the role that owns the cluster.
const User = "orbit"

// Options say where the cluster lives and how it behaves.
type Options struct {
	Dir      string       // required: holds the data and all that belongs to it
	Log      *slog.Logger // default: slog.Default
	Volatile bool         // for tests: nothing is flushed to disk, many connections
}

// Cluster is a directory with the data of a PostgreSQL server, and the programs that can run it.
// A Cluster does not lock its directory; that is for the caller, who knows what may share it.
type Cluster struct {
	dir      string
	socket   string
	log      *slog.Logger
	volatile bool
	programs Programs
	owner    owner
}

// Open finds the programs that fit the data in the directory and creates the directory when it is
// missing. It starts nothing.
func Open(options Options) (*Cluster, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", options.Dir, err)
	}
	as, err := serverOwner()
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, log: options.Log, volatile: options.Volatile, owner: as}
	if c.log == nil {
		c.log = slog.Default()
	}
	if err := c.prepare(); err != nil {
		return nil, err
	}
	c.programs, err = c.choosePrograms(Find())
	return c, err
}

// Start brings the server up and returns when it answers: it creates the data on first use and clears
// away a server that an earlier process left behind. The caller must hold the directory's lock.
func (c *Cluster) Start(ctx context.Context) (*Server, error) {
	if err := c.initialise(ctx); err != nil {
		return nil, err
	}
	if err := c.clearLeftover(ctx); err != nil {
		return nil, err
	}
	if err := c.writeConfiguration(); err != nil {
		return nil, err
	}
	return c.launch(ctx)
}

// Dir is where everything lives.
func (c *Cluster) Dir() string { return c.dir }

// Socket is the directory with the server's socket.
func (c *Cluster) Socket() string { return c.socket }

// Programs are those that run the server; pg_dump and its like stand beside them.
func (c *Cluster) Programs() Programs { return c.programs }

// ConnString says how to reach a database of the cluster, in libpq's key=value form.
func (c *Cluster) ConnString(database string) string {
	return fmt.Sprintf("host='%s' port=%d user=%s dbname=%s sslmode=disable", c.socket, port, User, database)
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "postgres") }

// prepare makes the directories. It checks before it creates, so that nothing is left in a place that
// cannot be used.
func (c *Cluster) prepare() error {
	if err := c.owner.mayEnter(c.dir); err != nil {
		return err
	}
	mode := os.FileMode(0o700)
	if c.owner.switches {
		mode = 0o755 // the server's user passes through; what is secret in here has modes of its own
	}
	if err := os.MkdirAll(c.dir, mode); err != nil {
		return describeFile("create", c.dir, err)
	}
	socket, err := socketDir(c.dir)
	if err != nil {
		return err
	}
	c.socket = socket
	return c.owner.makeDir(socket)
}

// port names the socket file; no network port is opened.
const port = 5432

var socketFile = ".s.PGSQL." + strconv.Itoa(port)
