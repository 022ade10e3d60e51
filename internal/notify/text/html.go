package text

import (
	"html"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// page writes a message as HTML for mail programs: few elements, their looks written on them, because many
// programs drop a style sheet.
type page struct {
	*filler
	source []byte
	strings.Builder
	small   bool     // below a line: why somebody gets this, and the like
	buttons []string // of the paragraph that is written, as "label: address"
}

const smallPrint = ` class="soft" style="margin:0 0 12px;font-size:13px;color:#5b6675"`

// html writes the body of a message.
func (f *filler) html(d document) string {
	p := &page{filler: f, source: d.source}
	p.blocks(d.root)
	return p.String()
}

func (p *page) put(parts ...string) {
	for _, part := range parts {
		p.WriteString(part)
	}
}

func (p *page) blocks(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		p.block(n)
	}
}

func (p *page) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		level := strconv.Itoa(min(n.Level, 3))
		p.put(`<h`, level, ` style="margin:0 0 12px;font-size:`, headingSize(n.Level), `;line-height:1.3;font-weight:600">`)
		p.inline(n)
		p.put("</h", level, ">\n")
	case *ast.List:
		p.list(n)
	case *ast.Blockquote:
		p.put(`<blockquote class="edge" style="margin:0 0 16px;padding:2px 0 2px 14px;border-left:3px solid #d5dae1">`, "\n")
		p.blocks(n)
		p.put("</blockquote>\n")
	case *ast.ThematicBreak:
		p.put(`<hr class="edge" style="border:0;border-top:1px solid #d5dae1;margin:20px 0">`, "\n")
		p.small = true
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		p.put(`<pre style="margin:0 0 16px;white-space:pre-wrap;font-family:ui-monospace,Consolas,monospace;font-size:13px">`,
			html.EscapeString(blockLines(n, p.source)), "</pre>\n")
	case *extast.Table:
		p.table(n)
	case *ast.TextBlock: // the line of a tight list
		p.inline(n)
	default:
		p.paragraph(n)
	}
}

func headingSize(level int) string {
	switch level {
	case 1:
		return "22px"
	case 2:
		return "18px"
	}
	return "16px"
}

func (p *page) paragraph(n ast.Node) {
	if p.empty(n, p.source) {
		return
	}
	if items, ok := p.listTag(n); ok {
		p.put(`<ul style="margin:0 0 16px;padding-left:22px">`, "\n")
		for _, item := range items {
			p.put(`<li style="margin:0 0 4px">`, html.EscapeString(item), "</li>\n")
		}
		p.put("</ul>\n")
		return
	}
	if p.small {
		p.put(`<p`, smallPrint, `>`)
	} else {
		p.put(`<p style="margin:0 0 16px">`)
	}
	p.inline(n)
	p.put("</p>\n")
	p.plainLinks()
}

// plainLinks writes the addresses of buttons, for programs that do not show or follow those.
func (p *page) plainLinks() {
	if len(p.buttons) > 0 {
		p.put(`<p`, smallPrint, `>`, strings.Join(p.buttons, "<br>\n"), "</p>\n")
	}
	p.buttons = nil
}

func (p *page) list(list *ast.List) {
	name, start := "ul", ""
	if list.IsOrdered() {
		name = "ol"
		if list.Start != 1 {
			start = ` start="` + strconv.Itoa(list.Start) + `"`
		}
	}
	p.put("<", name, start, ` style="margin:0 0 16px;padding-left:22px">`, "\n")
	for n := list.FirstChild(); n != nil; n = n.NextSibling() {
		if p.empty(n, p.source) {
			continue
		}
		p.put(`<li style="margin:0 0 4px">`)
		p.blocks(n)
		p.put("</li>\n")
	}
	p.put("</", name, ">\n")
}

// table writes a table. Its first column names what the others hold, so it is a heading of its row.
func (p *page) table(table ast.Node) {
	p.put(`<table style="border-collapse:collapse;width:100%;margin:0 0 20px">`, "\n")
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		if p.emptyRow(row, p.source) || p.blankHeader(row) {
			continue
		}
		p.put("<tr>")
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			p.cell(row, cell)
		}
		p.put("</tr>\n")
	}
	p.put("</table>\n")
}

func (p *page) cell(row, cell ast.Node) {
	name, style := "td", "padding:8px 0;vertical-align:top;overflow-wrap:anywhere"
	switch {
	case row.Kind() == extast.KindTableHeader:
		name, style = `th scope="col"`, "padding:8px 12px 8px 0;text-align:left;vertical-align:bottom;font-weight:600"
	case cell.PreviousSibling() == nil:
		name, style = `th scope="row"`, "padding:8px 16px 8px 0;text-align:left;vertical-align:top;font-weight:400;width:34%"
	}
	class := "edge"
	if strings.HasSuffix(name, `"row"`) {
		class = "edge soft"
		style += ";color:#5b6675"
	}
	p.put("<", name, ` class="`, class, `" style="`, style, `;border-bottom:1px solid #d5dae1">`)
	p.inline(cell)
	p.put("</", name[:2], ">")
}

// blankHeader reports whether a row is the heading of a table that needs none.
func (p *page) blankHeader(row ast.Node) bool {
	if row.Kind() != extast.KindTableHeader {
		return false
	}
	for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
		if cell.HasChildren() {
			return false
		}
	}
	return true
}

func (p *page) inline(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			p.put(html.EscapeString(p.characters(n, p.source)))
			if n.HardLineBreak() {
				p.put("<br>")
			}
			if n.HardLineBreak() || n.SoftLineBreak() {
				p.put("\n")
			}
		case *ast.String:
			p.put(html.EscapeString(string(n.Value)))
		case *ast.Emphasis:
			p.emphasis(n)
		case *ast.CodeSpan:
			p.put(`<code style="font-family:ui-monospace,Consolas,monospace;font-size:13px">`)
			p.inline(n)
			p.put("</code>")
		case *tagNode:
			p.tag(n.name)
		case *ast.Link:
			p.link(n)
		case *ast.AutoLink:
			p.autoLink(n)
		default: // an image among them: of it only its words are shown, for a mail loads nothing
			p.inline(n)
		}
	}
}

// unescaped resolves backslashes and character references, as Markdown asks.
func unescaped(n *ast.Text, source []byte) string {
	value := n.Segment.Value(source)
	if n.IsRaw() {
		return string(value)
	}
	return string(util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(value))))
}

func (p *page) emphasis(n *ast.Emphasis) {
	name := "em"
	if n.Level == 2 {
		name = "strong"
	}
	p.put("<", name, ">")
	p.inline(n)
	p.put("</", name, ">")
}

func (p *page) link(n *ast.Link) {
	address := p.destination(n.Destination)
	if address == "" {
		p.inline(n)
		return
	}
	p.put(anchor(address))
	p.inline(n)
	p.put("</a>")
}

func (p *page) autoLink(n *ast.AutoLink) {
	label, address := string(n.Label(p.source)), string(n.URL(p.source))
	if n.AutoLinkType == ast.AutoLinkEmail {
		address = "mailto:" + label
	}
	if address = safeURL(address); address == "" {
		p.put(html.EscapeString(label))
		return
	}
	p.put(anchor(address), html.EscapeString(label), "</a>")
}

func anchor(address string) string {
	return `<a class="link" href="` + html.EscapeString(address) + `" style="color:#0054a6;overflow-wrap:anywhere">`
}

// tag writes a value.
func (p *page) tag(name string) {
	v, kind, known := p.value(name)
	address := ""
	if known && v.URL != "" {
		address = safeURL(v.URL)
	}
	switch {
	case address != "" && kind == KindLink:
		label := button(name, p.reader.Language.or())
		p.put(buttonHTML(name, address, label))
		p.buttons = append(p.buttons, html.EscapeString(label)+": "+anchor(address)+html.EscapeString(address)+"</a>")
	case address != "":
		p.put(anchor(address), html.EscapeString(address), "</a>")
	case kind == KindHint && v.Set:
		p.put(`<strong>`, html.EscapeString(p.words(name)), `</strong>`)
	default:
		p.put(strings.ReplaceAll(html.EscapeString(p.words(name)), "\n", "<br>\n"))
	}
}
