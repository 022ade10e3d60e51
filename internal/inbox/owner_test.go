package inbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/account"
	"orbit/internal/credential"
	"orbit/internal/mail/fetch"
)

// arrives shows new mail in the list within the time that people are promised.
func (r *rig) arrives(subject string, within time.Duration) {
	r.t.Helper()
	r.deliver(subject)
	began := time.Now()
	r.until(subject+" has arrived", func() bool { return strings.Contains(r.stored(), subject) })
	if d := time.Since(began); d > within {
		r.t.Errorf("%s took %s", subject, d)
	}
}

func (r *rig) awaitState(id int64, want State) {
	r.t.Helper()
	r.until("mailbox is "+string(want), func() bool {
		all, err := r.Health(r.ctx, []int64{id})
		r.must(err)
		return all[id].State == want && !all[id].LastSuccess.IsZero()
	})
}

func TestMailIsNoticedAtOnceWithIdle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.IMAP, nil)
	r.run(r.process)
	r.awaitState(m.ID, Watching)
	for _, subject := range []string{"one", "two"} {
		r.arrives(subject, 5*time.Second)
	}
	v := r.check(r.process, m.ID) // in the middle of IDLE
	r.want("messages", v.Messages > 0 && v.Found == 0, true)
	r.arrives("three", 5*time.Second)
}

func TestMailIsNoticedByLookingOverPOP3(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.POP3, nil)
	r.times.poll = brief
	r.run(r.process)
	r.awaitState(m.ID, Watching)
	r.arrives("one", 5*time.Second)
	r.arrives("two", 5*time.Second)
}

func TestChangesOfAccountsAreFollowed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run(r.process)
	m := r.mailbox(fetch.IMAP, func(c *account.MailboxChange) { c.Folder = "Wrong" })
	r.until("it fails", func() bool {
		all, err := r.Health(r.ctx, nil)
		r.must(err)
		return all[m.ID].State == Failing && all[m.ID].Fault != nil && !all[m.ID].NextAttempt.IsZero()
	})
	c := account.MailboxChange{MailboxSettings: m.MailboxSettings}
	c.Folder = "INBOX"
	_, err := r.accounts.SaveMailbox(r.ctx, m.ID, c)
	r.must(err)
	r.awaitState(m.ID, Watching) // at once, although the next attempt was half a minute away
	_, err = r.accounts.SetMailboxActive(r.ctx, m.ID, false)
	r.must(err)
	r.until("nobody watches it", func() bool { return len(r.watched.list()) == 0 })
	_, err = r.CheckNow(r.ctx, m.ID)
	if err == nil {
		t.Error("a disabled account was checked")
	}
}

// Two processes, one owner; when it ends or is killed the other takes over.
func TestAnotherProcessTakesOver(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"stopped", "killed"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.prepareCounting()
			m := r.mailbox(fetch.IMAP, nil)
			first, killFirst := r.mortal(counting())
			r.run(first)
			r.awaitState(m.ID, Watching)
			second := r.another(counting())
			r.run(second)
			r.arrives("one", 5*time.Second)
			r.want("owners", len(first.watched.list())+10*len(second.watched.list()), 1)
			v := r.check(second, m.ID) // the other one does it
			r.want("asked", v.Messages, 1)
			if end == "stopped" {
				first.stop()
			} else {
				killFirst()
			}
			r.arrives("two", 15*time.Second)
			r.until("the second one owns it", func() bool { return len(second.watched.list()) == 1 })
			r.want("acted", r.number("select count(*) from acted"), 2)
		})
	}
}

// mortal is a process that can be killed: it falls silent.
func (r *rig) mortal(o Options) (p *process, kill func()) {
	r.t.Helper()
	config, err := pgxpool.ParseConfig(r.url)
	r.must(err)
	d := &doom{kill: func() {}}
	config.ConnConfig.Tracer = d
	pool, err := pgxpool.NewWithConfig(r.ctx, config)
	r.must(err)
	r.t.Cleanup(pool.Close)
	return r.newProcess(pool, dialers{}, o), d.now
}

// A process that is frozen in the middle of storing, and thaws when another one has taken over, stores nothing.
func TestAFrozenOwnerIsFenced(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"hold", "commit"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.prepareCounting()
			m := r.mailbox(fetch.IMAP, manual)
			r.deliver("one")
			frost := &frost{at: at, frozen: make(chan struct{}), thaw: make(chan struct{})}
			config, err := pgxpool.ParseConfig(r.url)
			r.must(err)
			config.ConnConfig.Tracer = frost
			pool, err := pgxpool.NewWithConfig(r.ctx, config)
			r.must(err)
			t.Cleanup(pool.Close)
			t.Cleanup(frost.warm)
			owner := r.newProcess(pool, dialers{}, counting())
			owner.times.beat, owner.times.storing = time.Hour, time.Second // a frozen process gives no sign of life
			ended := make(chan Visit, 1)
			go func() {
				v, _ := owner.CheckNow(r.ctx, m.ID)
				ended <- v
			}()
			select {
			case <-frost.frozen:
			case v := <-ended:
				t.Fatalf("it was never frozen: %+v", v)
			}
			r.expire()
			next := r.another(counting())
			r.want("taken over", r.check(next, m.ID).Stored, 1)
			frost.warm()
			v := <-ended
			if v.Fault == nil || v.Stored != 0 {
				t.Errorf("the frozen one: %+v", v)
			}
			r.want("stored", r.stored(), "one")
			r.want("acted", r.number("select count(*) from acted"), 1)
		})
	}
}

// frost stops a process at the first storing transaction: before it shows its lease, or before it commits.
type frost struct {
	at           string
	storing      atomic.Bool
	freeze, melt sync.Once
	frozen, thaw chan struct{}
}

func (f *frost) stop() {
	f.freeze.Do(func() {
		close(f.frozen)
		<-f.thaw
	})
}

func (f *frost) warm() { f.melt.Do(func() { close(f.thaw) }) }

func (f *frost) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if strings.Contains(data.Batch.QueuedQueries[len(data.Batch.QueuedQueries)-1].SQL, "for update of mailbox_state") {
		f.storing.Store(true)
		if f.at == "hold" {
			f.stop()
		}
	}
	return ctx
}

func (f *frost) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (f *frost) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func (f *frost) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if f.at == "commit" && data.SQL == "commit" && f.storing.Load() {
		f.stop()
	}
	return ctx
}

func (f *frost) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A process that cannot renew its lease gives up before another one may take over.
func TestALostLeaseEndsTheWatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.IMAP, nil)
	r.run(r.process)
	r.awaitState(m.ID, Watching)
	token := r.number("select token from mailbox_state")
	r.expire()
	r.until("it has joined again", func() bool {
		return r.number("select count(*) from mailbox_state join inbox_process on id = owner where lease_until > now() and token > $1", token) == 1
	})
	r.arrives("one", 5*time.Second)
}

func TestAFailingAccountWaitsLongerEachTime(t *testing.T) {
	t.Parallel()
	refused := errors.New("network")
	last := time.Duration(0)
	for failures := 1; failures < 20; failures++ {
		d := backOff(refused, failures)
		if d < last/2 || d > longestPause*6/5 {
			t.Errorf("%d failures: %s after %s", failures, d, last)
		}
		last = d
	}
}

const (
	childURL     = "ORBIT_INBOX_TEST_DATABASE"
	childKey     = "ORBIT_INBOX_TEST_KEY"
	childAccount = "ORBIT_INBOX_TEST_ACCOUNT"
)

// TestMain is also the process that is killed for real.
func TestMain(m *testing.M) {
	if os.Getenv(childURL) == "" {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child pays one visit.
func child() error {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv(childURL))
	if err != nil {
		return err
	}
	r := &rig{t: new(testing.T), log: &lockedBuffer{}, ctx: ctx}
	if r.box, _, err = credential.OpenBox(ctx, pool, os.Getenv(childKey)); err != nil {
		return err
	}
	p := r.newProcess(pool, dialers{}, counting())
	var id int64
	if _, err := fmt.Sscan(os.Getenv(childAccount), &id); err != nil {
		return err
	}
	_, err = p.CheckNow(ctx, id)
	return err
}

// The real thing: SIGKILL while a process stores what it reads.
func TestKilledForReal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := filepath.Join(t.TempDir(), "keyset.key")
	box, _, err := credential.OpenBox(r.ctx, r.pool, key)
	r.must(err)
	r.box = box
	r.prepareCounting()
	r.process = r.another(counting())
	m := r.mailbox(fetch.IMAP, noCopies)
	c := r.admin()
	const messages = 600
	for n := range messages {
		r.add(c, "INBOX", string(letterOf(fmt.Sprint(n))))
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childURL+"="+r.url, childKey+"="+key, fmt.Sprintf("%s=%d", childAccount, m.ID))
	r.must(cmd.Start())
	r.until("the process stores", func() bool { return r.number("select count(*) from inbound_message") > 0 })
	r.must(cmd.Process.Kill())
	_ = cmd.Wait()
	before := r.number("select count(*) from inbound_message")
	r.expire()
	r.check(r.process, m.ID)
	r.want("stored", r.number("select count(distinct subject) from inbound_message"), messages)
	r.want("acted", r.number("select count(*) from acted"), messages)
	r.want("left", r.left(), 0)
	t.Logf("killed when %d of %d were stored", before, messages)
}
