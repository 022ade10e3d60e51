package proxyhost

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/problem"
)

const (
	knockTime   = 5 * time.Second
	maxGreeting = 1000
)

// Knock connects to a listener as a mail program on this machine would, and returns the first line it hears.
// A *problem.Refused says that nobody answers.
func (s *Service) Knock(ctx context.Context, id int64) (string, error) {
	found, err := s.Find(ctx, id)
	if err != nil {
		return "", err
	}
	if found.ProxyProtocol {
		return "", problem.Refuse("%s speaks only to a load balancer that sends a PROXY protocol header.", found.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, knockTime)
	defer cancel()
	greeting, err := knock(ctx, found.Settings)
	if err != nil {
		return "", problem.Refuse("%s does not answer at %s: %v.", found.Name, found.Local(), errors.Unwrap(err))
	}
	return greeting, nil
}

// knock trusts whatever certificate: it is the port of this machine, and no secret is sent.
func knock(ctx context.Context, l Settings) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", l.doorstep())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if l.LocalSecurity == dial.Implicit {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // see above
	}
	line, err := bufio.NewReader(io.LimitReader(conn, maxGreeting)).ReadString('\n')
	if err != nil {
		return "", &net.OpError{Op: "read", Net: "tcp", Err: err}
	}
	return strings.TrimSpace(line), nil
}

// doorstep is an address at which this machine reaches the listener.
func (s Settings) doorstep() string {
	local, err := netip.ParseAddr(s.LocalAddress)
	if err == nil && local.IsUnspecified() {
		return net.JoinHostPort(loopback, strconv.Itoa(s.LocalPort))
	}
	return s.Local()
}
