package proxyhost

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

const (
	patient  = 20 * time.Second // a test waits no longer for anything
	mailbox  = "alerts@orbit.example"
	password = "local secret of the mail program"
)

// rig is one installation with a provider. Its processes share the database.
type rig struct {
	t      *testing.T
	ctx    context.Context
	pool   *pgxpool.Pool
	box    *vault.Box
	mail   *sandbox.Sandbox
	client idp.Client
	log    *lockedBuffer
	*process
}

// process is what one Orbit process has in memory.
type process struct {
	*Service
	oauth       *oauth.Service
	credentials *credential.Service
	stop        func() // ends Run and waits for it
}

// newRig makes an installation in which nothing runs yet.
func newRig(t *testing.T) *rig { return newRigWith(t, idp.Options{}) }

func newRigWith(t *testing.T, o idp.Options) *rig {
	t.Helper()
	t.Parallel()
	r := &rig{
		t: t, pool: pgtest.New(t), box: vault.NewTestBox(), log: &lockedBuffer{}, client: idp.DefaultClient(),
		mail: sandboxtest.New(t, sandbox.Options{Identity: o}),
		ctx:  audit.WithActor(context.WithoutCancel(t.Context()), audit.Actor{Kind: audit.User, ID: 1, Name: "ana"}),
	}
	r.process = r.newProcess()
	return r
}

// newProcess is another Orbit process on the same database; run starts it.
func (r *rig) newProcess() *process {
	r.t.Helper()
	rules, err := connector.ParseRules("127.0.0.0/8", "")
	r.must(err)
	p := &process{credentials: credential.New(r.pool, r.box)}
	connectors := connector.NewService(r.pool, rules)
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.oauth, err = oauth.New(oauth.Options{
		Pool: r.pool, Box: r.box, BaseURL: "http://127.0.0.1:8080", Log: log,
		Client: func(ctx context.Context, c oauth.Registration) (*http.Client, error) {
			return connectors.HTTPClient(ctx, c.UseNetworkConnector, c.NetworkConnectorID)
		},
		Prover: oauth.ProverFunc(func(ctx context.Context, address string, token vault.Secret) (string, error) {
			return p.Prove(ctx, address, token)
		}),
		Observe: func(e oauth.Event) { p.Heard(e) },
		InUse: func(ctx context.Context, tx pgx.Tx, c oauth.Registration, _ func(string) bool) ([]credential.Destination, error) {
			return p.Upstreams(ctx, tx, c)
		},
	})
	r.must(err)
	p.Service, err = New(Options{
		Pool: r.pool, OAuth: p.oauth, Credentials: p.credentials, Connectors: connectors, Log: log,
		Version: "test", Drain: patient,
	})
	r.must(err)
	connectors.OwnListener = p.OwnListener
	return p
}

// run starts the process; it ends with the test, if not before.
func (r *rig) run(p *process) {
	r.t.Helper()
	p.stop = background(r.t, p.Run)
}

// background runs something until the test ends, or until stop, which waits for its end.
func background(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(2 * patient):
			t.Error("it does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// must stops the test at an error.
func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// settings leads to the sandbox's server for a protocol.
func (r *rig) settings(p proxy.Protocol) Settings {
	s := Settings{
		Protocol: p, LocalPort: freePort(r.t), ServerAddress: "127.0.0.1", ServerSecurity: dial.Implicit,
		CertificateRule: dial.CustomCA, CertificateCA: r.mail.Certificate.CA,
	}
	s.ServerPort = map[proxy.Protocol]int{proxy.IMAP: r.mail.Ports.IMAPS, proxy.POP3: r.mail.Ports.POP3S, proxy.SMTP: r.mail.Ports.SMTPS}[p]
	return s
}

// listen registers a listener.
func (r *rig) listen(s Settings) Listener {
	r.t.Helper()
	l, err := r.Create(r.ctx, Change{Settings: s})
	r.must(err)
	return l
}

// registration is for pattern at the sandbox.
func (r *rig) registration(pattern string, flow oauth.Flow) oauth.Change {
	at := r.mail.Endpoints
	c := oauth.Change{Settings: oauth.Settings{
		Pattern: pattern, Flow: flow, Provider: "other", TokenURL: at.Token, ClientID: r.client.ID,
		Scope: "https://outlook.office365.com/IMAP.AccessAsUser.All https://outlook.office365.com/POP.AccessAsUser.All https://outlook.office365.com/SMTP.Send offline_access",
	}, Secret: oauth.NewSecret{Secret: vault.NewSecret(r.client.Secrets[0])}}
	switch flow {
	case oauth.AuthorizationCode:
		c.PermissionURL = at.Authorise
	case oauth.DeviceCode:
		c.DeviceURL = at.Device
	case oauth.ClientCredentials:
		c.Scope = "https://outlook.office365.com/.default"
	case oauth.ServiceAccount:
		c.Scope = "https://mail.google.com/"
	case oauth.Password:
	}
	return c
}

func (r *rig) register(c oauth.Change) oauth.Registration {
	r.t.Helper()
	stored, _, err := r.oauth.Create(r.ctx, c)
	r.must(err)
	return stored
}

// credential registers somebody who may sign in at the listeners.
func (r *rig) credential(username string) {
	r.t.Helper()
	_, err := r.credentials.Create(r.ctx, "credential of "+username, username, vault.NewSecret(password))
	r.must(err)
}

// authorise does what a person does at the provider.
func (r *rig) authorise(address string) oauth.Outcome {
	r.t.Helper()
	session := []byte("session of ana")
	visit, err := r.oauth.Visit(r.ctx, address, session)
	r.must(err)
	back := sandboxtest.Accept(r.t, visit, address)
	outcome, err := r.oauth.Complete(r.ctx, oauth.ReadCallback(back.Query(), session))
	r.must(err)
	if !outcome.Authorised {
		r.t.Fatalf("%s was not authorised: %+v", address, outcome.Fault)
	}
	return outcome
}

// ready is an installation that serves mailbox by a protocol, authorised and running.
func ready(t *testing.T, p proxy.Protocol) (*rig, Listener) {
	t.Helper()
	r := newRig(t)
	l := r.listen(r.settings(p))
	r.register(r.registration("@", oauth.AuthorizationCode))
	r.credential(mailbox)
	r.authorise(mailbox)
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	return r, l
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

func (r *rig) status(id int64) Status {
	r.t.Helper()
	all, err := r.Statuses(r.ctx)
	r.must(err)
	for _, st := range all {
		if st.ID == id {
			return st
		}
	}
	r.t.Fatalf("no status of listener %d", id)
	return Status{}
}

func (r *rig) awaitState(id int64, want proxy.State) {
	r.t.Helper()
	r.until("listener is "+string(want), func() bool { return r.status(id).State == want })
}

// awaitEvent returns the first event of a kind that contains a text.
func (r *rig) awaitEvent(kind, text string) Event {
	r.t.Helper()
	var found Event
	r.until("event "+kind+" with "+text, func() bool {
		events := r.eventsOf(kind)
		i := slices.IndexFunc(events, func(e Event) bool { return strings.Contains(e.Text, text) })
		if i >= 0 {
			found = events[i]
		}
		return i >= 0
	})
	return found
}

func (r *rig) eventsOf(kind string) []Event {
	r.t.Helper()
	events, err := r.Events(r.ctx, EventFilter{Limit: maxEvents})
	r.must(err)
	return slices.DeleteFunc(events, func(e Event) bool { return e.Kind != kind })
}

// imap opens a connection to a listener.
func (r *rig) imap(l Listener) *imapclient.Client {
	r.t.Helper()
	conn, err := net.DialTimeout("tcp", l.Local(), patient)
	r.must(err)
	_ = conn.SetDeadline(time.Now().Add(2 * patient))
	c := imapclient.New(conn, nil)
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// login signs in and takes its leave.
func (r *rig) login(l Listener, username, secret string) error {
	r.t.Helper()
	c := r.imap(l)
	defer c.Close()
	if err := c.Login(username, secret).Wait(); err != nil {
		return err
	}
	return c.Logout().Wait()
}

// exec changes what only time would.
func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	_, err := r.pool.Exec(r.ctx, sql, args...)
	r.must(err)
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (r *rig) trusting() *tls.Config { return sandboxtest.TLS(r.mail) }

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
