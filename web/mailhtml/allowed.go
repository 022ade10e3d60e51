package mailhtml

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// decision is what becomes of an element.
type decision int

const (
	keep   decision = iota
	unwrap          // what is in it stays
	disarm          // likewise, of something that would have acted
	drop            // with all that is in it, of something that would have acted
	skip            // with all that is in it
)

// kept lay out a letter.
var kept = set(
	atom.A, atom.Abbr, atom.Address, atom.Article, atom.Aside, atom.B, atom.Bdi, atom.Bdo, atom.Big, atom.Blockquote, atom.Br,
	atom.Caption, atom.Center, atom.Cite, atom.Code, atom.Col, atom.Colgroup, atom.Dd, atom.Del, atom.Dfn, atom.Div, atom.Dl,
	atom.Dt, atom.Em, atom.Figcaption, atom.Figure, atom.Font, atom.Footer, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
	atom.Header, atom.Hr, atom.I, atom.Img, atom.Ins, atom.Kbd, atom.Li, atom.Main, atom.Mark, atom.Nav, atom.Ol, atom.P, atom.Pre,
	atom.Q, atom.S, atom.Samp, atom.Section, atom.Small, atom.Span, atom.Strike, atom.Strong, atom.Sub, atom.Sup, atom.Table,
	atom.Tbody, atom.Td, atom.Tfoot, atom.Th, atom.Thead, atom.Time, atom.Tr, atom.Tt, atom.U, atom.Ul, atom.Var, atom.Wbr,
)

// dropped would act, load or draw by themselves.
var dropped = set(
	atom.Script, atom.Iframe, atom.Frame, atom.Frameset, atom.Object, atom.Embed, atom.Applet, atom.Audio, atom.Video, atom.Canvas, atom.Template,
	atom.Input, atom.Button, atom.Select, atom.Textarea, atom.Base, atom.Svg, atom.Math,
)

func set(atoms ...atom.Atom) map[atom.Atom]bool {
	all := map[atom.Atom]bool{}
	for _, a := range atoms {
		if a != 0 {
			all[a] = true
		}
	}
	return all
}

func verdict(n *html.Node) decision {
	switch {
	case n.Namespace != "", dropped[n.DataAtom], refreshes(n):
		return drop
	case kept[n.DataAtom]:
		return keep
	case n.DataAtom == atom.Form:
		return disarm
	case n.DataAtom == atom.Style, n.DataAtom == atom.Link, n.DataAtom == atom.Meta, n.DataAtom == atom.Title, n.DataAtom == atom.Noscript:
		return skip
	}
	return unwrap
}

// allowedAttributes change how something looks, and nothing else.
var allowedAttributes = func() map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields("align alt bgcolor border cellpadding cellspacing class color colspan dir face headers height hspace " +
		"lang nowrap rowspan scope size span start summary title type valign value vspace width") {
		all[name] = true
	}
	return all
}()

// tiny reports whether an image is there to be loaded and not to be seen.
func tiny(n *html.Node) bool {
	small := func(name string) bool {
		value := strings.TrimSuffix(strings.TrimSpace(attribute(n, name)), "px")
		return value == "0" || value == "1" || value == "2"
	}
	return small("width") && small("height")
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?(\*/|$)`)
	cssImport  = regexp.MustCompile(`(?i)@(import|namespace|font-face|charset)[^;{}]*;?`)
	cssLoads   = regexp.MustCompile(`(?i)(url|image-set|image|src|expression|cross-fade|element)\s*\([^)]*\)?`)
)

// cleanStyle takes away whatever names an address, and counts it. Escapes go with it, since they could spell one, and
// so do angle brackets, since they could end the element.
func cleanStyle(css string) (clean string, removed int) {
	css = cssComment.ReplaceAllString(css, " ")
	css = strings.NewReplacer(`\`, " ", "<", " ").Replace(css)
	for _, loads := range []*regexp.Regexp{cssImport, cssLoads} {
		removed += len(loads.FindAllStringIndex(css, -1))
		css = loads.ReplaceAllString(css, " ")
	}
	return css, removed
}
