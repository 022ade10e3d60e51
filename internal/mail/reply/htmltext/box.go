package htmltext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// invisible elements have no text that a reader sees, or only text of the program: a button's, a field's. What is
// struck out is said to be not meant.
var invisible = atoms(
	atom.Head, atom.Title, atom.Style, atom.Script, atom.Template, atom.Noscript, atom.Object, atom.Iframe, atom.Svg, atom.Math, atom.Audio, atom.Video,
	atom.Canvas, atom.Select, atom.Option, atom.Textarea, atom.Button, atom.Input, atom.Datalist, atom.Dialog,
	atom.Del, atom.S, atom.Strike,
)

// paragraphs have space above and below.
var paragraphs = atoms(atom.P, atom.Blockquote, atom.Pre, atom.Ul, atom.Ol, atom.Dl, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Hr, atom.Table)

// blocks begin on a line of their own.
var blocks = atoms(
	atom.Div, atom.Li, atom.Dt, atom.Dd, atom.Tr, atom.Body, atom.Html, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Aside, atom.Nav,
	atom.Center, atom.Form, atom.Fieldset, atom.Address, atom.Figure, atom.Figcaption, atom.Thead, atom.Tbody, atom.Tfoot, atom.Caption, atom.Details, atom.Summary,
)

func atoms(list ...atom.Atom) map[atom.Atom]bool {
	m := make(map[atom.Atom]bool, len(list))
	for _, a := range list {
		m[a] = true
	}
	return m
}

// attrs are the attributes that matter here.
type attrs struct {
	id, name, kind string
	classes        []string
	style          string // lower case, without spaces
	background     string // of bgcolor
	colour         string // of <font color>
	hidden         bool
}

func attributes(n *html.Node) (e attrs) {
	for _, a := range n.Attr {
		switch a.Key {
		case "id":
			e.id = a.Val
		case "name":
			e.name = a.Val
		case "type":
			e.kind = a.Val
		case "class":
			e.classes = strings.Fields(a.Val)
		case "style":
			e.style = squeeze(a.Val)
		case "bgcolor", "background":
			e.background = a.Val
		case "color":
			e.colour = squeeze(a.Val)
		case "hidden":
			e.hidden = true
		}
	}
	return e
}
