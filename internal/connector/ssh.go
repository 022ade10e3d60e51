package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"orbit/internal/mail/ladder"
)

// jump is the gate of SSH servers. One connection to the server is kept and shared by all who go through it.
type jump struct{}

func (jump) reach(ctx context.Context, h hop) (session, error) {
	l := ladder.From(ctx)
	if kept := h.s.links.find(h.c); kept != nil {
		l.Begin(ladder.Connector, "Network connector "+h.c.Name)
		l.End("already signed in to %s as %s", h.c.Server(), kept.username)
		return sshSession{kept}, nil
	}
	opened, err := h.s.links.open(ctx, h)
	if err != nil {
		return nil, err
	}
	return sshSession{opened}, nil
}

// sshSession is a connection to an SSH server, whoever opened it.
type sshSession struct{ *link }

// close leaves the connection to the others.
func (sshSession) close() {}

func (s sshSession) request(ctx context.Context, h hop, host string, port int) (net.Conn, error) {
	h.Username = s.username
	conn, err := s.dial(ctx, net.JoinHostPort(host, strconv.Itoa(port)))
	var refused *ssh.OpenChannelError
	switch {
	case errors.As(err, &refused):
		return nil, h.fault(ladder.Connect, h.Channel(uint32(refused.Reason), refused.Message), err)
	case errors.Is(err, errBusy):
		return nil, h.fault(ladder.Connect, h.Named("connector_busy"), err)
	case err != nil:
		return nil, h.fault(ladder.Connect, h.Request(err), err)
	}
	return conn, nil
}

// connectSSH dials the server, checks its host key and signs in. It sends nothing to a server whose key is not
// confirmed.
func (h hop) connectSSH(ctx context.Context) (*link, error) {
	in, err := h.signIn(ctx)
	if err != nil {
		return nil, err
	}
	h.Username = in.username
	conn, err := h.dialConnector(ctx)
	if err != nil {
		return nil, err
	}
	l := ladder.From(ctx)
	l.Begin(ladder.Gate, "Sign-in at "+h.c.Name)
	heard := &hearing{Conn: conn}
	client, key, err := h.handshake(ctx, heard, in)
	if err != nil {
		_ = conn.Close()
		return nil, h.sshFault(ctx, in, key, heard.foreign(err))
	}
	l.Record("note", "host key "+key.String())
	if h.c.OfferedFingerprint != "" { // another key was seen once, and now the confirmed one is there again
		if err := h.s.withdrawKey(ctx, h.c.ID, key.fingerprint); err != nil {
			l.Record("note", err.Error())
		}
	}
	l.End("signed in as %s, host key %s", in.username, key.fingerprint)
	return newLink(h.c, in.username, client, conn), nil
}

// hearing remembers the first bytes that a server said.
type hearing struct {
	net.Conn
	first []byte
}

const greetingSSH = "SSH-" // RFC 4253 4.2

func (c *hearing) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if missing := len(greetingSSH) - len(c.first); missing > 0 {
		c.first = append(c.first, p[:min(n, missing)]...)
	}
	return n, err
}

var errNotSSH = errors.New("the answer is not SSH")

// foreign marks the failure of a handshake with something that speaks another protocol. Lines before the
// greeting are allowed, so they prove nothing where the handshake succeeds.
func (c *hearing) foreign(err error) error {
	if len(c.first) > 0 && !strings.HasPrefix(greetingSSH, string(c.first)) {
		return fmt.Errorf("%w: %w", errNotSSH, err)
	}
	return err
}

// hostKey is a server's key as people compare it.
type hostKey struct {
	fingerprint string // "SHA256:..."
	kind        string // "ssh-ed25519"
}

func (k hostKey) String() string { return k.kind + " " + k.fingerprint }

// errHostKey ends a handshake before anything is sent that signs in.
var errHostKey = errors.New("the host key is not the confirmed one")

func (h hop) handshake(ctx context.Context, conn net.Conn, in signIn) (client *ssh.Client, key hostKey, err error) {
	config := &ssh.ClientConfig{
		User: in.username, ClientVersion: "SSH-2.0-Orbit", HostKeyAlgorithms: keyAlgorithms(h.c.HostKeyType),
		HostKeyCallback: func(_ string, _ net.Addr, offered ssh.PublicKey) error {
			key = hostKey{ssh.FingerprintSHA256(offered), offered.Type()}
			if key.fingerprint != h.c.Fingerprint {
				return errHostKey
			}
			return nil
		},
	}
	if h.c.Fingerprint != "" { // without a confirmed key nobody signs in
		if config.Auth, err = in.methods(); err != nil {
			return nil, key, &unreadableKey{err}
		}
	}
	err = converse(ctx, conn, signInTimeout, func() error {
		c, channels, requests, err := ssh.NewClientConn(conn, h.c.Server(), config)
		if err == nil {
			client = ssh.NewClient(c, channels, requests)
		}
		return err
	})
	return client, key, err
}

// unreadableKey says that a credential holds something that only begins like a private key.
type unreadableKey struct{ error }

// keyAlgorithms asks for a key of the confirmed type first, so that a server which gets one more key does not
// look like another server.
func keyAlgorithms(confirmed string) []string {
	all := ssh.SupportedAlgorithms().HostKeys
	if confirmed == "" {
		return all
	}
	first := []string{confirmed}
	if confirmed == ssh.KeyAlgoRSA { // the key's type; signatures of it have other names (RFC 8332)
		first = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	for _, name := range all {
		if !slices.Contains(first, name) {
			first = append(first, name)
		}
	}
	return first
}

// sshFault explains why there is no connection, and keeps an unknown host key for a person to confirm.
func (h hop) sshFault(ctx context.Context, in signIn, key hostKey, err error) error {
	var unreadable *unreadableKey
	var disagreed *ssh.AlgorithmNegotiationError
	text := err.Error()
	switch {
	case errors.Is(err, errHostKey):
		if noted := h.s.offerKey(context.WithoutCancel(ctx), h.c, key.fingerprint, key.kind); noted != nil {
			err = errors.Join(err, noted)
		}
		return h.fault(ladder.Gate, h.HostKey(key.fingerprint, h.c.Fingerprint), err)
	case errors.As(err, &unreadable):
		return h.fault(ladder.Gate, h.Said("ssh_key_unreadable", strings.TrimPrefix(text, "ssh: ")), err)
	case errors.As(err, &disagreed):
		return h.fault(ladder.Gate, h.Said("ssh_algorithms", disagreement(disagreed)), err)
	case strings.Contains(text, "unable to authenticate"), strings.Contains(text, "asks for more than a password"):
		return h.fault(ladder.Gate, h.Named(refusedCode(in)), err)
	case errors.Is(err, errNotSSH):
		return h.fault(ladder.Gate, h.Named("ssh_not_ssh"), err)
	case strings.Contains(text, "ssh: disconnect"), strings.Contains(text, "too many authentication failures"):
		return h.fault(ladder.Gate, h.Said("ssh_handshake", text), err)
	}
	fault := h.SignIn(err)
	if fault.Code == "connector_other" {
		fault = h.Said("ssh_handshake", strings.TrimPrefix(text, "ssh: handshake failed: "))
	}
	return h.fault(ladder.Gate, fault, err)
}

func disagreement(e *ssh.AlgorithmNegotiationError) string {
	return fmt.Sprintf("for the %s the server offers %s", e.What, strings.Join(e.RequestedAlgorithms, ", "))
}

func refusedCode(in signIn) string {
	switch {
	case in.username == "":
		return "ssh_no_credential"
	case in.holdsKey():
		return "ssh_key"
	}
	return "ssh_password"
}
