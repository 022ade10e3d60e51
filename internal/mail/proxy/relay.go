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

// smallBuffer serves commands and replies of connections that can only wait inside a read.
const smallBuffer = 1 << 10

type buffer [bufferSize]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// end is one side of a session.
type end struct {
	wire *wire
	conn net.Conn      // what is spoken on: the wire, or TLS above it
	in   *bufio.Reader // reads conn until the relay begins; nil after that
}

// relay carries bytes both ways and understands none of them, so IDLE, COMPRESS, BDAT and whatever comes
// next just work. Each direction is one goroutine with at most one buffer; the next bytes are read when
// the last ones are written, so a slow side slows the other and nothing piles up.
type relay struct {
	account        string // whose session it is
	client, server end
	up, down       flow
	open           atomic.Int32          // directions that still run
	failure        atomic.Pointer[error] // why it was cut, the first cause
	ended          func(error)           // called once, when both directions are done and both sides closed
	panicked       func(any)
}

// flow is what one direction has carried.
type flow struct {
	bytes atomic.Int64
	last  atomic.Int64 // time of the last bytes, Unix nanoseconds
	over  atomic.Bool

	stream int // bytes since the last that did not come in bulk; of the direction's own goroutine
}

// heard is called before the bytes are passed on: an answer must never look older than its question.
func (f *flow) heard() { f.last.Store(time.Now().UnixNano()) }

func (f *flow) moved(n int) {
	f.bytes.Add(int64(n))
	if f.stream += n; n < bulk {
		f.stream = 0
	}
}

// start returns at once: the goroutine that signed in has a deep stack and ends here.
func (r *relay) start() {
	now := time.Now().UnixNano()
	r.up.last.Store(now)
	r.down.last.Store(now + 1) // the server's OK was the last word
	r.open.Store(2)
	go r.carry(&r.client, &r.server, &r.up)
	go r.carry(&r.server, &r.client, &r.down)
}

// carry runs one direction to its end, and ends the session when it is the last.
func (r *relay) carry(from, to *end, f *flow) {
	defer func() {
		if fault := recover(); fault != nil {
			r.panicked(fault)
			r.cut(errPanic)
		}
		f.over.Store(true)
		if r.open.Add(-1) == 0 {
			r.finish()
		}
	}()
	switch err := r.pump(from, to, f); {
	case err != nil && r.half():
		r.cut(nil) // the other side has said goodbye; how this one falls silent does not matter
	case err != nil:
		r.cut(err)
	}
}

// pump moves everything, then passes the end on.
func (r *relay) pump(from, to *end, f *flow) error {
	if err := passRest(from, to, f); err != nil {
		return err
	}
	move := moveWaiting
	if from.wire.raw == nil {
		move = moveBlocking
	}
	if err := move(from, to, f); err != nil {
		return err
	}
	_ = closeWrite(to.conn) // where it fails, the other direction finds out
	return nil
}

// passRest sends what the reader took in before the relay began, and gives the reader back.
func passRest(from, to *end, f *flow) error {
	rest, _ := from.in.Peek(from.in.Buffered())
	var err error
	if len(rest) > 0 {
		f.heard()
		_, err = to.conn.Write(rest)
		f.moved(len(rest))
	}
	releaseReader(from.in)
	from.in = nil
	return err
}

// moveWaiting holds a buffer only while there are bytes to move.
func moveWaiting(from, to *end, f *flow) error {
	var err error
	waitErr := from.wire.whenReady(from.conn != net.Conn(from.wire), func() bool {
		for again := true; again; {
			before := f.stream
			err = moveReady(from.conn, to.conn, f)
			again = errors.Is(err, errNotReady) && f.stream > max(before, streamAfter) && nap()
		}
		return !errors.Is(err, errNotReady)
	})
	switch {
	case waitErr != nil:
		return waitErr
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// moveReady moves what is there and returns errNotReady when there is no more.
func moveReady(from io.Reader, to io.Writer, f *flow) error {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	for {
		n, err := fill(from, buf[:])
		if n > 0 {
			f.heard()
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
			f.moved(n)
		}
		if err != nil {
			return err
		}
	}
}

// bulk tells a transfer from a command or a reply: only a transfer is worth another read before the write.
// Dovecot sends TLS records of 4 KB.
const bulk = 2 << 10

// streamAfter is how much must have come in bulk, with nothing small between, before a direction naps.
const streamAfter = 128 << 10

// fill reads once, and goes on while the bytes come in bulk.
func fill(from io.Reader, buf []byte) (int, error) {
	n, err := from.Read(buf)
	for last := n; err == nil && last >= bulk && n < len(buf); n += last {
		last, err = from.Read(buf[n:])
	}
	return n, err
}

// moveBlocking waits inside reads with a small buffer, and takes a large one for as long as reads fill it.
func moveBlocking(from, to *end, f *flow) error {
	var small [smallBuffer]byte
	for {
		n, err := moveOnce(from.conn, to.conn, small[:], f)
		if err == nil && n == len(small) {
			err = moveBulk(from.conn, to.conn, f)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func moveBulk(from io.Reader, to io.Writer, f *flow) error {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	for {
		n, err := moveOnce(from, to, buf[:16<<10], f) // what one TLS record holds
		if err != nil || n < 16<<10 {
			return err
		}
	}
}

func moveOnce(from io.Reader, to io.Writer, buf []byte, f *flow) (int, error) {
	n, err := from.Read(buf)
	if n > 0 {
		f.heard()
		if _, err := to.Write(buf[:n]); err != nil {
			return n, err
		}
		f.moved(n)
	}
	return n, err
}

// closeWrite passes on that one side has nothing more to say; the other may still speak.
func closeWrite(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return conn.Close()
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

func (r *relay) finish() {
	if failure := r.failure.Load(); failure != nil {
		r.ended(*failure)
		return
	}
	_ = r.client.conn.Close()
	_ = r.server.conn.Close()
	r.ended(nil)
}

// silent returns how long nobody has spoken, and whether the server owes an answer.
func (r *relay) silent(now time.Time) (silence time.Duration, serverOwes bool) {
	up, down := r.up.last.Load(), r.down.last.Load()
	return now.Sub(time.Unix(0, max(up, down))), up > down
}

// half reports whether one direction has ended.
func (r *relay) half() bool { return r.up.over.Load() || r.down.over.Load() }
