package mailtest

import (
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// patience is how long a test waits for a server; only a broken one takes as long.
const patience = 60 * time.Second

// Mail is one message as a sink got it.
type Mail struct {
	From string
	To   []string
	UTF8 bool // with SMTPUTF8
	Data []byte
}

// SinkServer is an SMTP server that takes everything and hands it to the test.
type SinkServer struct {
	Address string
	Port    int
	mail    chan Mail
}

// Sink starts one on loopback; it ends with the test.
func Sink(t testing.TB) *SinkServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &SinkServer{Address: ln.Addr().String(), Port: ln.Addr().(*net.TCPAddr).Port, mail: make(chan Mail, 1000)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }))
	server.Domain = "sink.example.test"
	server.EnableSMTPUTF8 = true
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return s
}

// Next waits for the next message.
func (s *SinkServer) Next(t testing.TB) Mail {
	t.Helper()
	select {
	case m := <-s.mail:
		return m
	case <-time.After(patience):
		t.Fatal("no mail arrived at the sink")
		return Mail{}
	}
}

type sinkSession struct {
	sink *SinkServer
	mail Mail
}

func (s *sinkSession) Mail(from string, o *smtp.MailOptions) error {
	s.mail = Mail{From: from, UTF8: o.UTF8}
	return nil
}

func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.sink.mail <- Mail{From: s.mail.From, To: slices.Clone(s.mail.To), UTF8: s.mail.UTF8, Data: data}
	return nil
}

func (s *sinkSession) Reset()        { s.mail = Mail{} }
func (s *sinkSession) Logout() error { return nil }

// Drain starts Postfix's smtp-sink, which takes mail and throws it away faster than a client sends, for benchmarks.
// It returns the port.
func Drain(t testing.TB) int {
	t.Helper()
	path := program(t, "smtp-sink", "postfix")
	return start(t, 1, func(ports []int) *exec.Cmd {
		args := []string{"127.0.0.1:" + strconv.Itoa(ports[0]), "100"}
		if os.Getuid() == 0 {
			args = append([]string{"-u", "nobody"}, args...) // it refuses to run as root
		}
		return exec.Command(path, args...)
	})[0]
}

// FreePort returns a port on loopback where nobody listens.
func FreePort(t testing.TB) int {
	t.Helper()
	return freePorts(t, 1)[0]
}
