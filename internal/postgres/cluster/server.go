package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// A fast shutdown writes a checkpoint, which on a slow disk takes its time.
	stopPatience = 30 * time.Second
	// An immediate shutdown writes nothing.
	killPatience = 5 * time.Second
)

// Server is a running PostgreSQL server, child of this process.
type Server struct {
	process *process
	cluster *Cluster
}

// launch starts the server. The children of a server that was killed need a moment to notice, and until then
// the next one refuses to start.
func (c *Cluster) launch(ctx context.Context, programs Programs) (*Server, error) {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(killPatience)
	defer limit.Stop()
	for {
		s, err := c.launchOnce(ctx, programs)
		if err == nil || !strings.Contains(err.Error(), "is still in use") {
			return s, err
		}
		select {
		case <-again.C:
		case <-limit.C:
			return nil, err
		case <-ctx.Done():
			return nil, err
		}
	}
}

// launchOnce starts the server and waits until it accepts connections. Recovery after a crash may take long,
// so only ctx limits the wait.
func (c *Cluster) launchOnce(ctx context.Context, programs Programs) (*Server, error) {
	out := newServerLog(c.log)
	cmd := c.owner.command(programs.Path("postgres"), append([]string{"-D", c.data()}, c.settings()...)...)
	cmd.Stderr = out
	s := &Server{process: supervise(cmd), cluster: c}
	if err := s.process.started(); err != nil {
		return nil, c.explain("start "+cmd.Path, err, "")
	}
	slow := time.NewTimer(5 * time.Second)
	defer slow.Stop()
	for {
		select {
		case <-out.ready:
			return s, nil
		case <-s.process.done:
			return nil, c.explain("start PostgreSQL on "+c.data(), fmt.Errorf("it ended with %w", s.exit()), out.last())
		case <-slow.C:
			c.log.Info("PostgreSQL is still starting; after a crash it first repairs its data", "directory", c.data())
		case <-ctx.Done():
			s.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// Done is closed when the server has ended, whoever ended it.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Err says how the server ended; it may be called after Done.
func (s *Server) Err() error { return s.process.err }

// Stop ends the server: clients are disconnected, everything is written, the socket disappears. A server
// that does not end in time is killed; it will repair its data at the next start.
func (s *Server) Stop() {
	s.process.signal(syscall.SIGINT)
	if !waitFor(s.process.done, stopPatience) {
		s.cluster.log.Warn("PostgreSQL does not stop, ending it at once", "patience", stopPatience)
		s.process.signal(syscall.SIGQUIT)
		s.process.endWithin(killPatience)
	}
	_ = os.Remove(s.cluster.socket) // it may stand in a directory of others; a server that was killed leaves a file in it
}

func (s *Server) exit() error {
	if s.process.err == nil {
		return fmt.Errorf("exit status 0")
	}
	return s.process.err
}
