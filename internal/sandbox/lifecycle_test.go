package sandbox_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orbit/internal/sandbox"
	"orbit/internal/sandbox/sandboxtest"
)

// Run returns when everything has ended, whatever clients are doing at that moment. It does not run beside other
// tests, whose goroutines would be counted.
func TestNothingIsLeftBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := sandbox.New(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	p := s.Ports
	for _, port := range []int{p.PasswordSMTP, p.Submission, p.PasswordIMAP, p.IMAP, p.PasswordPOP3, p.POP3} {
		conn := connect(t, s, port)
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil { // greeted, then silent
			t.Fatal(err)
		}
	}
	for _, port := range []int{p.SMTPS, p.IMAPS, p.POP3S} {
		connect(t, s, port) // without a handshake
		secure := tls.Client(connect(t, s, port), sandboxtest.TLS(s))
		if err := secure.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.MailURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	transport.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func connect(t *testing.T, s *sandbox.Sandbox, port int) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Address(port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

func TestConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{MaxConnections: 1})
	first := connect(t, s, s.Ports.POP3)
	if _, err := bufio.NewReader(first).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	second := connect(t, s, s.Ports.POP3)
	_ = second.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("two are let in where one is the limit")
	}
	_ = first.Close()
	_ = second.SetReadDeadline(time.Now().Add(20 * time.Second))
	if line, err := bufio.NewReader(second).ReadString('\n'); err != nil || !strings.HasPrefix(line, "+OK") {
		t.Errorf("%q, %v: a place that is left is given to nobody", line, err)
	}
}

func TestPortInUseMovesElsewhere(t *testing.T) {
	t.Parallel()
	first := sandboxtest.New(t, sandbox.Options{})
	second := sandboxtest.New(t, sandbox.Options{Ports: first.Ports, Certificate: &first.Certificate})
	if second.Ports.Identity == first.Ports.Identity || second.Ports.SMTPS == first.Ports.SMTPS || second.Certificate != first.Certificate {
		t.Errorf("%+v beside %+v", second.Ports, first.Ports)
	}
}
