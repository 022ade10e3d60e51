package submit

import (
	"bufio"
	"bytes"
	"iter"
)

// writeBody writes a message as DATA wants it: every line ends in CRLF, a leading dot is doubled (RFC 5321
// 4.5.2), a lone dot ends it.
func writeBody(w *bufio.Writer, raw []byte) error {
	for line := range lines(raw) {
		if len(line) > 0 && line[0] == '.' {
			_ = w.WriteByte('.') // a bufio.Writer keeps its first error for the last write
		}
		_, _ = w.Write(line)
		_, _ = w.WriteString("\r\n")
	}
	_, err := w.WriteString(".\r\n")
	return err
}

// lines cuts a message at CRLF, and at a bare CR or LF as well: servers disagree on what those mean, and a
// message that ends for one of them and goes on for the other is how mail is smuggled.
func lines(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(raw) > 0 {
			line, rest, _ := bytes.Cut(raw, []byte{'\n'})
			raw = rest
			line = bytes.TrimSuffix(line, []byte{'\r'})
			for cr := bytes.IndexByte(line, '\r'); cr >= 0; cr = bytes.IndexByte(line, '\r') {
				if !yield(line[:cr]) {
					return
				}
				line = line[cr+1:]
			}
			if !yield(line) {
				return
			}
		}
	}
}

// bodySize is the size that the message has on the wire, without doubled dots (RFC 1870 6.1), and whether it
// has 8-bit bytes.
func bodySize(raw []byte) (size int64, eightBit bool) {
	for line := range lines(raw) {
		size += int64(len(line)) + 2
		eightBit = eightBit || !ascii(line)
	}
	return size, eightBit
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
