package proxy

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// gathering holds what is written until it is told to send it, so that several TLS records arrive at once.
type gathering struct {
	net.Conn
	holds bool
	held  bytes.Buffer
}

func (g *gathering) Write(p []byte) (int, error) {
	if g.holds {
		return g.held.Write(p)
	}
	return g.Conn.Write(p)
}

func (g *gathering) release() error {
	g.holds = false
	_, err := g.held.WriteTo(g.Conn)
	return err
}

// secured returns the relay's side of a TLS connection and the server's.
func secured(t *testing.T) (near end, server *tls.Conn, below *gathering) {
	t.Helper()
	a, b := tcpPair(t)
	below = &gathering{Conn: b}
	server = tls.Server(below, &tls.Config{Certificates: []tls.Certificate{makePair().tls}})
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	w := newWire(a)
	client := tls.Client(w, clientTLS())
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	return end{wire: w, conn: client}, server, below
}

// A server may send several short records at once, as one does that writes each line by itself. They are read
// together, so no event comes for the second: it must not wait for one.
func TestOutboxLeavesNoRecordBehind(t *testing.T) {
	t.Parallel()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(epoll) })
	l := &loop{epoll: epoll, sockets: make(map[int32]*socket)} // without a goroutine: the test turns it
	l.outbox.open()
	defer l.outbox.close()
	var clients []net.Conn
	var servers []*gathering
	for i := range 3 {
		near, server, below := secured(t)
		client, far := tcpPair(t)
		w := newWire(far)
		r := &relay{client: end{wire: w, conn: w}, server: near, ended: func(error) {}, panicked: func(fault any) { t.Error(fault) }}
		r.start(l)
		below.holds = true
		for n := range 5 {
			if _, err := fmt.Fprintf(server, "* %d LIST %d\r\n", n, i); err != nil {
				t.Fatal(err)
			}
		}
		clients, servers = append(clients, client), append(servers, below)
	}
	l.turn() // there is room everywhere
	for _, s := range servers {
		if err := s.release(); err != nil {
			t.Fatal(err)
		}
	}
	l.turn()
	for i, c := range clients {
		var want string
		for n := range 5 {
			want += fmt.Sprintf("* %d LIST %d\r\n", n, i)
		}
		got := make([]byte, len(want))
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := io.ReadFull(c, got); string(got) != want {
			t.Errorf("session %d: %q, %v", i, got[:n], err)
		}
	}
}
