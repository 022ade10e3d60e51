package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
	"orbit/internal/setting"
	"orbit/internal/vault"
)

// house is a Service on a database of its own, with a mail server that keeps what it takes.
type house struct {
	*Service
	t    testing.TB
	ctx  context.Context
	pool *pgxpool.Pool
	mail *sink
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return newHouseWith(t, Options{})
}

// newHouseWith is a house with tokens or a proxy of its own.
func newHouseWith(t testing.TB, o Options) *house {
	t.Helper()
	pool := pgtest.New(t)
	ctx := audit.WithActor(t.Context(), audit.Actor{Kind: audit.User, ID: 1, Name: "alice"})
	credentials := credential.New(pool, vault.NewTestBox())
	o.Pool, o.Credentials, o.Settings, o.Dialers = pool, credentials, setting.New(pool), plainDialers{}
	service := New(o)
	credentials.UsedBy = service.CredentialUses
	return &house{Service: service, t: t, ctx: ctx, pool: pool, mail: newSink(t)}
}

// exec changes what only time would.
func (h *house) exec(sql string) {
	h.t.Helper()
	if _, err := h.pool.Exec(h.ctx, sql); err != nil {
		h.t.Fatal(err)
	}
}

// as is the same house with another person in it.
func (h *house) as(name string) context.Context {
	return audit.WithActor(h.ctx, audit.Actor{Kind: audit.User, ID: 2, Name: name})
}

// change is a valid account at the house's mail server, with a credential of its own.
func (h *house) change(name string) SMTPChange {
	settings := office365()
	settings.AccountName, settings.DefaultAccount = name, false
	settings.SMTPHost, settings.Port = "127.0.0.1", h.mail.port
	settings.CredentialID = NewCredentialID
	return SMTPChange{
		SMTPSettings: settings, Secret: vault.NewSecret("correct horse"),
		NewCredential: NewCredential{Name: name + " credential", Username: "alerts@example.com"},
	}
}

func (h *house) create(c SMTPChange) SMTP {
	h.t.Helper()
	stored, err := h.CreateSMTP(h.ctx, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return stored
}

func wantInvalid(t testing.TB, err error, field string) {
	t.Helper()
	var invalid problem.Invalid
	if !errors.As(err, &invalid) || invalid.For(field) == "" {
		t.Fatalf("want a problem with %s, got %v", field, err)
	}
}

// plainDialers connects directly and without rules: the rules are the connector's and tested there.
type plainDialers struct{}

func (plainDialers) Dialer(context.Context, bool, int64) (dial.Dialer, error) {
	return plainDialer{}, nil
}

type plainDialer struct{}

func (plainDialer) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// sink is a mail server that takes one username and password.
type sink struct {
	port     int
	messages chan string
}

func newSink(t testing.TB) *sink {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{port: listener.Addr().(*net.TCPAddr).Port, messages: make(chan string, 100)}
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth = "sink.example", true
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }

type sinkSession struct {
	sink *sink
	from string
}

func (*sinkSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (*sinkSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "alerts@example.com" || password != "correct horse" {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong"}
		}
		return nil
	}), nil
}

func (s *sinkSession) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (*sinkSession) Rcpt(string, *smtp.RcptOptions) error          { return nil }
func (*sinkSession) Reset()                                        {}
func (*sinkSession) Logout() error                                 { return nil }

func (s *sinkSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.sink.messages <- fmt.Sprintf("MAIL FROM:<%s>\r\n%s", s.from, raw)
	return nil
}
