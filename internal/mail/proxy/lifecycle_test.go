package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/vault"
)

func TestPortInUseIsStandbyUntilItIsFree(t *testing.T) {
	t.Parallel()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan Event, 1000)
	server, err := New(Options{Backend: newBackend(), Retry: time.Millisecond, Observer: ObserverFunc(func(e Event) { events <- e })})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	server.Apply([]Listener{{Name: "a", Protocol: IMAP, LocalAddress: port.Addr().String()}})
	if e := <-events; e.Kind != PortInUse || !strings.Contains(e.Sentence(), "is the proxy already running?") {
		t.Errorf("%+v", e)
	}
	if st := server.Status()[0]; st.State != Standby || st.Reason == "" {
		t.Errorf("%+v", st)
	}
	_ = port.Close()
	if e := <-events; e.Kind != Listening {
		t.Errorf("%+v", e)
	}
	if st := server.Status()[0]; st.State != Running || st.Address != port.Addr().String() {
		t.Errorf("%+v", st)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if e := <-events; e.Kind != Stopped {
		t.Errorf("%+v", e)
	}
}

func TestListenerThatCanNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]Listener{
		"address":     {LocalAddress: "192.0.2.1:1"},
		"certificate": {LocalAddress: "127.0.0.1:0", LocalSecurity: dial.Implicit, CertFile: "/nowhere/cert.pem", KeyFile: "/nowhere/key.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l.Name, l.Protocol = name, IMAP
			events := make(chan Event, 1000)
			server, _ := New(Options{Backend: newBackend(), Observer: ObserverFunc(func(e Event) { events <- e })})
			server.Apply([]Listener{l})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- server.Run(ctx) }()
			if e := <-events; e.Kind != ListenFailed {
				t.Errorf("%+v", e)
			}
			if st := server.Status()[0]; st.State != Failed || st.Reason == "" {
				t.Errorf("%+v", st)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// A8.17: what has not changed is left alone with its sessions, what has changed is drained and starts anew.
func TestApplyRestartsOnlyWhatHasChanged(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, IMAP, dial.Implicit, nil)
	r := newRig(t, newBackend(), u.listener())
	kept := r.greeted()
	kept.talk(signIns[IMAP].text, signIns[IMAP].ok)

	second := r.listener
	second.Name = "second"
	r.server.Apply([]Listener{r.listener, second})
	r.await(Listening)
	address := r.server.Status()[0].Address
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	drained := newPeer(t, conn)
	drained.introduce(IMAP)

	second.Limits.Sessions = 5
	r.server.Apply([]Listener{r.listener, second})
	if e := r.await(Stopped); e.Listener.Name != "second" {
		t.Errorf("%+v", e.Listener)
	}
	if e := r.await(Listening); e.Listener.Name != "second" || e.Listener.Limits.Sessions != 5 {
		t.Errorf("%+v", e.Listener)
	}
	drained.want(`\* BYE \[UNAVAILABLE\] .*`)
	drained.ended()
	kept.talk("b NOOP\r\n", "b OK NOOP done")
	if all := r.server.Status(); len(all) != 2 || all[0].Accepted != 1 || all[1].Sessions != 1 {
		t.Errorf("%+v", all)
	}
	r.server.Apply(nil)
	kept.ended()
	if all := r.server.Status(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestRestartOpensTheSamePortAgain(t *testing.T) {
	t.Parallel()
	l := newUpstream(t, IMAP, dial.Implicit, nil).listener()
	r := newRig(t, newBackend(), l)
	c := r.greeted()
	r.server.Restart("test")
	c.want(`\* BYE .*`)
	r.await(Stopped)
	r.await(Listening)
	r.greeted().talk(signIns[IMAP].text, signIns[IMAP].ok)
}

// Clients that have not signed in are told; sessions between two commands are closed; busy ones finish.
func TestStoppingDrainsSessions(t *testing.T) {
	t.Parallel()
	words := map[Protocol]string{IMAP: `\* BYE \[UNAVAILABLE\] .*`, POP3: `-ERR \[SYS/TEMP\] .*`, SMTP: `421 4\.3\.2 .*`}
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, protocol, dial.Implicit, nil)
			r := newRig(t, newBackend(), u.listener())
			early, signed := r.greeted(), r.greeted()
			signed.talk(signIns[protocol].text, signIns[protocol].ok)
			signed.put("NOOP x\r\n")
			signed.line()
			go r.stop()
			early.want(words[protocol])
			early.ended()
			signed.ended()
			r.stop()
		})
	}
}

func TestStoppingWaitsForAnAnswerThatIsDue(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = port.Close() }()
	go slowServer(port, release)
	r := newRig(t, newBackend(), Listener{Protocol: POP3, Upstream: dial.Target{Host: "127.0.0.1", Port: port.Addr().(*net.TCPAddr).Port}})
	c := r.connect()
	c.line()
	c.talk(signIns[POP3].text, signIns[POP3].ok)
	c.put("RETR 1\r\n")
	for r.server.Status()[0].Up == 0 { // the command is on its way
	}
	relay := r.host().all()[0].relay.Load()
	r.host().cutQuiet(time.Now().Add(time.Minute), false)
	if relay.failure.Load() != nil {
		t.Fatal("cut in the middle of an answer")
	}
	go r.stop()
	r.await(Stopped)
	close(release)
	c.want(`\+OK at last`)
	c.ended()
	r.stop()
}

// slowServer speaks POP3 without TLS and answers RETR only when it is released.
func slowServer(port net.Listener, release <-chan struct{}) {
	for {
		conn, err := port.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			var buf [4096]byte
			_, _ = fmt.Fprint(conn, "+OK\r\n")
			for _, answer := range []string{"-ERR\r\n", "+ \r\n", "+OK Logged in\r\n", "+OK at last\r\n"} {
				n, err := conn.Read(buf[:])
				if err != nil {
					return
				}
				if strings.HasPrefix(string(buf[:n]), "RETR") {
					<-release
				}
				_, _ = fmt.Fprint(conn, answer)
			}
			_, _ = conn.Read(buf[:])
		}()
	}
}

// A bug met by one session is the end of that session only.
func TestPanicEndsOneSession(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, IMAP, dial.Implicit, nil)
	b := newBackend()
	var logins atomic.Int32
	b.login = func(context.Context, string) error {
		if logins.Add(1) == 1 {
			panic("boom")
		}
		return nil
	}
	var broken atomic.Bool
	b.dial = func(ctx context.Context) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(u.target()))
		return panicky{conn, &broken}, err
	}
	r := newRig(t, b, u.listener())
	first, second, third := r.greeted(), r.greeted(), r.greeted()
	first.put(signIns[IMAP].text) // while it signs in
	first.ended()
	if e := r.await(Panicked); !strings.Contains(e.Text, "lifecycle_test.go") || !errors.Is(e.Err, errPanic) {
		t.Errorf("%+v", e)
	}
	second.talk(signIns[IMAP].text, signIns[IMAP].ok)
	broken.Store(true)
	second.put("b NOOP\r\n") // while it is relayed
	second.ended()
	r.await(Panicked)
	broken.Store(false)
	third.talk(signIns[IMAP].text, signIns[IMAP].ok)
	if st := r.server.Status()[0]; st.Sessions != 1 || len(st.Failures) != 2 {
		t.Errorf("%+v", st)
	}
}

// panicky is a connection with a bug.
type panicky struct {
	net.Conn
	broken *atomic.Bool
}

func (c panicky) Write(p []byte) (int, error) {
	if c.broken.Load() {
		panic("boom")
	}
	return c.Conn.Write(p)
}

// A8.3: a burst of connects waits in the kernel's queue and is served.
func TestBurstOfConnectsIsServed(t *testing.T) {
	t.Parallel()
	l := newUpstream(t, IMAP, dial.Implicit, nil).listener()
	r := newRig(t, newBackend(), l)
	address := r.address()
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			p := newPeer(t, conn)
			if line, err := p.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "* OK") {
				t.Errorf("%q, %v", line, err)
			}
		})
	}
	wg.Wait()
}

func TestStatusCountsBytesAndKeepsFailures(t *testing.T) {
	t.Parallel()
	l := newUpstream(t, IMAP, dial.Implicit, nil).listener()
	r := newRig(t, newBackend(), l)
	c := r.greeted()
	c.talk("a LOGIN user@example.com x\r\n", "a NO .*", signIns[IMAP].text, signIns[IMAP].ok, "b NOOP\r\n", "b OK .*")
	check := func(sessions int) {
		t.Helper()
		st := r.server.Status()[0]
		account := st.Accounts[testUser]
		if st.Sessions != sessions || account.Sessions != sessions || st.SignIns != 1 || st.Refused != 1 || account.Up != 8 || st.Up != 8 ||
			st.Down != int64(len("b OK NOOP done\r\n")) || account.LastUsed.IsZero() {
			t.Errorf("%+v", st)
		}
		if len(st.Failures) != 1 || st.Failures[0].Reason != WrongCredentials || st.Failures[0].Account != testUser {
			t.Errorf("%+v", st.Failures)
		}
	}
	check(1)
	_ = c.Close()
	r.await(Ended)
	check(0)
}

// Neither passwords nor tokens are in anything that is observed or reported.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, SMTP, dial.Implicit, func(u *upstream) { u.accepts = []string{"token-2"} })
	b := newBackend()
	b.tokens = []string{testToken, "token-2", "token-3"}
	r := newRig(t, b, u.listener())
	c := r.greeted()
	c.talk("AUTH PLAIN "+plain64(testUser, "wrong-secret")+"\r\n", "535 .*", signIns[SMTP].text, signIns[SMTP].ok)
	_ = c.Close()
	r.await(Ended)
	r.stop()
	close(r.events)
	for e := range r.events {
		r.seen = append(r.seen, e)
	}
	for _, e := range r.seen {
		text := fmt.Sprintf("%+v %#v %s", e, e, e.Sentence())
		for _, secret := range []string{testPassword, "wrong-secret", testToken, "token-2", xoauth2(testToken), plain64(testUser, testPassword)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", secret, text)
			}
		}
	}
}

func TestNewWantsABackend(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}); err == nil {
		t.Error("a server without a backend")
	}
	var _ Backend = (*fakeBackend)(nil)
	_ = vault.Secret{}
}
