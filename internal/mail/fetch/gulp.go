package fetch

import (
	"net"
	"sync"
	"sync/atomic"
)

// gulpSize is what one read of many messages takes from the network.
const gulpSize = 128 << 10

var gulps = sync.Pool{New: func() any { return new([gulpSize]byte) }}

// gulping is a connection as TLS reads it, a record or two at a time; each read costs as much as a record. While many
// are on their way, all that has arrived is taken at once. A connection that waits holds no memory for it.
type gulping struct {
	net.Conn
	many atomic.Bool // somebody reads much
	room *[gulpSize]byte
	left []byte // of room
}

func (g *gulping) Read(p []byte) (int, error) {
	if len(g.left) == 0 {
		if !g.many.Load() {
			g.giveBack()
			return g.Conn.Read(p)
		}
		if err := g.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.left)
	g.left = g.left[n:]
	return n, nil
}

func (g *gulping) fill() error {
	if g.room == nil {
		g.room = gulps.Get().(*[gulpSize]byte)
	}
	n, err := g.Conn.Read(g.room[:])
	g.left = g.room[:n]
	if n > 0 {
		return nil // the error comes again
	}
	return err
}

func (g *gulping) giveBack() {
	if g.room != nil {
		gulps.Put(g.room)
		g.room = nil
	}
}
