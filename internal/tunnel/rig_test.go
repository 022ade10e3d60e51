package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orbit/internal/vault"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what should come at once.
const patience = 10 * time.Second

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); !is(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s: %s", patience, what)
		}
	}
}

// book is a registry in memory.
type book struct {
	mu      sync.Mutex
	tokens  map[string]string // token -> key that used it
	agents  map[string]Known
	revoked map[string]bool
}

func newBook(tokens ...string) *book {
	b := &book{tokens: map[string]string{}, agents: map[string]Known{}, revoked: map[string]bool{}}
	for _, token := range tokens {
		b.tokens[token] = ""
	}
	return b
}

func (b *book) SignIn(_ context.Context, c Claim) (Known, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := string(c.Key)
	if b.revoked[key] {
		return Known{}, &Refusal{Code: Revoked, Text: "it was revoked"}
	}
	if a, known := b.agents[key]; known {
		a.Secondary = c.Secondary
		return a, nil
	}
	user, found := b.tokens[c.Token.Reveal()]
	switch {
	case c.Token.IsZero():
		return Known{}, &Refusal{Code: UnknownKey, Text: "its key is unknown"}
	case !found:
		return Known{}, &Refusal{Code: UnknownToken, Text: "the token is unknown"}
	case user != "":
		return Known{}, &Refusal{Code: UsedToken, Text: "the token was used"}
	case c.Probe:
		return Known{}, nil
	}
	b.tokens[c.Token.Reveal()] = key
	a := Known{ID: int64(len(b.agents) + 1), Name: c.Name, Connector: 1, ConnectorName: "far", Secondary: c.Secondary}
	b.agents[key] = a
	return a, nil
}

func (b *book) revoke(key ed25519.PublicKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revoked[string(key)] = true
}

var certificateOnce = sync.OnceValue(func() tls.Certificate {
	certificate, key, err := NewCertificate()
	if err != nil {
		panic(err)
	}
	loaded, err := LoadCertificate(certificate, key)
	if err != nil {
		panic(err)
	}
	return loaded
})

// orbit is one process of the server's side.
type orbit struct {
	*Broker
	address string
	stop    func()
	events  chan Event
}

func newOrbit(t testing.TB, process string, agents Registry, change ...func(*BrokerOptions)) *orbit {
	t.Helper()
	o := &orbit{events: make(chan Event, 1000)}
	options := BrokerOptions{
		Certificate: certificateOnce(), PeerKey: vault.NewSecret("the processes know it"), Process: process, Registry: agents,
		Observe: func(e Event) { o.events <- e }, Drain: time.Second,
	}
	for _, c := range change {
		c(&options)
	}
	var err error
	if o.Broker, err = NewBroker(options); err != nil {
		t.Fatal(err)
	}
	o.serve(t, "127.0.0.1:0")
	return o
}

// serve listens, again on the same port after stop.
func (o *orbit) serve(t testing.TB, address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	o.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- o.Serve(ctx, listener) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		o.Broker.Close()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(o.stop)
}

func (o *orbit) online(n int) func() bool { return func() bool { return len(o.Links()) == n } }

// agentOptions are those of an agent for some processes.
func agentOptions(t testing.TB, token string, to ...*orbit) AgentOptions {
	t.Helper()
	o := AgentOptions{
		Fingerprint: Fingerprint(certificateOnce().Certificate[0]), Token: vault.NewSecret(token), Name: "agent " + token,
		Version: "test", State: t.TempDir(), Dial: plainDial, Drain: time.Second,
	}
	for _, orbit := range to {
		o.Addresses = append(o.Addresses, orbit.address)
	}
	return o
}

// running is an agent that runs.
type running struct {
	*Agent
	stop  func()
	ended chan error
}

func runAgent(t testing.TB, o AgentOptions) *running {
	t.Helper()
	a, err := NewAgent(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{Agent: a, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() { r.ended <- a.Run(ctx); close(done) }()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	return r
}

// plainDial knows no rules.
func plainDial(ctx context.Context, r Request, _ func(Progress)) (Dialled, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(r.Host, strconv.Itoa(r.Port)))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// server is something in the agent's network.
func server(t testing.TB, serve func(net.Conn)) Request {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() { // counted itself, so that none is counted while somebody waits for all
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { defer conn.Close(); serve(conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); conns.Wait() })
	return Request{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Timeout: 5 * time.Second, Connector: 1}
}

func echo(conn net.Conn) {
	_, _ = io.Copy(conn, conn)
	_ = conn.(*net.TCPConn).CloseWrite()
}

func (o *orbit) dial(t testing.TB, r Request) *Conn {
	t.Helper()
	conn, err := o.Dial(t.Context(), r, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func swap(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	if err := exchange(conn, text); err != nil {
		t.Fatal(err)
	}
}

func exchange(conn net.Conn, text string) error {
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	back := make([]byte, len(text))
	if _, err := io.ReadFull(conn, back); err != nil {
		return err
	}
	if string(back) != text {
		return errors.New("got " + string(back))
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
