// Package htmltext reads what a person sees of an HTML mail, as lines that know whether they are quoted.
//
// The text is for judging and for showing as text: it holds no markup, nothing that is hidden by any of the
// ways mail uses, nothing that is struck out, no alternative texts of images and no values of form fields. What
// mail programs mark as quotation by elements, classes and ids becomes a kind of line; the rest is left to the
// words, which package quote knows.
package htmltext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"orbit/internal/mail/reply/quote"
)

// Lines returns the visible lines. A document too deep to be read has none.
func Lines(document string) []quote.Line {
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		return nil
	}
	w := writer{hidden: hiddenBySheets(root)}
	w.node(root, context{})
	w.newLine()
	return w.lines
}

// maxLines bounds the output as package quote does the plain text.
const maxLines = 5000

// writer turns nodes into lines.
type writer struct {
	lines  []quote.Line
	line   strings.Builder
	kind   quote.Kind // of the line being written
	space  bool       // white space was seen since the last word
	hidden selectors
	older  bool // everything from here on is an older message
}

// context is what a node inherits.
type context struct {
	kind       quote.Kind
	pre        bool
	background bool // an ancestor has a background, so white text may be seen
}

func (w *writer) node(n *html.Node, c context) {
	switch n.Type {
	case html.TextNode:
		w.text(n.Data, c)
	case html.ElementNode:
		w.element(n, c)
	case html.DocumentNode:
		w.children(n, c)
	case html.ErrorNode, html.CommentNode, html.DoctypeNode, html.RawNode:
	}
}

func (w *writer) children(n *html.Node, c context) {
	for child := n.FirstChild; child != nil && !w.older && len(w.lines) < maxLines; child = child.NextSibling {
		w.node(child, c)
	}
}

func (w *writer) element(n *html.Node, c context) {
	if invisible[n.DataAtom] {
		return
	}
	e := attributes(n)
	if e.hides(c.background) || w.hidden.match(n.Data, e) {
		return
	}
	c.background = c.background || e.hasBackground()
	switch e.role(n.DataAtom) {
	case signature:
		return
	case older:
		w.newLine()
		w.lines = append(w.lines, quote.Line{Kind: quote.Older})
		w.older = true
		return
	case quotation:
		c.kind = quote.Quoted
	case attribution:
		if c.kind == quote.Written {
			c.kind = quote.Attribution
		}
	case content:
	}
	w.layout(n, c)
}

// layout writes an element's text with the line breaks that its kind of box has.
func (w *writer) layout(n *html.Node, c context) {
	switch {
	case n.DataAtom == atom.Br:
		w.breakLine(c)
	case n.DataAtom == atom.Td || n.DataAtom == atom.Th:
		w.space = true
		w.children(n, c)
		w.space = true
	case paragraphs[n.DataAtom]:
		w.blankLine()
		c.pre = c.pre || n.DataAtom == atom.Pre
		w.children(n, c)
		w.blankLine()
	case blocks[n.DataAtom]:
		w.newLine()
		w.children(n, c)
		w.newLine()
	default:
		w.children(n, c)
	}
}

// text writes words; white space counts only in pre.
func (w *writer) text(data string, c context) {
	if c.pre {
		w.preformatted(data, c)
		return
	}
	for data != "" {
		word := strings.IndexAny(data, whiteSpace)
		if word != 0 {
			w.word(data[:end(word, data)], c)
			data = data[end(word, data):]
			continue
		}
		w.space = true
		data = strings.TrimLeft(data, whiteSpace)
	}
}

func end(at int, data string) int {
	if at < 0 {
		return len(data)
	}
	return at
}

// whiteSpace collapses; the no-break space does not.
const whiteSpace = " \t\r\n\f"

func (w *writer) preformatted(data string, c context) {
	for i, line := range strings.Split(data, "\n") {
		if i > 0 {
			w.breakLine(c)
		}
		if line != "" {
			w.word(line, c)
		}
	}
}

func (w *writer) word(word string, c context) {
	if w.line.Len() > 0 && w.kind != c.kind {
		w.newLine()
	}
	if w.space && w.line.Len() > 0 {
		w.line.WriteByte(' ')
	}
	w.space = false
	w.kind = c.kind
	w.line.WriteString(word)
}

// newLine ends the line if there is one.
func (w *writer) newLine() {
	w.space = false
	if w.line.Len() > 0 {
		w.lines = append(w.lines, quote.Line{Text: w.line.String(), Kind: w.kind})
		w.line.Reset()
	}
}

// breakLine ends the line, an empty one too.
func (w *writer) breakLine(c context) {
	if w.line.Len() == 0 {
		w.lines = append(w.lines, quote.Line{Kind: c.kind})
	}
	w.newLine()
}

// blankLine separates paragraphs.
func (w *writer) blankLine() {
	w.newLine()
	if n := len(w.lines); n > 0 && w.lines[n-1].Text != "" {
		w.lines = append(w.lines, quote.Line{Kind: quote.Written})
	}
}
