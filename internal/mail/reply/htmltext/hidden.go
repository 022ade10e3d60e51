package htmltext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// squeeze makes a style comparable.
func squeeze(style string) string {
	return strings.ToLower(strings.Join(strings.Fields(style), ""))
}

// hidingStyles make an element's text unseen. Hidden too much is harmless here, hidden too little is not.
var hidingStyles = []string{
	"display:none", "visibility:hidden", "visibility:collapse", "content-visibility:hidden", "mso-hide:all", "color:transparent",
	"opacity:0;", "opacity:0!", "opacity:0%", "opacity:0.0", "opacity:.0",
	"font-size:0;", "font-size:0!", "font-size:0p", "font-size:0e", "font-size:0r", "font-size:0%", "font-size:0.0", "font-size:1px", "font:0",
	"max-height:0;", "max-height:0!", "max-height:0p", "max-width:0;", "max-width:0!", "max-width:0p", "line-height:0;", "line-height:0p",
	"text-decoration:line-through", "text-decoration-line:line-through",
	"text-indent:-99", "left:-99", "top:-99", "clip:rect(0", "clip-path:inset(100%", "clip-path:inset(50%", "transform:scale(0",
}

// white is a colour of text that only a background makes visible.
var whiteStyles = []string{";color:#fff;", ";color:#ffffff", ";color:white", ";color:#fefefe", ";color:#fdfdfd", ";color:rgb(255,255,255)", ";color:rgba(255,255,255", ";color:hsl(0,0%,100%)"}

// hides reports whether the element's own attributes hide its text.
func (e attrs) hides(background bool) bool {
	if e.hidden {
		return true
	}
	if !background && !e.hasBackground() && isWhite(e.colour) {
		return true
	}
	if e.style == "" {
		return false
	}
	style := ";" + e.style + ";"
	if containsAny(style, hidingStyles) || noBox(style) {
		return true
	}
	return !background && !e.hasBackground() && containsAny(style, whiteStyles)
}

func isWhite(colour string) bool {
	return colour == "white" || colour == "#fff" || colour == "#ffffff" || colour == "ffffff" || colour == "transparent"
}

// noBox reports a box of no height or width whose content does not flow over.
func noBox(style string) bool {
	return strings.Contains(style, "overflow:hidden") && containsAny(style, []string{";height:0", ";width:0", ";height:1px", ";width:1px"})
}

func (e attrs) hasBackground() bool {
	if isWhite(squeeze(e.background)) {
		return false
	}
	at := strings.Index(e.style, "background")
	return e.background != "" || at >= 0 && !containsAny(e.style[at:], []string{":#fff", ":white", ":transparent", ":none", ":initial", ":inherit", ":rgb(255,255,255)"})
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// selectors are the names that style sheets hide: classes, ids and elements.
type selectors map[string]bool

func (s selectors) match(tag string, e attrs) bool {
	if len(s) == 0 {
		return false
	}
	if s["#"+strings.ToLower(e.id)] || s[tag] {
		return true
	}
	for _, class := range e.classes {
		if s["."+strings.ToLower(class)] {
			return true
		}
	}
	return false
}

// maxSheet bounds the style sheets that are read.
const maxSheet = 64 << 10

// hiddenBySheets collects what the document's own style sheets hide.
func hiddenBySheets(root *html.Node) selectors {
	var sheet strings.Builder
	for n := range root.Descendants() {
		if n.DataAtom != atom.Style || sheet.Len() > maxSheet {
			continue
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			sheet.WriteString(c.Data[:min(len(c.Data), maxSheet)])
		}
	}
	return hiddenSelectors(sheet.String())
}

// hiddenSelectors reads rules roughly: of each selector only its last compound counts, and a media query is read
// as if it held. Whole pages are never taken as hidden.
func hiddenSelectors(sheet string) selectors {
	found := selectors{}
	for _, rule := range strings.Split(sheet, "}") {
		open := strings.LastIndexByte(rule, '{')
		if open < 0 || !containsAny(";"+squeeze(rule[open+1:])+";", hidingStyles) {
			continue
		}
		head := rule[:open]
		if at := strings.LastIndexAny(head, "{;"); at >= 0 {
			head = head[at+1:]
		}
		if at := strings.LastIndex(head, "*/"); at >= 0 {
			head = head[at+2:]
		}
		for _, selector := range strings.Split(head, ",") {
			if name := lastCompound(selector); name != "" && name != "html" && name != "body" {
				found[name] = true
			}
		}
	}
	return found
}

var combinators = strings.NewReplacer(">", " ", "+", " ", "~", " ")

// lastCompound returns ".class", "#id" or the element at the end of a selector.
func lastCompound(selector string) string {
	fields := strings.Fields(strings.ToLower(combinators.Replace(selector)))
	if len(fields) == 0 {
		return ""
	}
	last := fields[len(fields)-1]
	if at := strings.IndexAny(last, ":["); at >= 0 {
		last = last[:at]
	}
	if at := strings.LastIndexAny(last, ".#"); at >= 0 {
		return last[at:]
	}
	return last
}
