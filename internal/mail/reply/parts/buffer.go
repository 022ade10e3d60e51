package parts

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
	b.kept = append(b.kept, p...)
	return n, nil
}

// Bytes returns what was kept.
func (b *Buffer) Bytes() []byte { return b.kept }
