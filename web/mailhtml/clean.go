// Package mailhtml makes a document of a received message's HTML that can be shown without doing anything.
//
// The browser is what keeps a message from harm: the document stands in a sandboxed frame, and Policy, which it is
// served with, forbids scripts, connections and everything remote. Clean comes before that, so that there is nothing
// left to forbid: it keeps what lays out a letter (allowed.go), puts inline images where the message names them, and
// takes the rest away, addresses of links included. What it took away is counted, for the reader to know.
package mailhtml

import (
	"errors"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Policy is the Content-Security-Policy of a cleaned document: no origin of its own, no script, no form, no
// navigation, no connection. Inline style is what mails are made of, and it can load nothing.
const Policy = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// ErrUnreadable says that no document could be made: elements are nested deeper than any letter.
var ErrUnreadable = errors.New("the HTML cannot be shown")

// Document is a cleaned message.
type Document struct {
	HTML   string
	Remote int // images and styles that would have been loaded from elsewhere
	Active int // scripts, forms, frames and the like
}

// Clean makes a document of a message's HTML. image gives an inline image by its Content-ID as a data: address, or ""
// when there is none; it may be nil.
func Clean(text string, image func(contentID string) string) (Document, error) {
	parsed, err := html.ParseWithOptions(strings.NewReader(text), html.ParseOptionEnableScripting(false))
	if err != nil {
		return Document{}, errors.Join(ErrUnreadable, err)
	}
	head, body := element(atom.Head), element(atom.Body)
	c := cleaner{image: image, head: head}
	head.AppendChild(&html.Node{Type: html.ElementNode, Data: "meta", DataAtom: atom.Meta, Attr: []html.Attribute{{Key: "charset", Val: "utf-8"}}})
	head.AppendChild(styleSheet(letterStyle))
	c.document(parsed, body)
	page := element(atom.Html)
	page.AppendChild(head)
	page.AppendChild(body)
	var out strings.Builder
	out.WriteString("<!DOCTYPE html>\n")
	if err := html.Render(&out, page); err != nil {
		return Document{}, errors.Join(ErrUnreadable, err)
	}
	return Document{HTML: out.String(), Remote: c.remote, Active: c.active}, nil
}

// letterStyle is what a letter looks like before its own style: as on paper, whatever the theme of the page.
const letterStyle = `:root{color-scheme:light}body{margin:1rem;background:#fff;color:#1c232d;font:14px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}` +
	`img{max-width:100%;height:auto}table{max-width:100%}a{color:#0b5cad;text-decoration:underline dotted;cursor:help}pre{white-space:pre-wrap}`

func element(a atom.Atom) *html.Node {
	return &html.Node{Type: html.ElementNode, Data: a.String(), DataAtom: a}
}

func styleSheet(css string) *html.Node {
	style := element(atom.Style)
	style.AppendChild(&html.Node{Type: html.TextNode, Data: css})
	return style
}

// cleaner copies what may stay.
type cleaner struct {
	image          func(string) string
	head           *html.Node // takes the styles, wherever they stand
	remote, active int
}

// document copies the styles of the message into the head and everything that can be seen into body.
func (c *cleaner) document(parsed, body *html.Node) {
	for n := range parsed.Descendants() {
		switch {
		case n.Type != html.ElementNode || n.Namespace != "":
		case n.DataAtom == atom.Head:
			c.children(n, element(atom.Div)) // nothing of it is seen
		case n.DataAtom == atom.Body:
			body.Attr = c.attributes(n)
			c.children(n, body)
		}
	}
}

// refreshes reports whether n would lead the reader elsewhere.
func refreshes(n *html.Node) bool {
	return n.DataAtom == atom.Meta && strings.EqualFold(attribute(n, "http-equiv"), "refresh")
}

func (c *cleaner) children(from, to *html.Node) {
	for n := range from.ChildNodes() {
		switch n.Type {
		case html.TextNode:
			to.AppendChild(&html.Node{Type: html.TextNode, Data: n.Data})
		case html.ElementNode:
			c.element(n, to)
		case html.ErrorNode, html.DocumentNode, html.CommentNode, html.DoctypeNode, html.RawNode:
		}
	}
}

// element copies an element, only what is in it, or nothing.
func (c *cleaner) element(n, to *html.Node) {
	switch what := verdict(n); what {
	case keep:
		if n.DataAtom == atom.Img && tiny(n) {
			c.remote++ // it is there to be counted, not to be seen
			return
		}
		kept := element(n.DataAtom)
		kept.Attr = c.attributes(n)
		c.children(n, kept)
		to.AppendChild(kept)
	case unwrap, disarm:
		if what == disarm {
			c.active++
		}
		c.children(n, to)
	case drop:
		c.active++
	case skip:
		c.skipped(n)
	}
}

// skipped takes what an element means for others: a style holds for the whole letter.
func (c *cleaner) skipped(n *html.Node) {
	switch {
	case n.DataAtom == atom.Link:
		c.remote++
	case n.DataAtom == atom.Style && n.FirstChild != nil:
		css, removed := cleanStyle(n.FirstChild.Data)
		c.remote += removed
		c.head.AppendChild(styleSheet(css))
	}
}

// attributes returns what may stay of an element's attributes.
func (c *cleaner) attributes(n *html.Node) []html.Attribute {
	var kept []html.Attribute
	for _, a := range n.Attr {
		name := strings.ToLower(a.Key)
		switch {
		case a.Namespace != "":
		case name == "style":
			css, removed := cleanStyle(a.Val)
			c.remote += removed
			kept = append(kept, html.Attribute{Key: name, Val: css})
		case name == "src" && n.DataAtom == atom.Img:
			if address := c.source(a.Val); address != "" {
				kept = append(kept, html.Attribute{Key: name, Val: address})
			}
		case name == "href" && n.DataAtom == atom.A:
			kept = append(kept, html.Attribute{Key: "title", Val: strings.TrimSpace(a.Val)}) // it can be read and not followed
		case name == "background", name == "srcset":
			c.remote++
		case strings.HasPrefix(name, "on"):
			c.active++
		case allowedAttributes[name] && (name != "title" || n.DataAtom != atom.A):
			kept = append(kept, html.Attribute{Key: name, Val: a.Val})
		}
	}
	return kept
}

// source is where an image comes from: the message itself, or nowhere.
func (c *cleaner) source(address string) string {
	address = strings.TrimSpace(address)
	lower := strings.ToLower(address)
	if id, found := strings.CutPrefix(lower, "cid:"); found {
		if c.image == nil {
			return ""
		}
		return c.image(address[len(address)-len(id):])
	}
	for _, kind := range []string{"png", "jpeg", "jpg", "gif", "webp"} {
		if strings.HasPrefix(lower, "data:image/"+kind+";base64,") {
			return address
		}
	}
	c.remote++
	return ""
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if strings.EqualFold(a.Key, name) {
			return a.Val
		}
	}
	return ""
}
