package fetch

import (
	"context"
	"fmt"
	"iter"
	"net"
	"strings"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
)

// door is a protocol's way up to an open mailbox. Its errors are *Refusal, one of fault.go, or the network's.
type door interface {
	greet(ctx context.Context) (string, error)
	offers(ctx context.Context) (offer, error) // CAPABILITY or CAPA
	startTLS(ctx context.Context) error        // up to the handshake
	upgrade(conn net.Conn)                     // after it
	authenticate(ctx context.Context, client sasl.Client) (string, error)
	methods() []method // for a password, beside SASL
	open(ctx context.Context) (box, State, error)
	leave(ctx context.Context) // with a good-bye if it may help
}

// box is an open mailbox.
type box interface {
	list(ctx context.Context, since Cursor) iter.Seq2[Ref, error]
	fetch(ctx context.Context, refs []Ref) iter.Seq2[*Message, error]
	markSeen(ctx context.Context, refs []Ref) error
	remove(ctx context.Context, refs []Ref) error
	wait(ctx context.Context) error
	messages(opened State) int // that are there now, if the protocol says so
	leave(ctx context.Context) error
}

// visit is a connection on its way to an open mailbox and there.
type visit struct {
	server Server
	raw    *gulping // as dialled; closing it wakes whoever waits
	conn   net.Conn // raw, or TLS over it
	secure bool     // TLS is on
	door   door
	offer  offer
	state  State
	box    box
}

func newDoor(ctx context.Context, conn *gulping, server *Server) door {
	if server.Protocol == POP3 {
		return newPOP3Door(ctx, conn, server)
	}
	return newIMAPDoor(conn, server)
}

// watch closes the connection when ctx ends, until stop is called.
func (v *visit) watch(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = v.raw.Close() })
}

// climb goes all the way up.
func (v *visit) climb(ctx context.Context) error {
	v.conn = v.raw
	for _, rung := range v.rungs() {
		if err := rung(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (v *visit) rungs() []func(context.Context) error {
	switch v.server.Target.Security {
	case dial.Implicit:
		return []func(context.Context) error{v.handshake, v.greeting, v.hello, v.signIn, v.enter}
	case dial.STARTTLS:
		return []func(context.Context) error{v.greeting, v.helloAndStartTLS, v.handshake, v.hello, v.signIn, v.enter}
	case dial.Plain:
	}
	return []func(context.Context) error{v.greeting, v.hello, v.signIn, v.enter}
}

// handshake starts TLS; dial reports the step.
func (v *visit) handshake(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, v.server.Timeouts.TLS)
	defer cancel()
	conn, err := dial.Handshake(within, v.raw, v.server.Target)
	if err != nil {
		return err
	}
	v.conn, v.secure = conn, true
	v.door.upgrade(conn)
	return nil
}

// greeting reads the server's first line.
func (v *visit) greeting(ctx context.Context) error {
	l := ladder.From(ctx)
	l.Begin(ladder.Greeting, "Greeting of the server")
	text, err := v.door.greet(ctx)
	if err != nil {
		return v.fail(ctx, ladder.Greeting, err)
	}
	l.End("%s", text)
	return nil
}

// hello asks what the server offers.
func (v *visit) hello(ctx context.Context) error {
	if err := v.askOffers(ctx); err != nil {
		return err
	}
	ladder.From(ctx).End("%s", v.offer)
	return nil
}

// helloAndStartTLS is hello on the way to TLS: the command that ends the clear part belongs to it.
func (v *visit) helloAndStartTLS(ctx context.Context) error {
	l := ladder.From(ctx)
	if err := v.askOffers(ctx); err != nil {
		return err
	}
	if !v.offer.startTLS() {
		l.End("%s", v.offer)
		l.Begin(ladder.TLS, "Certificate and encryption")
		c := v.known()
		c.Offered = v.offer.names
		return l.Fail(ladder.TLS, explain.NoSTARTTLS(c), nil)
	}
	if err := v.door.startTLS(ctx); err != nil {
		return v.fail(ctx, ladder.TLS, err)
	}
	l.End("%s", v.offer)
	v.offer = offer{} // what was said in the clear is forgotten (RFC 9051 6.2.1, RFC 2595 4)
	return nil
}

func (v *visit) askOffers(ctx context.Context) error {
	ladder.From(ctx).Begin(ladder.Hello, "What the server offers")
	o, err := v.door.offers(ctx)
	if err != nil {
		return v.fail(ctx, ladder.Hello, err)
	}
	v.offer = o
	return nil
}

// enter opens the mailbox and says how new mail is noticed.
func (v *visit) enter(ctx context.Context) error {
	l := ladder.From(ctx)
	l.Begin(ladder.Select, "Mailbox")
	var err error
	if v.box, v.state, err = v.door.open(ctx); err != nil {
		return v.fail(ctx, ladder.Select, err)
	}
	l.End("%s", v.found())
	l.Begin(ladder.Idle, "Notification of new mail")
	switch {
	case v.state.Idle:
		l.End("IDLE is offered: new mail is noticed at once")
	case v.server.Protocol == POP3:
		l.End("POP3 has none: Orbit looks every %s", interval(v.server.Timeouts.Poll))
	default:
		l.Warn("%s does not offer IDLE: new mail is noticed up to %s late.", v.server.Target.Host, v.server.Timeouts.Poll)
		l.End("IDLE is not offered: Orbit looks every %s", interval(v.server.Timeouts.Poll))
	}
	return nil
}

// found reads "INBOX has 3 messages".
func (v *visit) found() string {
	count := fmt.Sprintf("%d messages", v.state.Messages)
	if v.state.Messages == 1 {
		count = "1 message"
	}
	if v.server.Protocol == POP3 {
		return "the mailbox has " + count
	}
	return explain.Clean(v.server.Folder) + " has " + count
}

// offer is what a server says it can do.
type offer struct {
	names      []string // upper case, for people too
	mechanisms []string // SASL
	legacy     bool     // POP3: the server does not know the question
}

func (o offer) has(name string) bool {
	for _, n := range o.names {
		if n == name {
			return true
		}
	}
	return false
}

func (o offer) startTLS() bool { return o.has("STARTTLS") || o.has("STLS") }

// String reads "offers AUTH=PLAIN, IDLE, IMAP4REV1".
func (o offer) String() string {
	switch {
	case o.legacy:
		return "the server does not say what it offers"
	case len(o.names) == 0:
		return "the server offers nothing beyond the protocol"
	}
	return explain.Clean("the server offers " + strings.Join(o.names, ", "))
}

// interval writes how often something happens: "minute", "90s".
func interval(d time.Duration) string {
	if d == time.Minute {
		return "minute"
	}
	return d.String()
}
