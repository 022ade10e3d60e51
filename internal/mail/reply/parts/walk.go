package parts

import (
	"bytes"
	"io"
	"strings"
)

// maxPreamble is what is kept of the text before the first boundary, in case there never is one.
const maxPreamble = 64 << 10

// partHeader bounds the header of a part: there may be many.
const partHeader = 32 << 10

// walker is the state of reading: the multiparts that are open, outermost first, and the part whose body passes.
type walker struct {
	in       *lines
	limits   Limits
	visit    Visit
	stack    []*multipart
	leaf     *leaf // nil before the first boundary and after the last one
	count    int   // parts reported
	groups   int
	problems []string
}

type multipart struct {
	header   Header
	kind     string
	boundary string // without the leading "--"; "" when the message does not say
	group    int
	children int
	preamble []byte
}

type leaf struct {
	part *Part
	body decoder
	held []byte // the line end before a boundary belongs to the boundary, so each waits for the next line
}

// open starts what the header describes: a multipart, or a part with a body.
func (w *walker) open(h Header) {
	parent := w.parent()
	p := newPart(h, parent)
	if strings.HasPrefix(p.Type, "multipart/") && len(w.stack) < w.limits.Depth {
		w.push(h, p)
		return
	}
	w.start(p)
}

func (w *walker) parent() *multipart {
	if len(w.stack) == 0 {
		return nil
	}
	return w.stack[len(w.stack)-1]
}

func (w *walker) push(h Header, p *Part) {
	m := &multipart{header: h, kind: p.Type, boundary: strings.TrimRight(p.Params["boundary"], " \t"), group: p.Group}
	if m.group == 0 && p.Type == "multipart/alternative" {
		w.groups++
		m.group = w.groups
	}
	if m.boundary == "" {
		w.problem("a multipart without boundary")
	}
	w.stack = append(w.stack, m)
}

// start begins a part's body.
func (w *walker) start(p *Part) {
	if w.count++; w.count > w.limits.Parts {
		w.problem("more parts than are read")
		w.leaf = nil
		return
	}
	var to io.Writer
	if w.visit != nil {
		to = w.visit(p)
	}
	w.leaf = &leaf{part: p, body: newDecoder(p.Header.Get("Content-Transfer-Encoding"), &counter{to: to, n: &p.Size})}
}

// body takes a line that is no boundary.
func (w *walker) body(l line) {
	if w.leaf != nil {
		w.leaf.line(l)
		return
	}
	m := w.parent()
	if m == nil || m.children > 0 {
		return // after the last boundary
	}
	if len(l.text) > 2 && l.starts && bytes.HasPrefix(l.text, []byte("--")) && w.adopt(m, l) {
		return
	}
	m.keep(string(l.text))
}

// keep notes a line before the first boundary.
func (m *multipart) keep(text string) {
	if len(m.preamble) < maxPreamble {
		m.preamble = append(append(m.preamble, text...), '\n')
	}
}

// adopt takes a line as the boundary of a multipart that has found none so far, when a part's header follows.
func (w *walker) adopt(m *multipart, l line) bool {
	text := string(l.text) // looking ahead spoils the line
	if !w.in.followedBy("Content-") {
		m.keep(text)
		return true
	}
	w.problem("a boundary other than the announced one")
	m.boundary = strings.TrimRight(text[2:], " \t")
	w.nextChild(m)
	return true
}

// pass hands the lines of a body on that were read already and that can be no boundary, all at once.
func (w *walker) pass() {
	if w.leaf == nil {
		return
	}
	if text, end := w.in.run(len(w.stack) > 0); len(end) > 0 {
		w.leaf.line(line{text: text, end: end})
	}
}

func (l *leaf) line(in line) {
	l.body.Write(l.held)
	l.body.Write(in.text)
	l.held = append(l.held[:0], in.end...)
}

// boundary reports whether the line is a boundary of an open multipart, and acts on it. Inner ones are asked
// first; a match further out ends the inner ones, whose own end is missing.
func (w *walker) boundary(text []byte) bool {
	if !bytes.HasPrefix(text, []byte("--")) {
		return false
	}
	text = bytes.TrimRight(text[2:], " \t")
	for i := len(w.stack) - 1; i >= 0; i-- {
		m := w.stack[i]
		rest, found := bytes.CutPrefix(text, []byte(m.boundary))
		if !found || m.boundary == "" {
			continue
		}
		switch string(rest) {
		case "":
			w.closeTo(i + 1)
			w.nextChild(m)
			return true
		case "--":
			w.closeTo(i)
			return true
		}
	}
	return false
}

// nextChild reads the header of the next part and opens it. A part whose header is too long to be known is no text.
func (w *walker) nextChild(m *multipart) {
	h, cut := w.header(partHeader)
	if cut {
		h = Header{{Name: "Content-Type", Value: "application/octet-stream"}}
	}
	w.open(h)
	m.children++
}

// closeTo ends the open part and all multiparts but the outer n.
func (w *walker) closeTo(n int) {
	w.closeLeaf()
	for len(w.stack) > n {
		last := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		w.salvage(last)
	}
}

func (w *walker) closeLeaf() {
	if w.leaf != nil {
		w.leaf.body.Close()
		w.leaf = nil
	}
}

// salvage reports the text of a multipart that turned out to have no parts: people can read it in their program.
func (w *walker) salvage(m *multipart) {
	if m.children > 0 || len(bytes.TrimSpace(m.preamble)) == 0 {
		return
	}
	w.problem("a multipart without parts")
	w.start(&Part{Header: m.header, Type: "text/plain", Group: m.group, Parent: m.kind})
	if w.leaf != nil {
		w.leaf.body.Write(m.preamble)
		w.closeLeaf()
	}
}

// end closes what the message left open.
func (w *walker) end() { w.closeTo(0) }

// problem notes once what is wrong.
func (w *walker) problem(text string) {
	for _, known := range w.problems {
		if known == text {
			return
		}
	}
	w.problems = append(w.problems, text)
}
