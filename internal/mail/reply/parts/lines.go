package parts

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// RFC 5322 2.1.1 allows 998 characters a line. Longer lines pass in pieces.
const lineBuffer = 32 << 10

// line is a physical line or a piece of one. Its slices are valid until the next line is read.
type line struct {
	text   []byte // without the line end
	end    []byte // "\r\n", "\n", or empty for a piece of a longer line and at the end of the message
	starts bool   // it begins at a line start, so it may be a boundary
}

// lines reads lines, and can give the last one back.
type lines struct {
	r      *bufio.Reader
	last   line
	back   bool
	inside bool // the last piece did not end its line
	err    error
}

func (l *lines) next() (line, bool) {
	if l.back {
		l.back = false
		return l.last, true
	}
	raw, err := l.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
		l.err = err
	}
	if len(raw) == 0 {
		return line{}, false
	}
	text := withoutEnd(raw)
	if err != nil { // no line end yet: a carriage return in the middle of a line is content
		text = raw
	}
	l.last = line{text: text, end: raw[len(text):], starts: !l.inside}
	l.inside = err != nil
	return l.last, true
}

// withoutEnd is bytes.TrimRight for the bytes of line ends.
func withoutEnd(raw []byte) []byte {
	n := len(raw)
	for n > 0 && (raw[n-1] == '\n' || raw[n-1] == '\r') {
		n--
	}
	return raw[:n]
}

// run returns the whole lines that are in the buffer, and takes them: up to one that begins with "--", if that could
// be a boundary. The line end of the last one is apart; it is empty when there is no line.
func (l *lines) run(boundaries bool) (text, end []byte) {
	ahead, _ := l.r.Peek(l.r.Buffered())
	if l.back || l.inside || boundaries && bytes.HasPrefix(ahead, []byte("--")) {
		return nil, nil
	}
	if at := bytes.Index(ahead, []byte("\n--")); boundaries && at >= 0 {
		ahead = ahead[:at+1]
	}
	ahead = ahead[:bytes.LastIndexByte(ahead, '\n')+1]
	if len(ahead) == 0 {
		return nil, nil
	}
	last := bytes.LastIndexByte(ahead[:len(ahead)-1], '\n') + 1
	cut := last + len(withoutEnd(ahead[last:]))
	_, _ = l.r.Discard(len(ahead))
	return ahead[:cut], ahead[cut:]
}

// unread makes next return the last line once more.
func (l *lines) unread() { l.back = true }

// followedBy reports whether the bytes after the last line begin with the prefix, in any case. It spoils the
// last line's slices.
func (l *lines) followedBy(prefix string) bool {
	ahead, _ := l.r.Peek(len(prefix))
	return len(ahead) == len(prefix) && bytes.EqualFold(ahead, []byte(prefix))
}

// skipEnvelope skips empty lines and the "From " line that mbox files and some gateways put before a message.
func (l *lines) skipEnvelope() {
	for range 10 {
		first, ok := l.next()
		if !ok {
			return
		}
		envelope := bytes.HasPrefix(first.text, []byte("From ")) || bytes.HasPrefix(first.text, []byte(">From "))
		if len(first.text) > 0 && !envelope {
			l.unread()
			return
		}
	}
}
