package text

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// plain writes a message as plain text: blocks with an empty line between them.
func (f *filler) plain(d document) string {
	return f.plainBlocks(d.root, d.source, "\n\n") + "\n"
}

func (f *filler) plainBlocks(parent ast.Node, source []byte, between string) string {
	var blocks []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if block := strings.TrimRight(f.plainBlock(n, source), "\n"); block != "" {
			blocks = append(blocks, block)
		}
	}
	return strings.Join(blocks, between)
}

func (f *filler) plainBlock(n ast.Node, source []byte) string {
	switch n := n.(type) {
	case *ast.Heading:
		return f.plainInline(n, source)
	case *ast.List:
		return f.plainList(n, source)
	case *ast.Blockquote:
		return prefixed(f.plainBlocks(n, source, "\n\n"), "| ", "| ") // ">" would be taken for a quotation of a mail
	case *ast.ThematicBreak:
		return strings.Repeat("-", 40)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		return prefixed(blockLines(n, source), "    ", "    ")
	case *extast.Table:
		return f.plainTable(n, source)
	}
	if f.empty(n, source) {
		return ""
	}
	if items, ok := f.listTag(n); ok {
		return "- " + strings.Join(items, "\n- ")
	}
	return f.plainInline(n, source)
}

func (f *filler) plainList(list *ast.List, source []byte) string {
	var items []string
	number := list.Start
	for n := list.FirstChild(); n != nil; n = n.NextSibling() {
		mark := "- "
		if list.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		if f.empty(n, source) {
			continue
		}
		items = append(items, prefixed(f.plainBlocks(n, source, "\n"), mark, strings.Repeat(" ", len(mark))))
	}
	return strings.Join(items, "\n")
}

// plainTable writes a row of two cells as "Heading: value", others with bars.
func (f *filler) plainTable(table ast.Node, source []byte) string {
	var rows []string
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		if f.emptyRow(row, source) {
			continue
		}
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, strings.ReplaceAll(f.plainInline(cell, source), "\n", "\n    "))
		}
		between := " | "
		if len(cells) == 2 && row.Kind() == extast.KindTableRow {
			between = ": "
		}
		if line := strings.Join(cells, between); strings.Trim(line, " |:") != "" {
			rows = append(rows, line)
		}
	}
	return strings.Join(rows, "\n")
}

func (f *filler) plainInline(parent ast.Node, source []byte) string {
	var b strings.Builder
	button := false // the last thing was a button; each has a line of its own
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			text := f.characters(n, source)
			if button && strings.TrimSpace(text) == "" {
				continue
			}
			b.WriteString(text)
			if n.HardLineBreak() || n.SoftLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.Write(n.Value)
		case *tagNode:
			if button {
				b.WriteByte('\n')
			}
			b.WriteString(f.plainTag(n.name))
			button = kinds[n.name] == KindLink && f.words(n.name) != ""
			continue
		case *ast.Link:
			b.WriteString(labelled(f.plainInline(n, source), f.destination(n.Destination)))
		case *ast.AutoLink:
			b.Write(n.Label(source))
		default:
			b.WriteString(f.plainInline(n, source))
		}
		button = false
	}
	return strings.TrimSpace(b.String())
}

// plainTag writes a value; its further lines are indented, so that none can pass for a line of the text.
func (f *filler) plainTag(name string) string {
	v, kind, known := f.value(name)
	if known && kind == KindLink {
		return labelled(button(name, f.reader.Language.or()), safeURL(v.URL))
	}
	return strings.ReplaceAll(f.words(name), "\n", "\n    ")
}

// labelled is a link in plain text.
func labelled(label, address string) string {
	if address == "" || label == address {
		return label
	}
	return label + ": " + address
}

// prefixed puts first before the first line and rest before all others.
func prefixed(block, first, rest string) string {
	return first + strings.ReplaceAll(block, "\n", "\n"+rest)
}

// blockLines returns the lines of a code block.
func blockLines(n ast.Node, source []byte) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(source))
	}
	return strings.TrimRight(b.String(), "\n")
}
