package connector

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"orbit/internal/mail/ladder"
)

// sshPeer is an SSH server with a script: it counts sign-ins and answers each direct-tcpip with open.
type sshPeer struct {
	t        *testing.T
	config   *ssh.ServerConfig
	password string
	sessions atomic.Int32
	open     func(ssh.NewChannel)

	mu    sync.Mutex
	conns []net.Conn
}

func newSSHPeer(t *testing.T, open func(ssh.NewChannel)) *sshPeer {
	t.Helper()
	p := &sshPeer{t: t, password: "s3cret", open: open}
	p.newKey()
	return p
}

// newKey gives the server another host key.
func (p *sshPeer) newKey() {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		p.t.Fatal(err)
	}
	config := &ssh.ServerConfig{
		PasswordCallback: func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if string(given) != p.password {
				return nil, errors.New("no")
			}
			return nil, nil
		},
	}
	config.AddHostKey(signer)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config = config
}

func (p *sshPeer) serve(conn net.Conn) {
	p.mu.Lock()
	config := p.config
	p.conns = append(p.conns, conn)
	p.mu.Unlock()
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	p.sessions.Add(1)
	go ssh.DiscardRequests(requests)
	for c := range channels {
		go p.open(c)
	}
	_ = server.Wait()
}

// hangUp cuts all connections.
func (p *sshPeer) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}

// greets accepts a channel and behaves like a mail server.
func greets(c ssh.NewChannel) {
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	_, _ = io.WriteString(channel, "220 far.example.com ESMTP\r\n")
	_, _ = io.Copy(channel, channel)
	_ = channel.Close()
}

func TestOneSSHConnectionCarriesMany(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t), newSSHPeer(t, greets)
	c := h.confirmed(h.register(KindSSH, peer(t, server.serve), "orbit", "s3cret"))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			conn, _, err := h.dial(c, "mail.example.com", 587)
			if err != nil {
				t.Error(err)
				return
			}
			converses(t, conn)
		})
	}
	all.Wait()
	if n := server.sessions.Load(); n != 1 {
		t.Errorf("%d sign-ins for 20 connections", n)
	}
	server.hangUp()
	kept := h.links.find(c)
	if kept != nil {
		<-kept.done
	}
	conn, steps, err := h.dial(c, "mail.example.com", 587)
	if err != nil || names(steps) != "connector gate connect" {
		t.Fatalf("it is not dialled again: %v, %s", err, names(steps))
	}
	converses(t, conn)
}

func TestSSHRefusals(t *testing.T) {
	t.Parallel()
	for reason, code := range map[ssh.RejectionReason]string{
		ssh.Prohibited: "ssh_prohibited", ssh.ConnectionFailed: "ssh_connect_failed", ssh.UnknownChannelType: "ssh_no_forwarding",
		ssh.ResourceShortage: "ssh_resource_shortage", 77: "ssh_channel_other",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			server := newSSHPeer(t, func(c ssh.NewChannel) { _ = c.Reject(reason, "because") })
			c := h.confirmed(h.register(KindSSH, peer(t, server.serve), "orbit", "s3cret"))
			_, _, err := h.dial(c, "mail.example.com", 587)
			if fault := faultOf(t, err); fault.Fault.Code != code || fault.Step != ladder.Connect || fault.Fault.Reply != "because" {
				t.Errorf("%+v", fault)
			}
		})
	}
}

func TestAChangedHostKeyIsRefusedUntilConfirmed(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t), newSSHPeer(t, greets)
	c := h.confirmed(h.register(KindSSH, peer(t, server.serve), "orbit", "s3cret"))
	first := c.Fingerprint
	server.newKey()
	_, _, err := h.dial(c, "mail.example.com", 587)
	if fault := faultOf(t, err); fault.Fault.Code != "ssh_host_key_changed" || server.sessions.Load() != 0 {
		t.Fatalf("%v, %d sign-ins", err, server.sessions.Load())
	}
	if c, err = h.Find(h.ctx, c.ID); err != nil || !c.KeyChanged() || c.Fingerprint != first || c.OfferedFingerprint == first {
		t.Fatalf("%+v, %v", c, err)
	}
	if c, err = h.ConfirmHostKey(h.ctx, c.ID, c.OfferedFingerprint); err != nil || c.KeyChanged() {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, _, err = h.dial(c, "mail.example.com", 587); err != nil {
		t.Error(err)
	}
}

func TestSSHSignInFails(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t), newSSHPeer(t, greets)
	port := peer(t, server.serve)
	c := h.confirmed(h.register(KindSSH, port, "orbit", "s3cret"))
	_, key := newClientKey(t)
	for _, s := range []struct{ secret, code string }{
		{"wrong", "ssh_password"},
		{key, "ssh_key"},
		{strings.ReplaceAll(key, "\n", ""), "ssh_key"}, // pasted into a field of one line
		{"-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----", "ssh_key_unreadable"},
	} {
		if _, err := h.Credentials.ReplaceSecret(h.ctx, c.CredentialID, 0, secretOf(s.secret)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.dial(c, "mail.example.com", 587); faultOf(t, err).Fault.Code != s.code {
			t.Errorf("want %s, got %v", s.code, err)
		}
	}
}

func TestWhatIsNoSSHServer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, c := range []struct{ text, code string }{
		{"220 mail ESMTP\r\n", "ssh_not_ssh"}, {"HTTP/1.1 400 Bad\r\n\r\n", "ssh_not_ssh"}, {"", "connector_dropped"}, {"SSH-2.0-x\r\n", "connector_dropped"},
	} {
		change := Change{
			Settings: Settings{Kind: KindSSH, Address: "127.0.0.1", Port: peer(t, says(c.text)), Active: true, CredentialID: NewCredentialID},
			Secret:   secretOf("s3cret"), NewCredential: NewCredential{Name: string(rune('a' + i)), Username: "orbit"},
		}
		change.Name = string(rune('a' + i))
		stored, err := h.Create(h.ctx, change)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.dial(stored, "mail.example.com", 587); faultOf(t, err).Fault.Code != c.code {
			t.Errorf("%q: want %s, got %v", c.text, c.code, err)
		}
	}
}

func TestConnectionsThroughSSHHaveDeadlines(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t), newSSHPeer(t, greets)
	c := h.confirmed(h.register(KindSSH, peer(t, server.serve), "orbit", "s3cret"))
	conn, _, err := h.dial(c, "mail.example.com", 587)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	if err := conn.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	var late net.Error
	if _, err := conn.Read(make([]byte, 1)); !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("%v", err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "QUIT"); err != nil { // what was written before Close arrives
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "QUIT" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAnInactiveConnectorIsCutOff(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t), newSSHPeer(t, greets)
	c := h.confirmed(h.register(KindSSH, peer(t, server.serve), "orbit", "s3cret"))
	conn, _, err := h.dial(c, "mail.example.com", 587)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	renamed := Change{Settings: c.Settings}
	renamed.Name = "Renamed"
	if c, err = h.Save(h.ctx, c.ID, renamed); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatalf("a new name cuts what runs: %v", err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatalf("a new name cuts what runs: %v", err)
	}
	conn, _, err = h.dial(c, "mail.example.com", 587)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	if _, err := h.SetActive(h.ctx, c.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("it still carries")
	}
}

// Another process changed the connector; this one hears of it.
func TestRunFollowsOtherProcesses(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t), newSSHPeer(t, greets)
	c := h.confirmed(h.register(KindSSH, peer(t, server.serve), "orbit", "s3cret"))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	defer running.Wait()
	defer stop()
	h.untilListening()
	conn, _, err := h.dial(c, "mail.example.com", 587)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	other := NewService(h.pool, Rules{})
	if _, err := other.SetActive(h.ctx, c.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("it still carries")
	}
}
