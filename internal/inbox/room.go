package inbox

import (
	"bytes"
	"sync"
)

// usualRoom holds nearly every message that has no attachment.
const usualRoom = 8 << 10

// rooms are memory for the texts of messages, used again and again.
type rooms struct{ free sync.Pool }

// take returns an empty slice with room for a message of that size, as far as the size is known and not large.
func (r *rooms) take(size int64) []byte {
	need := size + bytes.MinRead
	switch {
	case size <= 0, size >= smallMail:
		return nil
	case need > usualRoom:
		return make([]byte, 0, need)
	}
	if room, ok := r.free.Get().(*[]byte); ok {
		return (*room)[:0]
	}
	return make([]byte, 0, usualRoom)
}

// giveBack takes what nobody looks at any more.
func (r *rooms) giveBack(text []byte) {
	if cap(text) == usualRoom {
		r.free.Put(&text)
	}
}
