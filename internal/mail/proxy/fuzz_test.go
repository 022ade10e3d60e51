package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/vault"
)

// script is a connection whose other side has already said everything, and whose words are counted.
type script struct {
	net.Conn
	in  *bytes.Reader
	out int
}

func (s *script) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error)      { s.out += len(p); return len(p), nil }
func (s *script) Close() error                     { return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// strictBackend lets nobody in and fails the test when anything is sent upstream.
type strictBackend struct{ t *testing.T }

func (b strictBackend) Login(_ context.Context, username string, password vault.Secret, _ Client) (Account, error) {
	if username == "" || password.IsZero() || len(username) > maxSASL || len(password.Reveal()) > maxSASL {
		b.t.Errorf("a user name of %d octets, a password of %d", len(username), len(password.Reveal()))
	}
	return Account{}, &Refusal{Reason: WrongCredentials}
}

func (b strictBackend) Token(context.Context, Listener, Account, bool) (vault.Secret, error) {
	b.t.Error("a token was asked for")
	return vault.Secret{}, errors.New("no")
}

func (b strictBackend) Dial(context.Context, Listener, Account) (net.Conn, error) {
	b.t.Error("the server was dialled before sign-in")
	return nil, errors.New("no")
}

// fuzzFront feeds a front: no panic, nothing upstream, an end, and answers in proportion to what came in.
func fuzzFront(f *testing.F, protocol Protocol, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		conn := &script{in: bytes.NewReader(input)}
		server, err := New(Options{
			Backend: strictBackend{t}, Name: "orbit.test", Delay: func(int) time.Duration { return 0 },
			Observer: ObserverFunc(func(e Event) {
				if e.Kind == Panicked {
					t.Errorf("%v\n%s", e.Err, e.Text)
				}
				if strings.ContainsAny(e.Sentence(), "\r\n") {
					t.Errorf("a sentence of two lines: %q", e.Sentence())
				}
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		h := newHost(server, Listener{Name: "fuzz", Protocol: protocol}, newLedger())
		h.offer.learn([]string{"SIZE 1000"})
		h.take(context.Background(), conn)
		h.sessions.Wait()
		if most := 1000 + 100*len(input); conn.out > most {
			t.Errorf("%d octets of answers to %d", conn.out, len(input))
		}
	})
}

func FuzzIMAPFront(f *testing.F) {
	fuzzFront(f, IMAP, "a LOGIN a b\r\n", "a LOGIN {1}\r\na {1+}\r\nb\r\n", "a AUTHENTICATE PLAIN AGEAYg==\r\nb LOGOUT\r\n",
		"a AUTHENTICATE LOGIN\r\nYQ==\r\nYg==\r\n", "a APPEND x {5+}\r\nhello\r\n", "a LOGIN \"a\\\"\" \"\\\\\"\r\n", "a ID (\"a\" \"b\")\r\n* x\r\n", "a STARTTLS\r\n")
}

func FuzzPOP3Front(f *testing.F) {
	fuzzFront(f, POP3, "USER a\r\nPASS b c\r\n", "AUTH PLAIN AGEAYg==\r\n", "AUTH PLAIN\r\n*\r\n", "AUTH\r\nCAPA\r\nQUIT\r\n", "APOP a b\r\nSTLS\r\n", "AUTH LOGIN =\r\n=\r\n")
}

func FuzzSMTPFront(f *testing.F) {
	fuzzFront(f, SMTP, "EHLO a\r\nAUTH PLAIN AGEAYg==\r\n", "EHLO a\r\nAUTH LOGIN YQ==\r\nYg==\r\n", "HELO a\r\nMAIL FROM:<a>\r\nDATA\r\n",
		"BDAT 5 LAST\r\nhello", "EHLO a\r\nAUTH PLAIN\r\n*\r\nQUIT\r\n", "NOOP\nRSET\r\nHELP\r\nVRFY\r\n")
}

// FuzzServer feeds the upstream side of each protocol: no panic and an end, whatever a server says.
func FuzzServer(f *testing.F) {
	for _, seed := range []string{
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi\r\no OK [CAPABILITY IDLE] in\r\n",
		"* OK hi\r\n* CAPABILITY AUTH=OAUTHBEARER\r\no OK\r\n+ \r\n+ e30=\r\no NO [UNAVAILABLE] no\r\n",
		"+OK\r\n+OK\r\nSASL XOAUTH2\r\n.\r\n+ \r\n+OK in\r\n", "+OK\r\n-ERR\r\n+ \r\n+ e30=\r\n-ERR [AUTH] no\r\n",
		"220 hi\r\n250-a\r\n250 AUTH XOAUTH2\r\n235 in\r\n", "220 hi\r\n250 a\r\n334 \r\n334 e30=\r\n535 5.7.8 no\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, protocol := range protocols {
			conn := &script{in: bytes.NewReader(input)}
			w := newWire(conn)
			s := &server{listener: Listener{Protocol: protocol, Upstream: dial.Target{Host: "mail.test", Port: 1}}, end: end{wire: w, conn: w, in: bufio.NewReader(w)}}
			d, err := s.introduce(context.Background(), "me")
			if err == nil {
				err = s.signIn(d, Account{Mailbox: testUser}, vault.NewSecret(testToken))
			}
			var rejection *Rejection
			if errors.As(err, &rejection) && strings.ContainsAny(rejection.Reply, "\r\n") || strings.ContainsAny(s.words, "\r\n") {
				t.Errorf("two lines: %q, %q", err, s.words)
			}
			for _, line := range append(s.offer.relayable(protocol), s.alerts...) {
				if strings.ContainsAny(line, "\r\n") {
					t.Errorf("two lines: %q", line)
				}
			}
		}
	})
}

func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 4711 993\r\nrest"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x03\xe1rest"))
	f.Fuzz(func(t *testing.T, input []byte) {
		conn := &script{in: bytes.NewReader(input)}
		_, err := readProxyHeader(conn)
		if taken := len(input) - conn.in.Len(); err == nil && taken > 16+maxHeader2 {
			t.Errorf("%d octets taken", taken)
		}
	})
}
