package notify

import (
	"bufio"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// server is a mail server that remembers what it took and when, and says no as a test wants.
type server struct {
	port int
	// refuse is asked for each message before its final reply, with how many messages came before it. hangUp closes
	// the connection instead of replying.
	refuse func(n int, to string) (err error, hangUp bool)
	// unknown is the answer to RCPT TO for addresses that this server does not have.
	unknown map[string]error

	mu         sync.Mutex
	came       int
	taken      []taken
	open, most int // connections
}

type taken struct {
	to, messageID string
	raw           string
	at            time.Time
}

func newServer(t testing.TB, refuse func(n int, to string) (error, bool)) *server {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{port: ln.Addr().(*net.TCPAddr).Port, refuse: refuse}
	smtpd := smtp.NewServer(s)
	smtpd.Domain = "faulty.example"
	go func() { _ = smtpd.Serve(ln) }()
	t.Cleanup(func() { _ = smtpd.Close() })
	return s
}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	s.most = max(s.most, s.open)
	return &serverSession{server: s, conn: c}, nil
}

type serverSession struct {
	server *server
	conn   *smtp.Conn
	to     string
}

func (*serverSession) Mail(string, *smtp.MailOptions) error { return nil }
func (*serverSession) Reset()                               {}
func (s *serverSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.server.unknown[to]
}

func (s *serverSession) Logout() error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.open--
	return nil
}

func (s *serverSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	n := s.server.came
	s.server.came++
	s.server.mu.Unlock()
	hangUp := false
	if s.server.refuse != nil {
		if err, hangUp = s.server.refuse(n, s.to); err != nil {
			return err
		}
	}
	s.server.keep(s.to, string(raw))
	if hangUp {
		_ = s.conn.Conn().Close()
	}
	return nil
}

func (s *server) keep(to, raw string) {
	head, err := textproto.NewReader(bufio.NewReader(strings.NewReader(raw))).ReadMIMEHeader()
	id := head.Get("Message-Id")
	if err != nil && id == "" {
		id = "unreadable: " + err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, taken{to, id, raw, time.Now()})
}

// all returns what the server took.
func (s *server) all() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]taken(nil), s.taken...)
}

// byID counts how often each message came.
func (s *server) byID() map[string]int {
	counts := map[string]int{}
	for _, m := range s.all() {
		counts[m.messageID]++
	}
	return counts
}

func no(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text}
}

// refuseFirst says no to the first messages.
func refuseFirst(count int, err error) func(int, string) (error, bool) {
	return func(n int, _ string) (error, bool) {
		if n < count {
			return err, false
		}
		return nil, false
	}
}
