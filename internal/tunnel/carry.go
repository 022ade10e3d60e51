package tunnel

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Dialled is a connection at the far end: TCP, or a tunnel again.
type Dialled interface {
	net.Conn
	CloseWrite() error
}

// carrier is a tunnel at the side that carries it out.
type carrier struct {
	link   *link
	stream *frugal
	cancel context.CancelFunc // of the dialling

	gone   atomic.Bool // the opener reads no more
	broken atomic.Bool // the far connection is no more
	dest   atomic.Pointer[Dialled]
}

// accept takes up requests until the link ends.
func (l *link) accept(ctx context.Context) {
	for {
		stream, err := l.session.AcceptStream()
		if err != nil {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		c := &carrier{link: l, stream: &frugal{Stream: stream, backlog: l.wire.backlog}, cancel: cancel}
		if l.add(stream.StreamID(), c) {
			c.heed(wordGone)
		}
		l.carried.Go(func() {
			defer cancel()
			defer l.remove(stream.StreamID())
			defer stream.Close()
			c.carry(ctx)
		})
	}
}

// carry serves one stream from its request to its end.
func (c *carrier) carry(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { _ = c.stream.SetReadDeadline(past) })()
	_ = c.stream.SetDeadline(time.Now().Add(handshakeTime))
	var r Request
	if err := readMessage(c.stream, &r); err != nil {
		return
	}
	_ = c.stream.SetDeadline(time.Time{})
	dest, err := c.connect(ctx, r)
	if err != nil {
		_ = writeMessage(c.stream, answer{Failure: FailureOf(err)})
		return
	}
	defer dest.Close()
	if err := writeMessage(c.stream, answer{Address: dest.RemoteAddr().String()}); err != nil {
		return
	}
	c.relay(dest)
}

// connect dials the destination and tells the opener how it goes.
func (c *carrier) connect(ctx context.Context, r Request) (Dialled, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if c.link.tunnels() > c.link.limit {
		return nil, &Failure{Code: Exhausted, Text: "the agent carries as many tunnels as it may"}
	}
	if err := writeMessage(c.stream, answer{TakenUp: c.link.name}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	dest, err := c.link.dial(ctx, r, func(p Progress) {
		p.sanitize()
		_ = writeMessage(c.stream, answer{Progress: &p})
	})
	if err != nil {
		return nil, err
	}
	c.dest.Store(&dest)
	if c.gone.Load() {
		c.heed(wordGone)
	}
	return dest, nil
}

// heed implements end: the opener reads no more. What it has written is still delivered, if that goes quickly.
func (c *carrier) heed(word) {
	c.gone.Store(true)
	if dest := c.dest.Load(); dest != nil {
		_ = (*dest).SetReadDeadline(past)
		_ = (*dest).SetWriteDeadline(time.Now().Add(lingerTime))
		return
	}
	c.cancel()
}

// relay copies both ways until both have ended.
func (c *carrier) relay(dest Dialled) {
	up := make(chan struct{})
	go func() {
		defer close(up)
		err := pump(dest, c.stream, c.broken.Load)
		if err != nil || c.link.session.IsClosed() || dest.CloseWrite() != nil {
			c.breakOff(dest)
		}
	}()
	err := pump(c.stream, dest, c.gone.Load)
	if err == nil || c.gone.Load() {
		_ = c.stream.Close()
	} else {
		c.breakOff(dest)
	}
	<-up
	if c.broken.Load() { // the opener ends the stream first, so that it hears the word before the end
		_ = c.stream.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, c.stream)
	}
}

// breakOff ends a tunnel whose far connection broke, or whose link did.
func (c *carrier) breakOff(dest Dialled) {
	if c.broken.Swap(true) {
		return
	}
	if !c.link.session.IsClosed() {
		c.link.tell(wordReset, c.stream.StreamID())
	}
	_ = dest.Close()
	_ = c.stream.SetReadDeadline(time.Now().Add(lingerTime))
}

// giveUp implements end: the destination takes nothing any more.
func (c *carrier) giveUp() {
	dest := c.dest.Load()
	if dest == nil {
		c.cancel()
		return
	}
	go c.breakOff(*dest) // ends with the link at the latest
}

// Shrink gives back the receive buffer while it is empty.
func (c *carrier) Shrink() { c.stream.Shrink() }
