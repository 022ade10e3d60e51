package parts

// firstRoom holds most texts, so that they are not moved while they grow line by line.
const firstRoom = 4 << 10

// Buffer keeps the first Max bytes written to it.
type Buffer struct {
	Max       int
	Truncated bool
	kept      []byte
}

func (b *Buffer) Write(p []byte) (int, error) {
	n := len(p)
	if room := b.Max - len(b.kept); n > room {
		b.Truncated = true
		p = p[:max(room, 0)]
	}
	if b.kept == nil {
		b.kept = make([]byte, 0, min(b.Max, max(len(p), firstRoom)))
	}
	b.kept = append(b.kept, p...)
	return n, nil
}

// Bytes returns what was kept.
func (b *Buffer) Bytes() []byte { return b.kept }
