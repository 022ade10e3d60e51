package inbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/fetch"
)

// doom kills a process at one of its steps: before or after something is said to the database or to the mail server.
// From then on nothing leaves it.
type doom struct {
	at   int64 // the step; 0: never
	step atomic.Int64

	silent atomic.Bool
	kill   context.CancelFunc
}

// now kills a process at whatever step it is.
func (d *doom) now() { d.silent.Store(true) }

func (d *doom) dead() bool { return d.silent.Load() || d.at > 0 && d.step.Load() >= d.at }

// live counts a step and reports whether the process survives it.
func (d *doom) live() bool {
	alive := (d.step.Add(1) < d.at || d.at == 0) && !d.silent.Load()
	if !alive {
		d.kill()
	}
	return alive
}

var gone, bury = context.WithCancel(context.Background())

func init() { bury() }

// TraceQueryStart gives a dead process a context in which nothing is said any more.
func (d *doom) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if !d.live() {
		return gone
	}
	return ctx
}

func (d *doom) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) { d.live() }

func (d *doom) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	if !d.live() {
		return gone
	}
	return ctx
}

func (d *doom) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (d *doom) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) { d.live() }

func (d *doom) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	if !d.live() {
		return gone
	}
	return ctx
}

func (d *doom) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) { d.live() }

// doomed is a connection to the mail server.
type doomed struct {
	net.Conn
	*doom
}

var errKilled = errors.New("the process was killed")

func (c doomed) Write(p []byte) (int, error) {
	if !c.live() {
		_ = c.Close()
		return 0, errKilled
	}
	n, err := c.Conn.Write(p)
	c.live()
	return n, err
}

func (c doomed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.dead() {
		_ = c.Close()
		return 0, errKilled
	}
	return n, err
}

// doomedProcess pays one visit and is killed on the way.
func (r *rig) doomedVisit(id, at int64) (steps int64) {
	r.t.Helper()
	config, err := pgxpool.ParseConfig(r.url)
	r.must(err)
	ctx, kill := context.WithCancel(r.ctx)
	defer kill()
	d := &doom{at: at, kill: kill}
	config.ConnConfig.Tracer, config.MaxConns = d, 4
	pool, err := pgxpool.NewWithConfig(r.ctx, config)
	r.must(err)
	defer pool.Close()
	p := r.newProcess(pool, dialers{wrap: func(c net.Conn) net.Conn { return doomed{c, d} }}, counting())
	_, _ = p.CheckNow(ctx, id)
	return d.step.Load()
}

// Killed at any step, the next process finishes the work: each message is stored and acted upon once, and where no
// copy is kept nothing stays on the server. ORBIT_SOAK tries every step.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	stride := int64(5)
	if os.Getenv("ORBIT_SOAK") != "" {
		stride = 1
	}
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.prepareCounting()
			m := r.mailbox(p, noCopies)
			c := r.admin()
			next := r.another(counting())
			messages := 0
			put := func() {
				for range 2 {
					messages++
					r.add(c, "INBOX", string(letterOf(fmt.Sprint(messages))))
				}
			}
			put()
			steps := r.doomedVisit(m.ID, 0)
			killed := 0
			for at := int64(1); at <= steps; at += stride {
				put()
				r.doomedVisit(m.ID, at)
				r.expire()
				if v := r.check(next, m.ID); v.Stored < 2 {
					killed++
				}
				if n := r.left(); n != 0 {
					t.Fatalf("killed at step %d of %d: %d messages are still on the server", at, steps, n)
				}
			}
			r.want("stored", r.number("select count(*) from inbound_message"), messages)
			r.want("distinct", r.number("select count(distinct subject) from inbound_message"), messages)
			r.want("acted", r.number("select count(*) from acted"), messages)
			r.want("acted, distinct", r.number("select count(distinct subject) from acted"), messages)
			r.want("to be deleted", r.number("select count(*) from inbound_removal"), 0)
			t.Logf("%d steps; %d times the killed process had stored something", steps, killed)
			if killed == 0 || p == fetch.IMAP && steps < 20 {
				t.Error("it was never killed in the middle")
			}
		})
	}
}
