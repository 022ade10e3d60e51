package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/pop3"
	"orbit/internal/mail/sasl"
)

// pop3Door is the way to a mailbox over POP3.
type pop3Door struct {
	server  *Server
	client  *pop3.Client
	greeted bool // it is a POP3 server
	secure  bool
	offer   offer
	ladder  *ladder.Ladder // records until the mailbox is open
}

func newPOP3Door(ctx context.Context, conn net.Conn, server *Server) *pop3Door {
	d := &pop3Door{server: server, ladder: ladder.From(ctx)}
	d.client = pop3.New(conn, pop3.Options{Timeout: server.Timeouts.Command, Trace: func(from, text string) {
		d.ladder.Record(map[string]string{"client": "orbit", "server": "server"}[from], explain.Clean(text))
	}})
	return d
}

func (d *pop3Door) greet(ctx context.Context) (string, error) {
	if d.server.Target.Port == 995 && !d.secure { // it waits for TLS; no need to wait for a minute with it
		within, cancel := context.WithTimeout(ctx, d.server.Timeouts.TLS)
		defer cancel()
		ctx = within
	}
	text, err := d.client.Greeting(ctx)
	if err != nil {
		return "", d.why(err)
	}
	d.greeted = true
	return explain.Clean("+OK " + text), nil
}

// why translates package pop3's errors.
func (d *pop3Door) why(err error) error {
	var refusal *pop3.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return &Refusal{Status: "-ERR", Code: refusal.Code, Text: explain.Clean(refusal.Text)}
	case errors.Is(err, pop3.ErrInjected):
		return fmt.Errorf("%w: %w", errInjected, err)
	case errors.Is(err, pop3.ErrNotPOP3) || errors.Is(err, pop3.ErrLineTooLong):
		if !d.greeted {
			return errNotMail
		}
		return fmt.Errorf("%w: %w", errMalformed, err)
	case errors.Is(err, pop3.ErrSASL):
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	return err
}

func (d *pop3Door) offers(ctx context.Context) (offer, error) {
	capabilities, err := d.client.Capabilities(ctx)
	if err != nil {
		return offer{}, d.why(err)
	}
	d.offer = offer{names: capabilities.Names(), mechanisms: capabilities.Mechanisms(), legacy: capabilities == nil}
	return d.offer, nil
}

func (d *pop3Door) startTLS(ctx context.Context) error { return d.why(d.client.StartTLS(ctx)) }

func (d *pop3Door) upgrade(conn net.Conn) {
	d.client.Upgrade(conn)
	d.secure = true
}

func (d *pop3Door) authenticate(ctx context.Context, client sasl.Client) (string, error) {
	text, err := d.client.Authenticate(ctx, client)
	return text, d.why(err)
}

// methods are APOP, where the greeting offers it, and USER with PASS. A server that does not say what it offers, and
// one that offers nothing else, knows the latter.
func (d *pop3Door) methods() []method {
	auth := d.server.Auth
	var all []method
	if d.client.OffersAPOP() {
		all = append(all, method{name: "APOP", digest: true, doubtful: true, run: func(ctx context.Context) (string, error) {
			text, err := d.client.APOP(ctx, auth.Username, reveal(auth.Password))
			return text, d.why(err)
		}})
	}
	if d.offer.has("USER") || len(d.offer.mechanisms) == 0 && !d.offer.startTLS() {
		all = append(all, method{name: "USER and PASS", readable: true, run: func(ctx context.Context) (string, error) {
			text, err := d.client.Login(ctx, auth.Username, reveal(auth.Password))
			return text, d.why(err)
		}})
	}
	return all
}

func (d *pop3Door) open(ctx context.Context) (box, State, error) {
	stat, err := d.client.Stat(ctx)
	if err != nil {
		return nil, State{}, d.why(err)
	}
	d.ladder = nil
	return &pop3Box{pop3Door: d}, State{Messages: stat.Count}, nil
}

func (d *pop3Door) leave(ctx context.Context) {
	d.ladder = nil
	if d.client.Usable() {
		within, cancel := context.WithTimeout(ctx, d.server.Timeouts.Quit)
		defer cancel()
		_ = d.client.Quit(within)
	}
	_ = d.client.Close()
}
