package parts

import (
	"bytes"
	"strings"
)

// Field is one header field, unfolded.
type Field struct {
	Name  string // as written
	Value string // as written, trimmed; Text decodes it
}

// Header holds the fields of a message or a part, in their order.
type Header []Field

// Get returns the first field of that name, "" when there is none.
func (h Header) Get(name string) string {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Has reports whether there is a field of that name, an empty one included.
func (h Header) Has(name string) bool { return h.Count(name) > 0 }

// Count returns how many fields have that name.
func (h Header) Count(name string) (n int) {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			n++
		}
	}
	return n
}

// All returns the values of all fields of that name, topmost first.
func (h Header) All(name string) (values []string) {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			values = append(values, h[i].Value)
		}
	}
	return values
}

// Text returns the first field of that name with its encoded words and 8-bit characters decoded.
func (h Header) Text(name string) string { return DecodeWords(h.Get(name)) }

// ParseHeader reads a header that is text, such as the groups of a delivery status. It returns what follows the
// blank line.
func ParseHeader(text string) (Header, string) {
	var c collector
	c.limits = Limits{}.orDefault()
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		line = strings.TrimRight(line, "\r")
		if line == "" {
			return c.fields(), rest
		}
		c.line([]byte(line), true)
		text = rest
	}
	return c.fields(), ""
}

// header reads the fields up to the blank line. A boundary or, at the very start, a line that is no field ends
// it too: then the blank line is missing.
func (w *walker) header(limit int) (h Header, cut bool) {
	c := collector{limits: w.limits}
	c.limits.Header = limit
	for {
		l, ok := w.in.next()
		if !ok || l.starts && len(l.text) == 0 {
			break
		}
		if l.starts && w.isBoundary(l.text) {
			w.in.unread()
			break
		}
		if !c.line(l.text, l.starts) && len(c.marks) == 0 {
			w.in.unread()
			w.problem("a header without fields")
			break
		}
	}
	if c.cut {
		w.problem("a header longer than is read")
	}
	return c.fields(), c.cut
}

func (w *walker) isBoundary(text []byte) bool {
	if !bytes.HasPrefix(text, []byte("--")) {
		return false
	}
	text = bytes.TrimRight(text[2:], " \t")
	for _, m := range w.stack {
		if rest, found := bytes.CutPrefix(text, []byte(m.boundary)); found && m.boundary != "" && (len(rest) == 0 || string(rest) == "--") {
			return true
		}
	}
	return false
}

// collector gathers fields into one buffer, so that a header costs few allocations.
type collector struct {
	limits Limits
	buf    []byte
	marks  []mark
	junk   bool // the last line was no field: neither are its continuations
	cut    bool
}

type mark struct{ start, colon, end int }

// line takes a line or a piece of one, and reports whether it is part of a field.
func (c *collector) line(text []byte, starts bool) bool {
	if !starts || text[0] == ' ' || text[0] == '\t' {
		return c.continued(text)
	}
	colon := fieldName(text)
	if c.junk = colon < 0; c.junk {
		return false
	}
	start := len(c.buf)
	c.marks = append(c.marks, mark{start: start, colon: start + colon, end: start})
	c.add(text)
	if m := &c.marks[len(c.marks)-1]; m.end <= m.colon {
		c.marks = c.marks[:len(c.marks)-1] // no room left for it
	}
	return true
}

// continued takes a folded line; unfolding is leaving out the line end.
func (c *collector) continued(text []byte) bool {
	if len(c.marks) == 0 || c.junk {
		return false
	}
	c.add(text)
	return true
}

func (c *collector) add(text []byte) {
	m := &c.marks[len(c.marks)-1]
	room := min(c.limits.Field-(m.end-m.start), c.limits.Header-len(c.buf))
	if len(text) > room {
		c.cut = true
		text = text[:max(room, 0)]
	}
	c.buf = append(c.buf, text...)
	m.end = len(c.buf)
}

func (c *collector) fields() Header {
	all := string(c.buf)
	h := make(Header, len(c.marks))
	for i, m := range c.marks {
		h[i] = Field{Name: strings.TrimRight(all[m.start:m.colon], " \t"), Value: strings.TrimSpace(all[m.colon+1 : m.end])}
	}
	return h
}

// fieldName returns where the colon after a field's name stands, -1 when the line is no field.
func fieldName(text []byte) int {
	colon := bytes.IndexByte(text, ':')
	if colon <= 0 {
		return -1
	}
	for _, c := range bytes.TrimRight(text[:colon], " \t") {
		if c <= ' ' || c >= 0x7f { // RFC 5322 3.6.8
			return -1
		}
	}
	return colon
}
