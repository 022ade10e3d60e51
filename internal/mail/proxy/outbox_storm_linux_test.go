package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// storm is one session among many on one loop. What a side says is a stream that its number gives, in short pieces
// with a few long ones; the other side compares each byte.
type storm struct {
	t              *testing.T
	number         int
	relay          *relay
	client, server net.Conn
	below          *gathering // under the server's TLS, nil without
	ended          chan error
}

const stormBytes = 64 << 10

// babble is what a side of a session says.
func babble(number, side int) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(number)<<1|uint64(side))
	text := make([]byte, stormBytes)
	_, _ = rand.NewChaCha8(seed).Read(text)
	return text
}

func newStorm(t *testing.T, l *loop, number int) *storm {
	client, far := tcpPair(t)
	w := newWire(far)
	s := &storm{t: t, number: number, client: client, ended: make(chan error, 1)}
	s.relay = &relay{client: end{wire: w, conn: w}, ended: func(err error) { s.ended <- err }, panicked: func(fault any) { t.Error(fault) }}
	if number%2 == 0 {
		s.relay.server, s.server, s.below = secured(t)
	} else {
		server, near := tcpPair(t)
		w := newWire(near)
		s.relay.server, s.server = end{wire: w, conn: w}, server
	}
	s.relay.start(l)
	return s
}

// say writes a side's text in pieces, several records at once where there is TLS, and stops after most bytes.
func (s *storm) say(conn net.Conn, side, most int) {
	text := babble(s.number, side)[:most]
	for len(text) > 0 {
		if s.below != nil && side == 1 {
			s.below.holds = true
		}
		for range 1 + rand.IntN(4) {
			n := min(len(text), 1+rand.IntN(200))
			if rand.IntN(40) == 0 {
				n = min(len(text), 1+rand.IntN(30<<10))
			}
			if _, err := conn.Write(text[:n]); err != nil {
				return
			}
			text = text[n:]
		}
		if s.below != nil && side == 1 && s.below.release() != nil {
			return
		}
		if rand.IntN(3) == 0 {
			runtime.Gosched()
		}
	}
}

// hear compares what arrives with what the other side says, and returns how much it was.
func (s *storm) hear(conn net.Conn, side int) int {
	text, buf := babble(s.number, side), make([]byte, 4<<10)
	_ = conn.SetReadDeadline(time.Now().Add(2 * patient))
	for at := 0; ; {
		n, err := conn.Read(buf[:1+rand.IntN(len(buf))])
		if at+n > len(text) || !bytes.Equal(buf[:n], text[at:at+n]) {
			s.t.Errorf("session %d, side %d: after %d bytes others' words", s.number, side, at)
			return at
		}
		if at += n; err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				s.t.Errorf("session %d, side %d: silence after %d bytes", s.number, side, at)
			}
			return at
		}
		if s.number%8 == 5 && at > stormBytes/3 { // breaks off in the middle of a word
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
			return at
		}
	}
}

// run lets both sides speak at once. Every eighth session breaks, every eighth is cut by the proxy; of the others
// each byte arrives, then the end.
func (s *storm) run() {
	var sides sync.WaitGroup
	heard := [2]int{}
	speak := func(conn net.Conn, side int) {
		s.say(conn, side, stormBytes)
		_ = closeWrite(conn)
	}
	sides.Go(func() { speak(s.client, 0) })
	sides.Go(func() { speak(s.server, 1) })
	sides.Go(func() { heard[0] = s.hear(s.server, 0) })
	sides.Go(func() {
		if s.number%8 == 3 {
			_, _ = io.ReadFull(s.client, make([]byte, 100))
			s.relay.cut(errIdle)
			return
		}
		heard[1] = s.hear(s.client, 1)
	})
	if s.number%8 != 3 && s.number%8 != 5 {
		sides.Wait()
		if heard != [2]int{stormBytes, stormBytes} {
			s.t.Errorf("session %d: heard %d", s.number, heard)
		}
	}
	select {
	case err := <-s.ended:
		_ = err // however it ends
	case <-time.After(2 * patient):
		s.t.Errorf("session %d has not ended", s.number)
	}
	_, _ = s.client.Close(), s.server.Close()
	sides.Wait()
}

// Sessions speak, break and end at the same time on one loop, and new ones get the descriptors of those before.
// Nobody hears a byte of another's, and nobody waits for one of its own.
func TestOutboxInAStorm(t *testing.T) {
	t.Parallel()
	for _, kernel := range []bool{true, false} {
		t.Run(fmt.Sprintf("kernel %t", kernel), func(t *testing.T) {
			t.Parallel()
			l, err := newLoop()
			if err != nil {
				t.Fatal(err)
			}
			if !kernel {
				l.outbox.close() // before there are sessions nobody looks
			}
			var sessions sync.WaitGroup
			atOnce := make(chan struct{}, 200)
			for number := range 400 {
				atOnce <- struct{}{}
				s := newStorm(t, l, number)
				sessions.Go(func() {
					s.run()
					<-atOnce
				})
			}
			sessions.Wait()
			l.mu.Lock()
			left := len(l.sockets)
			l.mu.Unlock()
			l.stop()
			if left > 0 {
				t.Errorf("%d sockets are left", left)
			}
		})
	}
}
