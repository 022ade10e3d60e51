package connector

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/ssh"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/vault"
)

// house is a Service with a database, allowed to reach this machine.
type house struct {
	*Service
	t    *testing.T
	ctx  context.Context
	pool *pgxpool.Pool
}

func newHouse(t *testing.T) house {
	t.Helper()
	pool := pgtest.New(t)
	s := NewService(pool, rules(t, "127.0.0.0/8", ""))
	s.Credentials = credential.New(pool, vault.NewTestBox())
	s.Credentials.UsedBy = s.CredentialUses
	s.Resolver = nobody{t}
	t.Cleanup(s.Close)
	return house{Service: s, t: t, ctx: audit.WithActor(t.Context(), audit.Actor{Kind: "user", Name: "ana"}), pool: pool}
}

// nobody fails the test when a name is looked up on this side.
type nobody struct{ t *testing.T }

func (n nobody) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.t.Errorf("%s was looked up on this side", host)
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// register stores an active connector on this machine; a username registers a credential with it.
func (h house) register(kind Kind, port int, username, secret string) Connector {
	h.t.Helper()
	c := Change{Settings: Settings{Name: string(kind) + " " + strings.ToLower(h.t.Name()), Kind: kind, Address: "127.0.0.1", Port: port, Active: true}}
	if username != "" {
		c.CredentialID, c.NewCredential, c.Secret = NewCredentialID, NewCredential{Name: "gate", Username: username}, vault.NewSecret(secret)
	}
	stored, err := h.Create(h.ctx, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return stored
}

// dial goes through a connector and returns the connection with the steps.
func (h house) dial(c Connector, host string, port int) (net.Conn, []ladder.Step, error) {
	h.t.Helper()
	d, err := h.Dialer(h.ctx, true, c.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	l := ladder.New(nil)
	conn, err := d.Dial(ladder.With(h.ctx, l), host, port)
	if (conn == nil) != (err != nil) {
		h.t.Fatalf("%v, %v", conn, err)
	}
	if conn != nil {
		h.t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, l.Steps(), err
}

// peer is a server on this machine that follows a script with each connection.
func peer(t *testing.T, script func(net.Conn)) int {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				script(conn)
			}()
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port
}

// greeter is a server that speaks first, as mail servers do, and then says everything back.
func greeter(t *testing.T) int {
	t.Helper()
	return peer(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "220 far.example.com ESMTP\r\n")
		_, _ = io.Copy(conn, conn)
	})
}

// converses checks that a connection leads to a greeter.
func converses(t *testing.T, conn net.Conn) {
	t.Helper()
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || line != "220 far.example.com ESMTP\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := io.WriteString(conn, "ping\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := r.ReadString('\n'); err != nil || line != "ping\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

// names lists the steps of a visit.
func names(steps []ladder.Step) string {
	var all []string
	for _, s := range steps {
		all = append(all, string(s.Name))
	}
	return strings.Join(all, " ")
}

// closedPort is one that nobody has: a port that was just closed is another test's in the next moment.
const closedPort = 1

// confirmed lets an SSH server show its host key and confirms it.
func (h house) confirmed(c Connector) Connector {
	h.t.Helper()
	if _, _, err := h.dial(c, "localhost", 25); faultOf(h.t, err).Fault.Code != "ssh_host_key_unconfirmed" {
		h.t.Fatal(err)
	}
	seen, err := h.Find(h.ctx, c.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if c, err = h.ConfirmHostKey(h.ctx, c.ID, seen.OfferedFingerprint); err != nil {
		h.t.Fatal(err)
	}
	return c
}

func secretOf(text string) vault.Secret { return vault.NewSecret(text) }

// tlsGreeter is a greeter that speaks TLS from the first byte.
func tlsGreeter(t *testing.T, cert mailtest.Cert) int {
	t.Helper()
	return peer(t, func(conn net.Conn) {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, MinVersion: tls.VersionTLS12})
		if _, err := io.WriteString(secure, "220 far.example.com ESMTP\r\n"); err != nil {
			return
		}
		_, _ = io.Copy(secure, secure)
	})
}

// silent is a Service whose peers say a text and then nothing; they run on the clock of a test bubble.
func silent(text string) *Service {
	s := NewService(nil, Rules{})
	s.open = func(context.Context, netip.AddrPort) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			_, _ = far.Read(make([]byte, 4096))
			_, _ = io.WriteString(far, text)
			_, _ = io.Copy(io.Discard, far)
		}()
		return near, nil
	}
	return s
}

// untilListening returns when Run hears notifications.
func (h house) untilListening() {
	h.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for listening := false; !listening; {
		err := h.pool.QueryRow(h.ctx, `
			select exists (
				select from pg_stat_activity
				where datname = current_database() and query = 'listen network_connector' and state = 'idle'
			)`).Scan(&listening)
		if err != nil {
			h.t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-h.ctx.Done():
			h.t.Fatal("nobody listens")
		}
	}
}

// newClientKey makes a key that no server knows.
func newClientKey(t *testing.T) (ssh.PublicKey, string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(block))
}
