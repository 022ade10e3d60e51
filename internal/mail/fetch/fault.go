package fetch

import (
	"context"
	"errors"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
)

// Refusal is a reply that says no, for the log.
type Refusal struct {
	Status string // "NO", "BAD", "BYE", "-ERR"
	Code   string // the response code without brackets, upper case
	Text   string
}

func (r *Refusal) Error() string {
	text := "the server answered " + r.Status
	if r.Code != "" {
		text += " [" + r.Code + "]"
	}
	return strings.TrimSpace(text + " " + r.Text)
}

// temporary reports whether the refusal is about the moment and not about what was asked for.
func (r *Refusal) temporary() bool {
	return r.Status == "BYE" || explain.IMAP(ladder.Fetch, r.Code, r.Text, explain.Context{}).Temporary
}

// unsupported reports whether the server does not know what was asked for, although it offers it.
func (r *Refusal) unsupported() bool {
	text := strings.ToLower(r.Text)
	return strings.Contains(text, "unsupported") || strings.Contains(text, "not supported")
}

// What a server can do wrong, besides refusing.
var (
	errNotMail   = errors.New("the answer belongs to another protocol")
	errMalformed = errors.New("the answer breaks the protocol")
	errInjected  = errors.New("bytes in the clear after the reply to STARTTLS")
)

// known is what there is to know for an explanation.
func (v *visit) known() explain.Context {
	c := v.server.Known
	c.Host, c.Port, c.Security = v.server.Target.Host, v.server.Target.Port, v.server.Target.Security
	c.Protocol = v.server.Protocol.Name()
	c.OAuth = v.server.Auth.Token != nil
	if c.Username == "" {
		c.Username = v.server.Auth.Username
	}
	return c
}

// fail ends the running step with what went wrong.
func (v *visit) fail(ctx context.Context, step ladder.Name, err error) error {
	err = because(ctx, err)
	return ladder.From(ctx).Fail(step, v.explain(step, err), err)
}

// unreachable passes on what the dialer explained; a dialer that explains nothing is explained.
func (v *visit) unreachable(ctx context.Context, err error) error {
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return err
	}
	return v.fail(ctx, ladder.Connect, err)
}

// explain says what an error means. The end of a context comes first: then the connection was closed here, and what
// that looked like to the protocol is of no interest.
func (v *visit) explain(step ladder.Name, err error) ladder.Fault {
	var explained *ladder.Error
	var refusal *Refusal
	switch {
	case errors.As(err, &explained):
		return explained.Fault
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &refusal):
		return v.refused(step, refusal)
	case errors.Is(err, errNotMail):
		return explain.NotMailServer(v.known())
	case errors.Is(err, errInjected):
		return explain.Injected(v.known())
	case errors.Is(err, sasl.ErrServerProof):
		return explain.NoProof(v.known())
	case errors.Is(err, errMalformed):
		return explain.BrokenReply(step, v.known())
	}
	return explain.Network(step, err, v.known())
}

func (v *visit) refused(step ladder.Name, r *Refusal) ladder.Fault {
	c := v.known()
	c.Offered = v.offer.mechanisms
	if v.server.Protocol == POP3 {
		return explain.POP3(step, r.Code, r.Text, c)
	}
	if r.Status == "BYE" {
		return hungUp(r, c)
	}
	return explain.IMAP(step, r.Code, r.Text, c)
}

// hungUp explains a BYE, which is no answer to what was asked at that step.
func hungUp(r *Refusal, c explain.Context) ladder.Fault {
	f := explain.IMAP(ladder.Greeting, r.Code, r.Text, c)
	if f.Code == "imap_refused" { // the words say nothing
		f = explain.IMAP(ladder.Greeting, "", "bye", c)
		f.Reply = r.Text
	}
	return f
}

// because puts the reason in front when the connection was closed because ctx ended.
func because(ctx context.Context, err error) error {
	if ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		err = errors.Join(cause, err)
	}
	return errors.Join(ctx.Err(), err)
}
