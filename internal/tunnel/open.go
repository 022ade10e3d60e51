package tunnel

import (
	"context"
	"fmt"
	"time"
)

// open asks the other side for a tunnel. The error is a *Failure when the far end has no connection, the
// error of ctx when that ended, and a *LinkError otherwise: then nothing is known and another link may be asked.
func (l *link) open(ctx context.Context, r Request, told func(Progress)) (*Conn, error) {
	if n := l.tunnels(); n >= l.limit {
		return nil, &LinkError{Text: fmt.Sprintf("it carries %d tunnels already", n)}
	}
	stream, err := l.session.OpenStream()
	if err != nil {
		return nil, &LinkError{Text: "it takes no more tunnels", Err: err}
	}
	c := &Conn{link: l, stream: &frugal{Stream: stream, backlog: l.wire.backlog}}
	l.add(stream.StreamID(), c)
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	address, err := c.begin(r, told)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	c.remote = farAddress(address)
	return c, c.SetDeadline(time.Time{})
}

// TakenUp is the Progress.Step that names who has a request, before anything is dialled.
const TakenUp = "taken_up"

// PassedOver is the Progress.Step that says who could not take a request up, so that another is asked.
const PassedOver = "passed_over"

// begin speaks the request and hears the answers, until the tunnel is open.
func (c *Conn) begin(r Request, told func(Progress)) (address string, err error) {
	_ = c.stream.SetDeadline(time.Now().Add(takeUpTime))
	if err := writeMessage(c, r); err != nil {
		return "", &LinkError{Text: "it does not take a request", Err: err}
	}
	first, err := c.hear()
	if err != nil {
		return "", &LinkError{Text: "it does not answer", Err: err}
	}
	_ = c.stream.SetDeadline(time.Now().Add(r.Timeout + answerSlack))
	for next := first; ; {
		switch {
		case next.Failure != nil:
			return "", next.Failure
		case next.Address != "":
			return next.Address, nil
		case next.TakenUp != "":
			told(Progress{Step: TakenUp, Text: next.TakenUp})
		case next.Progress != nil:
			told(*next.Progress)
		}
		if next, err = c.hear(); err != nil {
			return "", &LinkError{Text: "it broke off", Err: err}
		}
	}
}

func (c *Conn) hear() (answer, error) {
	var a answer
	err := readMessage(c, &a)
	return a.sanitize(), err
}
