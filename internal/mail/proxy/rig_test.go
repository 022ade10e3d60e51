package proxy

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/vault"
)

// patient bounds every wait in tests; nothing waits for time to pass.
const patient = 20 * time.Second

// pair is a certificate for 127.0.0.1 that is its own authority.
type pair struct {
	cert, key []byte // PEM
	tls       tls.Certificate
}

var makePair = sync.OnceValue(func() pair { return newPair("localhost") })

func newPair(name string) pair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(240 * time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	p := pair{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
	p.tls, err = tls.X509KeyPair(p.cert, p.key)
	must(err)
	return p
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// write puts the pair into files for a listener.
func (p pair) write(t testing.TB, certFile, keyFile string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(certFile, p.cert, 0o600), os.WriteFile(keyFile, p.key, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// fakeBackend knows one account with any number of tokens.
type fakeBackend struct {
	mu       sync.Mutex
	password string
	tokens   []string // the first is the current one; a refresh moves on
	dials    int
	refused  int // refreshes asked for
	login    func(ctx context.Context, username string) error
	token    func(ctx context.Context, refresh bool) error
	dial     func(ctx context.Context) (net.Conn, error)
}

const (
	testUser     = "user@example.com"
	testPassword = "pass word"
	testToken    = "token-1"
)

// dialled and refreshed return what has been asked for so far.
func (b *fakeBackend) dialled() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dials
}

func (b *fakeBackend) refreshed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}

func newBackend() *fakeBackend {
	return &fakeBackend{password: testPassword, tokens: []string{testToken}}
}

func (b *fakeBackend) Login(ctx context.Context, username string, password vault.Secret, _ Client) (Account, error) {
	if b.login != nil {
		if err := b.login(ctx, username); err != nil {
			return Account{}, err
		}
	}
	switch {
	case username != testUser:
		return Account{}, &Refusal{Reason: UnknownAccount}
	case password.Reveal() != b.password:
		return Account{}, &Refusal{Reason: WrongCredentials}
	}
	return Account{ID: 7, Name: username, Mailbox: username}, nil
}

func (b *fakeBackend) Token(ctx context.Context, _ Listener, _ Account, refresh bool) (vault.Secret, error) {
	if b.token != nil {
		if err := b.token(ctx, refresh); err != nil {
			return vault.Secret{}, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if refresh {
		b.refused++
		if len(b.tokens) > 1 {
			b.tokens = b.tokens[1:]
		}
	}
	return vault.NewSecret(b.tokens[0]), nil
}

func (b *fakeBackend) Dial(ctx context.Context, l Listener, _ Account) (net.Conn, error) {
	b.mu.Lock()
	b.dials++
	b.mu.Unlock()
	if b.dial != nil {
		return b.dial(ctx)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", hostPort(l.Upstream))
}

// rig is a running Server with one listener.
type rig struct {
	t        testing.TB
	server   *Server
	backend  *fakeBackend
	listener Listener
	events   chan Event
	seen     []Event // taken from events, not yet awaited
	stop     func()  // ends Run and waits for it
}

// newRig starts a server. The zero listener fields are filled in: any free port, plain.
func newRig(t testing.TB, b *fakeBackend, l Listener) *rig {
	t.Helper()
	r := &rig{t: t, backend: b, events: make(chan Event, 100_000)}
	l.Name = "test"
	if l.LocalAddress == "" {
		l.LocalAddress = "127.0.0.1:0"
	}
	if l.LocalSecurity != dial.Plain && l.CertFile == "" {
		dir := t.TempDir()
		l.CertFile, l.KeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		makePair().write(t, l.CertFile, l.KeyFile)
	}
	server, err := New(Options{
		Backend: b, Observer: ObserverFunc(func(e Event) { r.events <- e }), Name: "orbit.test",
		Drain: patient, Retry: time.Millisecond, Delay: func(int) time.Duration { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.server, r.listener = server, l
	server.Apply([]Listener{l})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	r.await(Listening)
	return r
}

// await returns the next event of a kind, whatever has happened around it.
func (r *rig) await(kind Kind) Event {
	r.t.Helper()
	timeout := time.After(patient)
	for {
		for i, e := range r.seen {
			if e.Kind == kind {
				r.seen = slices.Delete(r.seen, i, i+1)
				return e
			}
		}
		select {
		case e := <-r.events:
			if e.Kind == Panicked && kind != Panicked {
				r.t.Fatalf("panic: %v\n%s", e.Err, e.Text)
			}
			r.seen = append(r.seen, e)
		case <-timeout:
			r.t.Fatalf("no event %q", kind)
		}
	}
}

func (r *rig) address() string { return r.server.Status()[0].Address }

// peer is one end of a line conversation in a test.
type peer struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	_ = conn.SetDeadline(time.Now().Add(patient))
	return &peer{Conn: conn, t: t, in: bufio.NewReader(conn)}
}

// connect opens a client's connection.
func (r *rig) connect() *peer {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.address())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	if r.listener.LocalSecurity == dial.Implicit {
		conn = tls.Client(conn, clientTLS())
	}
	return newPeer(r.t, conn)
}

func clientTLS() *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(makePair().cert)
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

func (p *peer) put(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.Conn, text); err != nil {
		p.t.Fatalf("write %q: %v", text, err)
	}
}

func (p *peer) line() string {
	p.t.Helper()
	line, err := p.in.ReadString('\n')
	if err != nil {
		p.t.Fatalf("read: %v after %q", err, line)
	}
	return strings.TrimRight(line, "\r\n")
}

// want reads lines and compares each with a pattern.
func (p *peer) want(patterns ...string) {
	p.t.Helper()
	for _, pattern := range patterns {
		if line := p.line(); !matches(pattern, line) {
			p.t.Fatalf("got %q, want %q", line, pattern)
		}
	}
}

// talk alternates between what the client says and what it wants to hear, one line each.
func (p *peer) talk(lines ...string) {
	p.t.Helper()
	for i := 0; i+1 < len(lines); i += 2 {
		p.put(lines[i])
		p.want(lines[i+1])
	}
}

// ended wants the connection to be closed, after whatever is still on its way.
func (p *peer) ended() {
	p.t.Helper()
	if _, err := io.Copy(io.Discard, p.in); err != nil && !isReset(err) {
		p.t.Fatalf("the connection is not closed: %v", err)
	}
}

func isReset(err error) bool {
	var timeout net.Error
	return !errors.As(err, &timeout) || !timeout.Timeout()
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func plain64(user, password string) string { return b64("\x00" + user + "\x00" + password) }

func xoauth2(token string) string {
	return b64(fmt.Sprintf("user=%s\x01auth=Bearer %s\x01\x01", testUser, token))
}

func matches(pattern, line string) bool {
	return regexp.MustCompile("^(?:" + pattern + ")$").MatchString(line)
}
