package submit

import (
	"context"
	"fmt"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// Send renders a message and sends it.
func (s *Session) Send(ctx context.Context, m Message) (Result, error) {
	raw, envelope, err := Render(m)
	if err != nil {
		return Result{}, err
	}
	return s.SendRaw(ctx, envelope, raw)
}

// SendRaw sends a rendered message to all its recipients, or to none: one refused recipient stops it, so that
// nobody has to find out who got it. A queue that wants recipients apart sends one message to each.
//
// After an error Usable tells whether the session can go on. errors.As finds a *Refusal when the server said
// no, and an *Uncertain when the message may have been taken.
func (s *Session) SendRaw(ctx context.Context, e Envelope, raw []byte) (Result, error) {
	stop := s.wire.watch(ctx)
	defer stop()
	t, err := s.prepare(ctx, e, raw)
	if err != nil {
		return Result{}, err
	}
	if err := s.announce(ctx, t.steps); err != nil {
		return Result{}, err
	}
	if err := s.transfer(ctx, raw, t.size); err != nil {
		return Result{}, err
	}
	r, err := s.finalReply(ctx)
	if err != nil {
		return Result{}, err
	}
	return Result{MessageID: e.MessageID, Reply: r.String(), Server: s.server.Target.Host}, nil
}

// transaction is a message made ready: the commands up to DATA.
type transaction struct {
	steps []step
	size  int64
}

// step is one command of the transaction.
type step struct {
	name      ladder.Name
	title     string
	command   string
	class     int    // of the reply that means "go on"
	recipient string // whom it is about
}

// prepare checks the message against what the server takes, before anything is sent.
func (s *Session) prepare(ctx context.Context, e Envelope, raw []byte) (transaction, error) {
	from, to, err := e.paths()
	if err != nil {
		return transaction{}, err
	}
	s.sender, s.recipient = e.From, e.To[0]
	size, eightBit := bodySize(raw)
	if fault := s.unfit(e, size, eightBit); fault != nil {
		l := ladder.From(ctx)
		l.Begin(ladder.MailFrom, "Sender")
		return transaction{}, l.Fail(ladder.MailFrom, *fault, nil)
	}
	if err := s.reset(ctx); err != nil {
		return transaction{}, err
	}
	steps := []step{{ladder.MailFrom, "Sender", s.mail(from, e, size, eightBit), 2, e.To[0]}}
	for _, path := range to {
		steps = append(steps, step{ladder.RcptTo, "Recipient", "RCPT TO:" + path, 2, strings.Trim(path, "<>")})
	}
	return transaction{append(steps, step{ladder.Data, "Message", "DATA", 3, e.To[0]}), size}, nil
}

// unfit explains why the server would not take the message, nil when it may.
func (s *Session) unfit(e Envelope, size int64, eightBit bool) *ladder.Fault {
	c := s.known()
	c.Size = size
	var fault ladder.Fault
	switch {
	case c.MaxSize > 0 && size > c.MaxSize:
		fault = explain.TooLarge(c)
	case e.International && !s.offer.has("SMTPUTF8"):
		fault = explain.NoSMTPUTF8(c)
	case eightBit && !s.offer.has("8BITMIME"):
		fault = explain.No8BITMIME(c)
	default:
		return nil
	}
	return &fault
}

// reset ends a transaction that was left open by a refusal.
func (s *Session) reset(ctx context.Context) error {
	if !s.started {
		s.started = true
		return nil
	}
	l := ladder.From(ctx)
	r, err := s.wire.ask(nil, "RSET", "")
	if err == nil && r.ok(2) {
		return nil
	}
	l.Begin(ladder.MailFrom, "Sender")
	s.broken = true
	if err != nil {
		return s.lose(ctx, ladder.MailFrom, err)
	}
	return s.refuse(ctx, ladder.MailFrom, r)
}

// announce climbs from MAIL to DATA. With PIPELINING the commands leave together and the replies are read in
// their order (RFC 2920), so each refusal still belongs to its command. DATA goes along only with a single
// recipient: with several, a server would take the message for those that it accepted.
func (s *Session) announce(ctx context.Context, steps []step) error {
	l := ladder.From(ctx)
	ahead, sent := s.ahead(steps), 0
	for i, step := range steps {
		l.Begin(step.name, step.title)
		s.recipient = step.recipient
		for ; sent <= i || sent < ahead; sent++ {
			if err := s.wire.put(steps[sent].command); err != nil {
				return s.lose(ctx, step.name, err)
			}
		}
		l.Record("orbit", step.command)
		r, err := s.wire.read(l, s.server.Timeouts.Command)
		if err != nil {
			return s.lose(ctx, step.name, err)
		}
		if !r.ok(step.class) {
			s.drain(steps[i+1 : sent])
			return s.refuse(ctx, step.name, r)
		}
		if step.name != ladder.Data { // that step goes on with the message
			l.End("%s", r)
		}
	}
	return nil
}

// ahead is how many commands may leave before the first reply.
func (s *Session) ahead(steps []step) int {
	switch {
	case !s.offer.has("PIPELINING"):
		return 0
	case len(steps) == 3:
		return 3
	}
	return len(steps) - 1
}

// drain reads the replies to what was sent after a refused command. A server that wants the message all the
// same has lost count; the connection ends before it can take an empty one for real.
func (s *Session) drain(unread []step) {
	for _, step := range unread {
		r, err := s.wire.read(nil, s.server.Timeouts.Command)
		if err != nil || step.name == ladder.Data && r.ok(3) {
			s.broken = true
			return
		}
	}
}

// transfer sends the message itself. A server that breaks off in the middle has mostly said why.
func (s *Session) transfer(ctx context.Context, raw []byte, size int64) error {
	l := ladder.From(ctx)
	if l != nil {
		l.Record("orbit", fmt.Sprintf("(the message, %d bytes)", size))
	}
	err := writeBody(s.wire.out, raw)
	if err == nil {
		err = s.wire.out.Flush()
	}
	if err == nil {
		l.End("%d bytes sent", size)
		return nil
	}
	s.broken = true
	if r, readErr := s.wire.read(l, s.server.Timeouts.Quit); readErr == nil {
		return s.refuse(ctx, ladder.Data, r)
	}
	return s.lose(ctx, ladder.Data, err)
}

// finalReply waits for the only word that counts.
func (s *Session) finalReply(ctx context.Context) (reply, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Reply, "Final reply")
	r, err := s.wire.read(l, s.server.Timeouts.DataEnd)
	if err != nil {
		return reply{}, s.doubt(ctx, err)
	}
	if !r.ok(2) {
		return reply{}, s.refuse(ctx, ladder.Reply, r)
	}
	s.started = false
	l.End("%s", r)
	return r, nil
}
