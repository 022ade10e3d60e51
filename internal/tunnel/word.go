package tunnel

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// word is what the sides tell each other about a tunnel beside its bytes. Yamux knows the orderly end of a
// direction; these are the other ends.
type word byte

const (
	wordGone  word = 1 // from the opener: I read no more, what I wrote still counts
	wordReset word = 2 // from the acceptor: the connection broke, this is no orderly end
)

const wordSize = 5 // the word and the stream

const wordTime = 5 * time.Second // a side that takes no words for so long is dead

// tell says a word about a stream.
func (l *link) tell(w word, id uint32) {
	l.talking.Lock()
	defer l.talking.Unlock()
	packet := binary.BigEndian.AppendUint32([]byte{byte(w)}, id)
	_ = l.control.SetWriteDeadline(time.Now().Add(wordTime))
	if _, err := l.control.Write(packet); err != nil {
		go l.fail(fmt.Errorf("tell the other side of a tunnel's end: %w", err))
	}
}

// hearWords acts on what the other side says until the link ends.
func (l *link) hearWords() {
	var packet [wordSize]byte
	for {
		if _, err := io.ReadFull(l.control, packet[:]); err != nil {
			l.fail(fmt.Errorf("the other side closed the link: %w", err))
			return
		}
		if err := l.pass(word(packet[0]), binary.BigEndian.Uint32(packet[1:])); err != nil {
			l.fail(err)
			return
		}
	}
}

// pass hands a word to its tunnel. That one may be gone, or not taken up yet.
func (l *link) pass(w word, id uint32) error {
	fits := w == wordGone && l.dial != nil || w == wordReset && l.dial == nil
	if !fits {
		return fmt.Errorf("%w: it says %d", errViolation, w)
	}
	l.mu.Lock()
	e, known := l.ends[id]
	if !known && l.dial != nil && id > l.newest {
		if len(l.early) >= acceptAhead {
			l.mu.Unlock()
			return fmt.Errorf("%w: it speaks of tunnels that do not exist", errViolation)
		}
		l.early[id] = struct{}{}
	}
	l.mu.Unlock()
	if known {
		e.heed(w)
	}
	return nil
}
