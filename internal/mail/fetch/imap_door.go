package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// maxUntagged bounds the lines before a tagged reply; more than a handful is unheard of before the sign-in.
const maxUntagged = 100

// imapDoor speaks IMAP up to the sign-in (RFC 9051 6.1 and 6.2).
type imapDoor struct {
	server *Server
	wire   *wire
	known  bool  // offer is valid
	offer  offer // as said last
	tags   int
	secure bool
	handed *imapBox // has the connection now
}

func newIMAPDoor(conn *gulping, server *Server) *imapDoor {
	return &imapDoor{server: server, wire: newWire(conn, server.Timeouts)}
}

// greet reads the greeting. Nothing is shown of a line that is no IMAP: it may belong to another service, which a
// person who tests an account has no business to read.
func (d *imapDoor) greet(ctx context.Context) (string, error) {
	timeout := d.server.Timeouts.Command
	if d.server.Target.Port == 993 && !d.secure {
		timeout = min(timeout, d.server.Timeouts.TLS) // it waits for TLS; no need to wait for a minute with it
	}
	d.wire.expect(timeout)
	line, err := d.wire.readLine()
	if err != nil {
		return "", notIMAP(err)
	}
	r, ok := parseResponse(line)
	if !ok || r.tag != "*" {
		return "", errNotMail
	}
	switch r.word {
	case "OK":
		transcribe(ctx, line)
		d.learn(r)
		return explain.Clean(line), nil
	case "BYE":
		transcribe(ctx, line)
		return "", r.refusal()
	case "PREAUTH": // who signs in before us without TLS keeps us from asking for TLS (RFC 9051 11.4)
		transcribe(ctx, line)
		return "", fmt.Errorf("%w: PREAUTH", errMalformed)
	}
	return "", errNotMail
}

// notIMAP takes a line without end for another protocol: nobody has shown yet that this is a mail server.
func notIMAP(err error) error {
	if errors.Is(err, errMalformed) {
		return errNotMail
	}
	return err
}

func (d *imapDoor) learn(r response) {
	if words, ok := r.capabilities(); ok {
		d.offer, d.known = newOffer(words), true
	}
}

// offers asks for the capabilities, unless the server has said them by itself.
func (d *imapDoor) offers(ctx context.Context) (offer, error) {
	if d.known {
		return d.offer, nil
	}
	if _, err := d.ask(ctx, "CAPABILITY"); err != nil {
		return offer{}, err
	}
	if !d.known {
		return offer{}, fmt.Errorf("%w: no CAPABILITY", errMalformed)
	}
	return d.offer, nil
}

func (d *imapDoor) startTLS(ctx context.Context) error {
	if _, err := d.ask(ctx, "STARTTLS"); err != nil {
		return err
	}
	if d.wire.in.Buffered() > 0 { // what came in the clear must not be taken as said over TLS (CVE-2011-0411)
		return errInjected
	}
	return nil
}

func (d *imapDoor) upgrade(conn net.Conn) {
	d.wire.upgrade(conn)
	d.known, d.secure = false, true
}

// ask sends a command that holds no secret and waits for its tagged reply.
func (d *imapDoor) ask(ctx context.Context, command string) (response, error) {
	tag, err := d.begin(ctx, command, command)
	if err != nil {
		return response{}, err
	}
	return d.finish(ctx, tag)
}

// begin sends a command under a new tag.
func (d *imapDoor) begin(ctx context.Context, command, shown string) (tag string, err error) {
	d.tags++
	tag = fmt.Sprintf("o%d", d.tags)
	d.wire.expect(d.server.Timeouts.Command)
	return tag, d.lost(d.wire.put(ladder.From(ctx), tag+" "+command, tag+" "+shown))
}

// finish waits for the tagged reply where the server has nothing to ask.
func (d *imapDoor) finish(ctx context.Context, tag string) (response, error) {
	r, err := d.next(ctx, tag)
	if err == nil && r.tag == "+" {
		return r, fmt.Errorf("%w: a continuation that nobody asked for", errMalformed)
	}
	return r, err
}

// next returns the tagged reply, which is a *Refusal unless it says OK, or a continuation request.
func (d *imapDoor) next(ctx context.Context, tag string) (response, error) {
	for range maxUntagged {
		line, err := d.wire.readLine()
		if err != nil {
			return response{}, d.lost(err)
		}
		if rest, ok := strings.CutPrefix(line, "+"); ok {
			ladder.From(ctx).Record("server", "+ [challenge]")
			return response{tag: "+", text: strings.TrimSpace(rest)}, nil
		}
		line = d.wire.redact(line)
		transcribe(ctx, line)
		r, ok := parseResponse(line)
		switch {
		case !ok || r.tag != tag && r.tag != "*":
			return response{}, errMalformed
		case r.tag == "*":
			d.untagged(ctx, r)
			continue
		}
		d.learn(r)
		if r.word != "OK" {
			return response{}, r.refusal()
		}
		return r, nil
	}
	return response{}, errMalformed
}

func (d *imapDoor) untagged(ctx context.Context, r response) {
	d.learn(r)
	if r.word == "BYE" {
		d.wire.farewell(r.refusal())
	}
	if r.code == "ALERT" { // RFC 9051 7.1: it must be shown
		ladder.From(ctx).Warn("%s says: %s", d.server.Target.Host, explain.Clean(r.text))
	}
}

// lost prefers the server's last words to what the network says.
func (d *imapDoor) lost(err error) error {
	if err == nil || errors.Is(err, errMalformed) || errors.Is(err, errControlByte) {
		return err
	}
	if fate := d.wire.fate(); fate != nil {
		return fate
	}
	return err
}

// leave says good-bye after a step that failed.
func (d *imapDoor) leave(ctx context.Context) {
	if d.handed != nil {
		_ = d.handed.leave(ctx)
		return
	}
	if d.wire.fate() == nil && ctx.Err() == nil {
		d.wire.expect(d.server.Timeouts.Quit)
		if d.wire.put(nil, "o0 LOGOUT", "") == nil {
			_, _ = d.next(context.WithoutCancel(ladder.With(ctx, nil)), "o0")
		}
	}
	_ = d.wire.conn.Close()
}

// open hands the connection to go-imap and selects the folder.
func (d *imapDoor) open(ctx context.Context) (box, State, error) {
	o, err := d.offers(ctx) // those after the sign-in
	if err != nil {
		return nil, State{}, err
	}
	b := newIMAPBox(d.server, d.wire, o, ladder.From(ctx))
	state, err := b.enter()
	if err != nil {
		d.handed = b
		return nil, State{}, err
	}
	return b, state, nil
}
