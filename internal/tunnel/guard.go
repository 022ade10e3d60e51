package tunnel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The header of a yamux frame: version, type, flags, stream, length.
const (
	headerSize = 12

	typeData         = 0
	typeWindowUpdate = 1
	typePing         = 2
	typeGoAway       = 3

	flagSYN = 1
)

// errViolation ends a link whose other side does what this protocol never does.
var errViolation = errors.New("the other side breaks the protocol")

// guard follows the frames that arrive, before the library sees them. It holds what the library lets an
// authenticated peer do and ours may not: open streams on the side that opens them, ask for echoes without
// end, announce more than a window.
type guard struct {
	mayOpen bool // the other side opens streams: we are the acceptor
	head    [headerSize]byte
	have    int    // bytes of head
	body    uint32 // still to come
	stream  uint32 // whose body it is
	arrived func(stream uint32, n int)
	pings   bucket
}

// see looks at bytes in the order in which they arrive.
func (g *guard) see(p []byte) error {
	for len(p) > 0 {
		if g.body > 0 {
			n := min(uint64(g.body), uint64(len(p)))
			g.body -= uint32(n)
			if g.arrived != nil {
				g.arrived(g.stream, int(n))
			}
			p = p[n:]
			continue
		}
		n := copy(g.head[g.have:], p)
		g.have += n
		p = p[n:]
		if g.have < headerSize {
			return nil
		}
		g.have = 0
		if err := g.judge(); err != nil {
			return err
		}
	}
	return nil
}

// judge decides on a complete header.
func (g *guard) judge() error {
	flags := binary.BigEndian.Uint16(g.head[2:])
	stream := binary.BigEndian.Uint32(g.head[4:])
	length := binary.BigEndian.Uint32(g.head[8:])
	switch g.head[1] {
	case typeData, typeWindowUpdate:
		if stream == 0 || flags&flagSYN != 0 && (!g.mayOpen || stream%2 == 0) {
			return fmt.Errorf("%w: it opens stream %d", errViolation, stream)
		}
		if length > maxWindow {
			return fmt.Errorf("%w: a frame of %d bytes", errViolation, length)
		}
		if g.head[1] == typeData {
			g.body, g.stream = length, stream
		}
	case typePing:
		if flags&flagSYN != 0 && !g.pings.take(time.Now()) {
			return fmt.Errorf("%w: too many pings", errViolation)
		}
	case typeGoAway:
	default:
		return fmt.Errorf("%w: a frame of type %d", errViolation, g.head[1])
	}
	if g.head[0] != 0 {
		return fmt.Errorf("%w: a frame of version %d", errViolation, g.head[0])
	}
	return nil
}

// bucket lets a few through at once and then as many a second.
type bucket struct {
	spent float64
	at    time.Time
}

const (
	pingBurst = 30
	pingRate  = 5 // a second; ours asks every two seconds
)

func (b *bucket) take(now time.Time) bool {
	if !b.at.IsZero() {
		b.spent = max(0, b.spent-now.Sub(b.at).Seconds()*pingRate)
	}
	b.at = now
	if b.spent >= pingBurst {
		return false
	}
	b.spent++
	return true
}
