package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// bufferSize takes two full TLS records, so that bulk moves with half the writes.
const bufferSize = 32 << 10

type buffer [bufferSize]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// end is one side of a session.
type end struct {
	wire *wire
	conn net.Conn      // what is spoken on: the wire, or TLS above it
	in   *bufio.Reader // reads conn until the relay begins; nil after that
}

// layered reports whether TLS is spoken.
func (e *end) layered() bool { return e.conn != net.Conn(e.wire) }

// relay carries bytes both ways and understands none of them, so IDLE, COMPRESS, BDAT and whatever comes
// next just work. A loop does that for TCP connections, two goroutines for all others. Either way the next
// bytes are read when the last ones are written, so a slow side slows the other and nothing piles up.
type relay struct {
	account        string // whose session it is
	client, server end
	up, down       lane
	open           atomic.Int32          // lanes that still run
	failure        atomic.Pointer[error] // why it was cut, the first cause
	finished       bool                  // the loop has closed both sides
	ended          func(error)           // called once, when both lanes are done and both sides closed
	panicked       func(any)
}

// lane is one direction and what it has carried.
type lane struct {
	relay    *relay
	from, to *end
	bytes    atomic.Int64
	last     atomic.Int64 // time of the last bytes, Unix nanoseconds
	over     atomic.Bool

	stream int // bytes since the last that did not come in bulk; of whoever moves them
}

// start returns at once: the goroutine that signed in has a deep stack and ends here. Without a loop
// goroutines relay.
func (r *relay) start(l *loop) {
	now := time.Now().UnixNano()
	r.up.last.Store(now)
	r.down.last.Store(now + 1) // the server's OK was the last word
	r.up.relay, r.up.from, r.up.to = r, &r.client, &r.server
	r.down.relay, r.down.from, r.down.to = r, &r.server, &r.client
	r.open.Store(2)
	if !l.adopt(r) {
		go r.up.carry()
		go r.down.carry()
	}
}

// bulk tells a transfer from a command or a reply: only a transfer is worth another read before the write.
// Dovecot sends TLS records of 4 KB.
const bulk = 2 << 10

// streamAfter is how much must have come in bulk, with nothing small between, to count as a stream.
const streamAfter = 128 << 10

// pass sends bytes on. They are noted first: an answer must never look older than its question, and who has
// heard it finds it counted.
func (l *lane) pass(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	l.last.Store(time.Now().UnixNano())
	l.bytes.Add(int64(len(p)))
	if l.stream += len(p); len(p) < bulk {
		l.stream = 0
	}
	_, err := l.to.conn.Write(p)
	return err
}

// passRest sends what the reader took in before the relay began, and gives the reader back.
func (l *lane) passRest() error {
	in := l.from.in
	if in == nil {
		return nil
	}
	rest, _ := in.Peek(in.Buffered())
	err := l.pass(rest)
	releaseReader(in)
	l.from.in = nil
	return err
}

// fill reads once, and goes on while the bytes come in bulk.
func fill(from io.Reader, buf []byte) (int, error) {
	n, err := from.Read(buf)
	for last := n; err == nil && last >= bulk && n < len(buf); n += last {
		last, err = from.Read(buf[n:])
	}
	return n, err
}

// finish is the end of a lane: the peer's, which is passed on, or a failure, which ends the session. It reports
// whether no lane is left.
func (l *lane) finish(err error) (last bool) {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		_ = closeWrite(l.to.conn) // where it fails, the other lane finds out
	default:
		l.relay.fail(err)
	}
	l.over.Store(true)
	return l.relay.open.Add(-1) == 0
}

// closeWrite passes on that one side has nothing more to say; the other may still speak.
func closeWrite(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return conn.Close()
}

// fail ends the session because one side is broken. Once a side has said goodbye, it does not matter how the other
// falls silent.
func (r *relay) fail(err error) {
	if r.half() {
		err = nil
	}
	r.cut(err)
}

// cut ends the session now. The wires are closed, not TLS: a close_notify could block on a stalled side.
// Deadlines come first, because closing waits for a read under way, and that may be waiting in a write to
// the other side. The client's wire obeys deadlines; a connector's tunnel might only obey Close.
func (r *relay) cut(err error) {
	if r.failure.CompareAndSwap(nil, &err) {
		_ = r.client.wire.SetDeadline(longAgo)
		_ = r.server.wire.SetDeadline(longAgo)
		_ = r.server.wire.Close()
		_ = r.client.wire.Close()
	}
}

// closeOrderly says goodbye to both sides, unless the session was cut.
func (r *relay) closeOrderly() {
	if r.failure.Load() == nil {
		_ = r.client.conn.Close()
		_ = r.server.conn.Close()
	}
}

// tell reports the end of the session.
func (r *relay) tell() {
	if failure := r.failure.Load(); failure != nil {
		r.ended(*failure)
		return
	}
	r.ended(nil)
}

// silent returns how long nobody has spoken, and whether the server owes an answer.
func (r *relay) silent(now time.Time) (silence time.Duration, serverOwes bool) {
	up, down := r.up.last.Load(), r.down.last.Load()
	return now.Sub(time.Unix(0, max(up, down))), up > down
}

// done reports whether nothing more will be read.
func (r *relay) done() bool { return r.failure.Load() != nil || r.open.Load() == 0 }

// half reports whether one direction has ended.
func (r *relay) half() bool { return r.up.over.Load() || r.down.over.Load() }
