package tunnel

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// messages is what a wire needs of a WebSocket.
type messages interface {
	Reader(ctx context.Context) (websocket.MessageType, io.Reader, error)
	Write(ctx context.Context, kind websocket.MessageType, message []byte) error
	SetReadLimit(n int64)
	CloseNow() error
}

// wire is a WebSocket as yamux wants it: a stream of bytes. It counts them, remembers when the other side
// was heard last, and puts a frame's header and body into one message.
type wire struct {
	ws     messages
	flush  func() error // after each message; nil where nothing collects them
	reader io.Reader    // of the message that is being read
	guard  guard

	backlog *backlog
	giveUp  func(streams []uint32) // breaks tunnels off, without waiting
	closed  chan struct{}
	close   func()

	head []byte // a header whose body follows in the next Write
	out  []byte

	read, written atomic.Int64
	heard         atomic.Int64 // unix nanoseconds of this machine's monotonic kind, see now
}

func newWire(ws messages, flush func() error, mayOpen bool) *wire {
	ws.SetReadLimit(maxWindow + headerSize)
	w := &wire{ws: ws, flush: flush, backlog: newBacklog(heldLimit), closed: make(chan struct{})}
	w.guard = guard{mayOpen: mayOpen, arrived: w.backlog.arrived}
	w.close = sync.OnceFunc(func() { close(w.closed) })
	w.heard.Store(now())
	return w
}

// began is when this process did; differences to it do not jump with the clock.
var began = time.Now()

func now() int64 { return int64(time.Since(began)) }

// silence is for how long nothing was heard.
func (w *wire) silence() time.Duration { return time.Duration(now() - w.heard.Load()) }

// Read implements io.Reader. It ends with the link, not with a context.
func (w *wire) Read(p []byte) (int, error) {
	w.makeRoom()
	for {
		if w.reader == nil {
			kind, r, err := w.ws.Reader(context.Background())
			if err != nil {
				return 0, err
			}
			if kind != websocket.MessageBinary {
				return 0, errViolation
			}
			w.reader = r
		}
		n, err := w.reader.Read(p)
		if err == io.EOF { //nolint:errorlint // the library returns it as it is
			w.reader, err = nil, nil
		}
		if n > 0 {
			w.read.Add(int64(n))
			w.heard.Store(now())
			if violation := w.guard.see(p[:n]); violation != nil {
				return 0, violation
			}
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// makeRoom waits while too much lies here unread, and breaks off what nobody reads.
func (w *wire) makeRoom() {
	inFrame := w.guard.body > 0 || w.guard.have > 0 // then the reader of its tunnel waits too
	if !w.backlog.over(inFrame) {
		return
	}
	if !w.backlog.wait(w.closed) {
		w.giveUp(w.backlog.stalled())
	}
	w.heard.Store(now()) // it was us who did not listen
}

// Write implements io.Writer. Yamux writes the header of a data frame and its body one after the other from
// one goroutine; apart they would be two messages, two records of TLS and two packets.
func (w *wire) Write(p []byte) (int, error) {
	if len(w.head) == 0 && announcesBody(p) {
		w.head = append(w.head, p...)
		return len(p), nil
	}
	message := p
	if len(w.head) > 0 {
		w.out = append(append(w.out[:0], w.head...), p...)
		w.head, message = w.head[:0], w.out
	}
	if err := w.ws.Write(context.Background(), websocket.MessageBinary, message); err != nil {
		return 0, err
	}
	if w.flush != nil {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	w.written.Add(int64(len(message)))
	return len(p), nil
}

func announcesBody(p []byte) bool {
	return len(p) == headerSize && p[1] == typeData && binary.BigEndian.Uint32(p[8:]) > 0
}

// Close implements io.Closer, without waiting for the other side.
func (w *wire) Close() error {
	w.close()
	return w.ws.CloseNow()
}
