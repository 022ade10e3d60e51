package text

import (
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// filler knows the values while a text is written, and notes what it did not know.
type filler struct {
	values  Values
	reader  Reader
	unknown []string
}

// value returns what a tag stands for. A tag of ours that an event says nothing of is blank; a name that is
// neither set nor known is unknown and stands as it was written.
func (f *filler) value(name string) (v Value, kind Kind, known bool) {
	kind = kinds[name]
	v, known = f.values[name]
	if !known && kind == "" {
		if !slices.Contains(f.unknown, name) {
			f.unknown = append(f.unknown, name)
		}
		return Value{}, "", false
	}
	return v, kind, true
}

// words writes a value as characters, in one or more lines.
func (f *filler) words(name string) string {
	v, kind, known := f.value(name)
	if !known {
		return "[#" + name + "#]"
	}
	switch {
	case v.Text != "":
		return strings.TrimSpace(clean(v.Text))
	case len(v.List) > 0:
		return strings.Join(lines(v.List), ", ")
	case !v.Time.IsZero():
		return moment(v.Time.In(f.reader.zone()), kind, f.reader.Language.or())
	case v.URL != "":
		return safeURL(v.URL)
	case v.Set:
		return hint(name, f.reader.Language.or())
	}
	return ""
}

// lines makes a line of each text of a list.
func lines(list []string) []string {
	all := make([]string, 0, len(list))
	for _, item := range list {
		if item = oneLine(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

// empty reports whether a block consists of tags, of which none has a value, and of nothing else that would
// be worth its line. A row or paragraph of a table that only names what is not there is left out of the mail.
func (f *filler) empty(block ast.Node, source []byte) bool {
	tags, filled, other := 0, 0, false
	_ = ast.Walk(block, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *tagNode:
			if entering {
				tags++
				if f.words(n.name) != "" {
					filled++
				}
			}
		case *ast.Link:
			if entering && f.destination(n.Destination) != "" {
				filled++
			}
		case *ast.Text:
			other = other || strings.ContainsFunc(string(n.Segment.Value(source)), wordy)
		}
		return ast.WalkContinue, nil
	})
	return tags > 0 && filled == 0 && !other
}

// wordy reports whether a character says something by itself: brackets and dashes around a blank do not.
func wordy(r rune) bool { return !strings.ContainsRune(" ()[]{}-–—:,;./|\"'", r) }

// emptyRow reports whether every cell of a row but its heading, the first one, is blank.
func (f *filler) emptyRow(row ast.Node, source []byte) bool {
	if row.Kind() != extast.KindTableRow || row.ChildCount() < 2 {
		return false
	}
	for cell := row.FirstChild().NextSibling(); cell != nil; cell = cell.NextSibling() {
		if !f.empty(cell, source) {
			return false
		}
	}
	return true
}

// destination fills the tags in the address of a link; what is no address to be clicked becomes "".
func (f *filler) destination(raw []byte) string {
	filled := written.ReplaceAllStringFunc(string(raw), func(tag string) string {
		v, _, known := f.value(tag[2 : len(tag)-2])
		switch {
		case !known:
			return ""
		case v.URL != "":
			return v.URL
		}
		return url.PathEscape(f.words(tag[2 : len(tag)-2]))
	})
	return safeURL(filled)
}

// safeURL returns an address that may be clicked, in the form that belongs into a mail, or "".
func safeURL(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "https", "http":
		if u.Host == "" {
			return ""
		}
	case "mailto":
	default:
		return ""
	}
	return u.String()
}

// listTag returns the list that a paragraph consists of, if it is one tag and nothing else.
func (f *filler) listTag(paragraph ast.Node) ([]string, bool) {
	only, ok := paragraph.FirstChild().(*tagNode)
	if !ok || paragraph.ChildCount() != 1 {
		return nil, false
	}
	v, _, _ := f.value(only.name)
	return lines(v.List), len(v.List) > 0
}

// characters returns what a text node says, without brackets that stand around a blank tag: "db-01 ([#DEVICE_IP#])"
// becomes "db-01" where no address is known.
func (f *filler) characters(n *ast.Text, source []byte) string {
	said := unescaped(n, source)
	if f.bracketsBlank(n, source) {
		said = strings.TrimRight(strings.TrimSuffix(said, "("), " ")
	}
	if tag, ok := n.PreviousSibling().(*tagNode); ok && strings.HasPrefix(said, ")") {
		if open, ok := tag.PreviousSibling().(*ast.Text); ok && f.bracketsBlank(open, source) {
			said = strings.TrimPrefix(said, ")")
		}
	}
	return said
}

// bracketsBlank reports whether a bracket opens at the end of n, and only a blank tag stands in it.
func (f *filler) bracketsBlank(n *ast.Text, source []byte) bool {
	tag, ok := n.NextSibling().(*tagNode)
	if !ok || !strings.HasSuffix(unescaped(n, source), "(") || f.words(tag.name) != "" {
		return false
	}
	closing, ok := tag.NextSibling().(*ast.Text)
	return ok && strings.HasPrefix(unescaped(closing, source), ")")
}
