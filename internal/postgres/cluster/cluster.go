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
	"strings"
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
	owner    owner
}

// Open makes sure that the directory exists and can be used. It starts nothing.
func Open(options Options) (*Cluster, error) {
	as, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, err := as.prepare(options.Dir)
	if err != nil {
		return nil, err
	}
	socket, err := socketDir(dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, socket: socket, log: options.Log, volatile: options.Volatile, owner: as}
	if c.log == nil {
		c.log = slog.Default()
	}
	return c, nil
}

// Start brings the server up and returns when it answers: it creates the data on first use and clears
// away a server that an earlier process left behind. The caller must hold the directory's lock.
func (c *Cluster) Start(ctx context.Context) (*Server, error) {
	programs, err := c.Programs()
	if err != nil {
		return nil, err
	}
	if err := c.initialise(ctx, programs); err != nil {
		return nil, err
	}
	if err := c.clearLeftover(ctx); err != nil {
		return nil, err
	}
	if err := c.writeConfiguration(); err != nil {
		return nil, err
	}
	if err := c.owner.makeDir(c.socket); err != nil {
		return nil, err
	}
	return c.launch(ctx, programs)
}

// Destroy stops a server that was left behind and removes all data. The caller must hold the directory's lock.
func (c *Cluster) Destroy(ctx context.Context) error {
	if err := c.clearLeftover(ctx); err != nil {
		return err
	}
	return describeFile("remove", c.dir, os.RemoveAll(c.dir))
}

// Dir is where everything lives.
func (c *Cluster) Dir() string { return c.dir }

// Socket is the directory with the server's socket.
func (c *Cluster) Socket() string { return c.socket }

// Programs finds those that fit the data; pg_dump and its like stand beside them.
func (c *Cluster) Programs() (Programs, error) { return c.choose(Find()) }

// ConnString says how to reach a database of the cluster, in libpq's key=value form.
func (c *Cluster) ConnString(database string) string {
	socket := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(c.socket)
	return fmt.Sprintf("host='%s' port=%d user=%s dbname=%s sslmode=disable", socket, port, User, database)
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "postgres") }

// port names the socket file; no network port is opened.
const port = 5432

var socketFile = ".s.PGSQL." + strconv.Itoa(port)
