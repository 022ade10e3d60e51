package submit

import (
	"context"
	"errors"
	"fmt"
	"os"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// Refusal is a reply that says no, for the log and for a queue that decides by code.
type Refusal struct {
	Code     int
	Enhanced string
	Text     string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("the server answered %s", reply{code: r.Code, enhanced: r.Enhanced, lines: []string{r.Text}})
}

// Uncertain says that the whole message was sent and the connection was lost before the final reply: the
// server may have taken it. Sending it again, with the same Message-ID, may make a second copy.
type Uncertain struct{ Err error }

func (u *Uncertain) Error() string {
	return "no final reply, the message may have been taken: " + u.Err.Error()
}

func (u *Uncertain) Unwrap() error { return u.Err }

// known is what there is to know for an explanation.
func (s *Session) known() explain.Context {
	c := s.server.Known
	c.Host, c.Port, c.Security = s.server.Target.Host, s.server.Target.Port, s.server.Target.Security
	c.Protocol = "SMTP"
	c.OAuth = s.server.Auth.Token != nil
	if c.Username == "" {
		c.Username = s.server.Auth.Username
	}
	c.Sender, c.Recipient = s.sender, s.recipient
	c.MaxSize = s.offer.maxSize()
	return c
}

// refuse fails the running step with what the server answered.
func (s *Session) refuse(ctx context.Context, step ladder.Name, r reply) error {
	return s.refuseAs(ctx, step, r, s.known())
}

func (s *Session) refuseAs(ctx context.Context, step ladder.Name, r reply, c explain.Context) error {
	if r.code == 421 { // RFC 5321 3.8: the server closes now
		s.broken = true
	}
	text := printable(r.text())
	fault := explain.SMTP(step, r.code, r.enhanced, text, c)
	return ladder.From(ctx).Fail(step, fault, &Refusal{Code: r.code, Enhanced: r.enhanced, Text: text})
}

// unreachable passes on what the dialer explained; a dialer that explains nothing is explained.
func (s *Session) unreachable(ctx context.Context, err error) error {
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return err
	}
	return ladder.From(ctx).Fail(ladder.Connect, explain.Network(ladder.Connect, err, s.known()), err)
}

// lose fails the running step because no reply came.
func (s *Session) lose(ctx context.Context, step ladder.Name, err error) error {
	s.broken = true
	err = cause(ctx, err)
	return ladder.From(ctx).Fail(step, s.lost(step, err), err)
}

// doubt is lose after the whole message was sent.
func (s *Session) doubt(ctx context.Context, err error) error {
	s.broken = true
	err = cause(ctx, err)
	seen := err
	if errors.Is(err, context.Canceled) || malformed(err) {
		seen = os.ErrDeadlineExceeded // for the person it is the same: no word from the server
	}
	fault := explain.Network(ladder.Reply, seen, s.known())
	return ladder.From(ctx).Fail(ladder.Reply, fault, &Uncertain{Err: err})
}

// lost explains why no reply came.
func (s *Session) lost(step ladder.Name, err error) ladder.Fault {
	switch {
	case malformed(err) && !s.isSMTP:
		return explain.NotMailServer(s.known())
	case malformed(err):
		return explain.BrokenReply(step, s.known())
	}
	return explain.Network(step, err, s.known())
}

func malformed(err error) bool { return errors.Is(err, errNotSMTP) || errors.Is(err, errLongReply) }

// cause puts the reason in front when the connection was closed because ctx ended.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}
