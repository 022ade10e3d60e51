package parts

import "strings"

// firstRoom holds most texts, so that they are not moved while they grow line by line.
const firstRoom = 4 << 10

// Buffer keeps the first Max bytes written to it.
type Buffer struct {
	Max       int
	Truncated bool
	kept      strings.Builder
}

func (b *Buffer) Write(p []byte) (int, error) {
	n := len(p)
	if room := b.Max - b.kept.Len(); n > room {
		b.Truncated = true
		p = p[:max(room, 0)]
	}
	if b.kept.Cap() == 0 {
		b.kept.Grow(min(b.Max, max(len(p), firstRoom)))
	}
	b.kept.Write(p)
	return n, nil
}

// String returns what was kept, without a copy.
func (b *Buffer) String() string { return b.kept.String() }
