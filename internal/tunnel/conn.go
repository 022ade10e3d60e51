package tunnel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"
)

// Conn is a tunnel at the side that asked for it: a net.Conn with CloseWrite, as TCP has it.
type Conn struct {
	link   *link
	stream *frugal
	remote net.Addr

	closed  atomic.Bool // by us
	reset   atomic.Bool // by the far end
	stalled atomic.Bool // given up: nobody read
	once    sync.Once

	deadlines sync.Mutex // once the reader is finish, its deadline is nobody else's
}

var (
	errLost  = fmt.Errorf("the tunnel broke: %w", syscall.ECONNRESET)
	errReset = fmt.Errorf("the far end of the tunnel: %w", syscall.ECONNRESET)
	errStall = fmt.Errorf("the tunnel was not read while others needed its memory: %w", syscall.ECONNRESET)
)

// Read implements net.Conn. Only the orderly end of the far connection is io.EOF; a link that breaks is an error.
func (c *Conn) Read(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed // what is left is for finish
	}
	if c.stalled.Load() {
		return 0, errStall
	}
	n, err := c.stream.Read(p)
	if c.stalled.Load() {
		return 0, errStall // finish may have read what comes before this
	}
	if err == nil {
		return n, nil
	}
	return n, c.translate(err)
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	written := 0
	for {
		part := p[written:min(written+maxFrame, len(p))]
		n, err := c.stream.Write(part)
		written += n
		if err != nil {
			return written, c.translate(err)
		}
		if written == len(p) {
			return written, nil
		}
	}
}

// translate says it as a TCP connection would.
func (c *Conn) translate(err error) error {
	switch {
	case c.closed.Load():
		return net.ErrClosed
	case c.stalled.Load():
		return errStall
	case c.reset.Load():
		return errReset
	case errors.Is(err, io.EOF):
		if c.link.session.IsClosed() {
			return errLost // yamux ends the streams of a broken session like finished ones
		}
		return io.EOF
	case errors.Is(err, yamux.ErrTimeout):
		return os.ErrDeadlineExceeded
	case errors.Is(err, yamux.ErrStreamClosed):
		return net.ErrClosed // after CloseWrite
	}
	return errLost
}

// CloseWrite ends our direction; the other one goes on.
func (c *Conn) CloseWrite() error { return c.stream.Close() }

// Close implements net.Conn. What was written before still arrives.
func (c *Conn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		err = nil
		finishing := !c.letGo(&c.closed)
		c.link.remove(c.stream.StreamID())
		if finishing || c.link.session.IsClosed() {
			return
		}
		_ = c.stream.Close()
		go c.finish() // ends with the link at the latest
	})
	return err
}

// letGo notes why we read no more, and wakes whoever reads. It reports whether that is new.
func (c *Conn) letGo(why *atomic.Bool) bool {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if c.ended() {
		why.Store(true)
		return false
	}
	why.Store(true)
	_ = c.stream.SetReadDeadline(past)
	return true
}

// giveUp implements end.
func (c *Conn) giveUp() {
	if !c.letGo(&c.stalled) {
		return
	}
	_ = c.stream.SetWriteDeadline(past)
	go func() { // ends with the link at the latest
		_ = c.stream.Close()
		c.finish()
	}()
}

// finish waits for the far end to let go. One that does not could fill our memory with what nobody reads.
func (c *Conn) finish() {
	c.link.tell(wordGone, c.stream.StreamID())
	_ = c.stream.SetReadDeadline(time.Now().Add(finishTime))
	if _, err := io.Copy(io.Discard, c.stream); errors.Is(err, yamux.ErrTimeout) {
		c.link.fail(fmt.Errorf("%w: it does not end a tunnel", errViolation))
	}
}

const finishTime = 30 * time.Second // also over a line that is slow and full

// heed implements end.
func (c *Conn) heed(word) {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if c.ended() {
		return
	}
	c.reset.Store(true)
	_ = c.stream.SetReadDeadline(past) // what has arrived is read first
	_ = c.stream.SetWriteDeadline(past)
}

// past is a deadline that wakes whoever waits.
var past = time.Unix(1, 0)

// Shrink gives back the receive buffer while it is empty.
func (c *Conn) Shrink() { c.stream.Shrink() }

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return farAddr("tunnel") }

// RemoteAddr is the address that the far end says it has dialled.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	switch {
	case c.ended():
		return net.ErrClosed
	case c.reset.Load():
		return nil // it would let somebody wait for a connection that has ended
	}
	return c.stream.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	switch {
	case c.ended():
		return net.ErrClosed
	case c.reset.Load():
		return nil
	}
	return c.stream.SetWriteDeadline(t)
}

// ended reports whether we read no more.
func (c *Conn) ended() bool { return c.closed.Load() || c.stalled.Load() }

// farAddr is an address in another network.
type farAddr string

// Network implements net.Addr.
func (farAddr) Network() string { return "tunnel" }

func (a farAddr) String() string { return string(a) }

// farAddress reads what the far end says; it may be anything.
func farAddress(text string) net.Addr {
	if to, err := netip.ParseAddrPort(text); err == nil {
		return net.TCPAddrFromAddrPort(to)
	}
	return farAddr(text)
}
