package submit

import (
	"context"
	"fmt"
	"net"
	"strings"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// Session is a signed-in connection that takes one message after the other. It is for one goroutine.
type Session struct {
	server  Server
	wire    *wire
	offer   offer
	secure  bool // TLS is on
	isSMTP  bool // the other side has behaved like an SMTP server
	started bool // a transaction may be open: RSET comes before the next
	broken  bool // nothing more can be sent

	sender, recipient string // of the running transaction, for explanations
}

// Open dials, secures the connection and signs in. It reports to the ladder in ctx, if there is one. When ctx
// ends the connection is closed at once; afterwards each call has a ctx of its own.
func Open(ctx context.Context, d dial.Dialer, server Server) (*Session, error) {
	if err := clean("username", server.Auth.Username); err != nil {
		return nil, err
	}
	server.Timeouts = server.Timeouts.withDefaults()
	s := &Session{server: server, offer: offer{}}
	conn, err := d.Dial(ctx, server.Target.Host, server.Target.Port)
	if err != nil {
		return nil, s.unreachable(ctx, err)
	}
	s.wire = newWire(conn, server.Timeouts)
	stop := s.wire.watch(ctx)
	defer stop()
	if err := s.climb(ctx, s.rungs()); err != nil {
		s.Close() // with QUIT where somebody may still listen (RFC 5321 3.1)
		return nil, err
	}
	return s, nil
}

// rung is one part of the way up to a signed-in session.
type rung func(context.Context) error

func (s *Session) rungs() []rung {
	switch s.server.Target.Security {
	case dial.Implicit:
		return []rung{s.handshake, s.greeting, s.hello, s.signIn}
	case dial.STARTTLS:
		return []rung{s.greeting, s.helloAndStartTLS, s.handshake, s.hello, s.signIn}
	case dial.Plain:
	}
	return []rung{s.greeting, s.hello, s.signIn}
}

func (s *Session) climb(ctx context.Context, rungs []rung) error {
	for _, r := range rungs {
		if err := r(ctx); err != nil {
			return err
		}
	}
	return nil
}

// handshake starts TLS; dial reports the step.
func (s *Session) handshake(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, s.server.Timeouts.TLS)
	defer cancel()
	conn, err := dial.Handshake(within, s.wire.raw, s.server.Target)
	if err != nil {
		return err
	}
	s.wire.upgrade(conn)
	s.secure = true
	return nil
}

// greeting reads the server's first line. Nothing is shown of a line that does not look like SMTP: it may
// belong to another service, which a person who tests an account has no business to read.
func (s *Session) greeting(ctx context.Context) error {
	l := ladder.From(ctx)
	l.Begin(ladder.Greeting, "Greeting of the server")
	timeout := s.server.Timeouts.Command
	if s.server.Target.Port == 465 && !s.secure {
		timeout = min(timeout, s.server.Timeouts.TLS) // it waits for TLS; no need to wait for a minute with it
	}
	r, err := s.wire.read(nil, timeout)
	if err != nil {
		return s.lose(ctx, ladder.Greeting, err)
	}
	s.isSMTP = strings.Contains(strings.ToUpper(r.text()), "SMTP")
	if !r.ok(2) {
		l.Record("server", r.String())
		return s.refuse(ctx, ladder.Greeting, r)
	}
	shown := "220"
	if s.isSMTP {
		shown = r.String()
	}
	l.Record("server", shown)
	l.End("%s", shown)
	return nil
}

// hello asks what the server offers.
func (s *Session) hello(ctx context.Context) error {
	r, err := s.askHello(ctx)
	if err != nil {
		return err
	}
	ladder.From(ctx).End("%s", summary(r, s.offer))
	return nil
}

// helloAndStartTLS is hello on the way to TLS: the command that ends the clear part belongs to it.
func (s *Session) helloAndStartTLS(ctx context.Context) error {
	l := ladder.From(ctx)
	r, err := s.askHello(ctx)
	if err != nil {
		return err
	}
	if !s.offer.has("STARTTLS") {
		l.End("%s", summary(r, s.offer))
		l.Begin(ladder.TLS, "Certificate and encryption")
		c := s.known()
		c.Offered = s.offer.names()
		return l.Fail(ladder.TLS, explain.NoSTARTTLS(c), nil)
	}
	if err := s.startTLS(ctx); err != nil {
		return err
	}
	l.End("%s", summary(r, s.offer))
	s.offer = offer{} // RFC 3207 4.2: forget what was said in the clear
	return nil
}

func (s *Session) startTLS(ctx context.Context) error {
	r, err := s.wire.ask(ladder.From(ctx), "STARTTLS", "STARTTLS")
	if err != nil {
		return s.lose(ctx, ladder.TLS, err)
	}
	if !r.ok(2) {
		return s.refuse(ctx, ladder.TLS, r)
	}
	if n := s.wire.in.Buffered(); n > 0 { // what came in the clear must not be taken as said over TLS
		s.broken = true
		err := fmt.Errorf("%d bytes in the clear after the reply to STARTTLS", n)
		return ladder.From(ctx).Fail(ladder.TLS, explain.Injected(s.known()), err)
	}
	return nil
}

func (s *Session) askHello(ctx context.Context) (reply, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Hello, "What the server offers")
	command := "EHLO " + s.localName()
	r, err := s.wire.ask(s.shy(l), command, command)
	if err == nil && r.ok(5) { // servers from before 1995 know HELO only; so do some that resemble them
		command = "HELO " + s.localName()
		r, err = s.wire.ask(s.shy(l), command, command)
		r.lines = r.lines[:min(1, len(r.lines))]
	}
	if err != nil {
		return reply{}, s.lose(ctx, ladder.Hello, err)
	}
	if !r.ok(2) {
		return reply{}, s.helloRefused(ctx, r)
	}
	s.isSMTP = true
	s.offer = newOffer(r.lines)
	return r, nil
}

// helloRefused hides what a service said that has not shown yet to be a mail server (FTP greets with 220 too).
func (s *Session) helloRefused(ctx context.Context, r reply) error {
	if !s.isSMTP && r.ok(5) {
		s.broken = true
		return ladder.From(ctx).Fail(ladder.Hello, explain.NotMailServer(s.known()), errNotSMTP)
	}
	return s.refuse(ctx, ladder.Hello, r)
}

// shy records nothing while it is open whether this is a mail server.
func (s *Session) shy(l *ladder.Ladder) *ladder.Ladder {
	if s.isSMTP {
		return l
	}
	return nil
}

// localName is what EHLO says. A machine without a proper name says its address (RFC 5321 4.1.4).
func (s *Session) localName() string {
	if name, ok := asciiDomain(s.server.LocalName); ok {
		return name
	}
	addr, ok := s.wire.raw.LocalAddr().(*net.TCPAddr)
	if !ok {
		return "[127.0.0.1]" // through a tunnel there is no address that means anything
	}
	ip := addr.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is4() {
		return "[" + ip.String() + "]"
	}
	return "[IPv6:" + ip.String() + "]"
}

// summary reads "mail.example.com offers 8BITMIME, AUTH, PIPELINING, SIZE".
func summary(r reply, o offer) string {
	name, _, _ := strings.Cut(r.lines[0], " ")
	if len(o) == 0 {
		return printable(name + " offers no extension")
	}
	return printable(name + " offers " + strings.Join(o.names(), ", "))
}
