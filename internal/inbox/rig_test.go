package inbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/account"
	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/mailtest"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/setting"
	"orbit/internal/vault"
)

const patient = 30 * time.Second // a test waits no longer for anything

// rig is one installation with a mail server. Its processes share the database.
type rig struct {
	t      testing.TB
	ctx    context.Context
	url    string
	pool   *pgxpool.Pool
	box    *vault.Box
	server *mailtest.DovecotServer
	log    *lockedBuffer
	*process
}

// process is what one Orbit process has in memory.
type process struct {
	*Service
	pool *pgxpool.Pool
	stop func() // ends Run and waits for it
}

// newRig makes an installation in which nothing runs yet.
func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, url: pgtest.URL(t), box: vault.NewTestBox(), log: &lockedBuffer{}, server: mailtest.Dovecot(t, mailtest.DovecotOptions{})}
	r.ctx = audit.WithActor(context.WithoutCancel(t.Context()), audit.Actor{Kind: audit.User, ID: 1, Name: "ana"})
	r.pool = pgtest.Open(t, r.url)
	r.process = r.newProcess(r.pool, dialers{}, Options{})
	return r
}

// newProcess is another Orbit process on the same database; run starts it.
func (r *rig) newProcess(pool *pgxpool.Pool, way account.Dialers, o Options) *process {
	r.t.Helper()
	o.Pool, o.Settings = pool, setting.New(pool)
	o.Log = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Accounts = account.New(account.Options{Pool: pool, Credentials: credential.New(pool, r.box), Settings: o.Settings, Dialers: way})
	o.Sent = func(ctx context.Context, id string) (string, error) {
		test, err := o.Accounts.SentTest(ctx, id)
		if test == 0 {
			return "", err
		}
		return fmt.Sprintf("smtp_test/%d", test), err
	}
	s, err := New(o)
	r.must(err)
	s.times.lease, s.times.beat, s.times.look, s.times.again = 3*time.Second, 300*time.Millisecond, 100*time.Millisecond, 10*time.Millisecond
	return &process{Service: s, pool: pool}
}

// another is a process with a pool of its own.
func (r *rig) another(o Options) *process {
	r.t.Helper()
	return r.newProcess(pgtest.Open(r.t, r.url), dialers{}, o)
}

// run starts a process; it ends with the test, if not before.
func (r *rig) run(p *process) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Run(ctx)
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(2 * patient):
			r.t.Error("it does not end")
		}
	})
	r.t.Cleanup(p.stop)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// settings are those of an account at the server.
func (r *rig) settings(p fetch.Protocol) account.MailboxChange {
	s := account.NewMailboxSettings()
	s.AccountName, s.Protocol, s.Address, s.Port = "Inbox", p, "localhost", r.server.IMAPS
	if p == fetch.POP3 {
		s.Port = r.server.POP3S
	}
	s.CertificateRule, s.CertificateCA = dial.CustomCA, r.server.Cert.CA
	s.CredentialID = account.NewCredentialID
	return account.MailboxChange{
		MailboxSettings: s, Secret: vault.NewSecret(mailtest.Password),
		NewCredential: account.NewCredential{Name: "of the inbox", Username: mailtest.User},
	}
}

// mailbox registers an account that was there before all mail.
func (r *rig) mailbox(p fetch.Protocol, edit func(*account.MailboxChange)) account.Mailbox {
	r.t.Helper()
	c := r.settings(p)
	if edit != nil {
		edit(&c)
	}
	m, err := r.accounts.CreateMailbox(r.ctx, c)
	r.must(err)
	r.exec("update mailbox_account set created_at = now() - interval '1 day' where id = $1", m.ID)
	m.CreatedAt = m.CreatedAt.AddDate(0, 0, -1)
	return m
}

func manual(c *account.MailboxChange)   { c.AutomaticCheck = false }
func noCopies(c *account.MailboxChange) { c.AutomaticCheck, c.KeepCopyOnServer = false, false }

// deliver puts a message into the mailbox.
func (r *rig) deliver(subject string) {
	r.t.Helper()
	r.server.Deliver(r.t, mailtest.User, letterOf(subject))
}

func letterOf(subject string) []byte {
	return []byte("From: Ann <ann@example.net>\nTo: info@example.com\nSubject: " + subject + "\nMessage-ID: <" + subject + "@example.net>\n\nText of " + subject + ".\n")
}

// check pays a visit that must go well.
func (r *rig) check(p *process, id int64) Visit {
	r.t.Helper()
	v, err := p.CheckNow(r.ctx, id)
	r.must(err)
	if v.Fault != nil {
		r.t.Fatalf("%+v\n%s", *v.Fault, r.log)
	}
	return v
}

// stored returns the subjects of what is stored, oldest first.
func (r *rig) stored() string {
	r.t.Helper()
	rows, _, err := r.List(r.ctx, Filter{Limit: 1000})
	r.must(err)
	var subjects []string
	for _, row := range rows {
		subjects = append([]string{row.Subject}, subjects...)
	}
	return strings.Join(subjects, " ")
}

// want compares, and shows the log.
func (r *rig) want(what string, got, want any) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s: %v, want %v\n%s", what, got, want, r.log)
	}
}

// until polls the database, which tells nobody when it has changed.
func (r *rig) until(what string, done func() bool) {
	r.t.Helper()
	deadline := time.After(patient)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline:
			r.t.Fatalf("still not: %s\n%s", what, r.log)
		}
	}
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	_, err := r.pool.Exec(r.ctx, sql, args...)
	r.must(err)
}

func (r *rig) number(sql string, args ...any) (n int) {
	r.t.Helper()
	r.must(r.pool.QueryRow(r.ctx, sql, args...).Scan(&n))
	return n
}

// left returns how many messages are on the server.
func (r *rig) left() int {
	r.t.Helper()
	c := r.settings(fetch.IMAP)
	box, err := fetch.Open(r.ctx, dialer{}, fetch.Server{
		Target: c.Target(), Protocol: fetch.IMAP, ReadOnly: true,
		Auth: fetch.Auth{Username: mailtest.User, Password: vault.NewSecret(mailtest.Password)},
	})
	r.must(err)
	defer func() { _ = box.Close(r.ctx) }()
	return box.State().Messages
}

// dialers connects to this machine, and hands each connection to wrap, if there is one.
type dialers struct{ wrap func(net.Conn) net.Conn }

func (d dialers) Dialer(context.Context, bool, int64) (dial.Dialer, error) { return dialer(d), nil }

type dialer struct{ wrap func(net.Conn) net.Conn }

func (d dialer) Dial(ctx context.Context, _ string, port int) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil && d.wrap != nil {
		conn = d.wrap(conn)
	}
	return conn, err
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
