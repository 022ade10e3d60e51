package reply

import (
	"io"
	"strings"

	"orbit/internal/mail/reply/htmltext"
	"orbit/internal/mail/reply/parts"
	"orbit/internal/mail/reply/quote"
)

// body gathers the texts of a message. Alternatives of one text form one section.
type body struct {
	sections []*section
	all      *string // what full returns, once asked
}

type section struct {
	group       int
	plain, html *source
	read        []quote.Line // lines of the HTML, once read
}

type source struct {
	part *parts.Part
	kept parts.Buffer
	text *string // once decoded
}

// maxSections bounds the texts of one message.
const maxSections = 50

// add makes room for a text part.
func (b *body) add(p *parts.Part, l Limits) io.Writer {
	s := b.section(p.Group)
	if s == nil {
		return nil
	}
	src := &source{part: p}
	if p.Type == "text/html" {
		if s.html != nil {
			s = b.open(p.Group)
		}
		s.html, src.kept.Max = src, l.HTML/b.share()
	} else {
		if s.plain != nil {
			s = b.open(p.Group)
		}
		s.plain, src.kept.Max = src, l.Text/b.share()
	}
	return &src.kept
}

// share keeps many texts within the limit of one: the first ones get most of it.
func (b *body) share() int { return 1 << min(len(b.sections)-1, 16) }

// section returns the open section of a group of alternatives, or a new one.
func (b *body) section(group int) *section {
	if n := len(b.sections); group > 0 && n > 0 && b.sections[n-1].group == group {
		return b.sections[n-1]
	}
	if len(b.sections) >= maxSections {
		return nil
	}
	return b.open(group)
}

func (b *body) open(group int) *section {
	s := &section{group: group}
	b.sections = append(b.sections, s)
	return s
}

// text returns the new text, read from the plain texts where there are any.
func (b *body) text() string { return quote.New(b.lines(false)) }

// textOfHTML returns the new text, read from the HTML where there is any.
func (b *body) textOfHTML() string { return quote.New(b.lines(true)) }

// hasBoth reports whether the text came in two forms, so that they can contradict each other.
func (b *body) hasBoth() bool {
	for _, s := range b.sections {
		if s.plain != nil && s.html != nil {
			return true
		}
	}
	return false
}

func (b *body) lines(preferHTML bool) []quote.Line {
	if len(b.sections) == 1 {
		return b.sections[0].lines(preferHTML)
	}
	var all []quote.Line
	for i, s := range b.sections {
		if i > 0 {
			all = append(all, quote.Line{})
		}
		all = append(all, s.lines(preferHTML)...)
	}
	return all
}

func (s *section) lines(preferHTML bool) []quote.Line {
	if s.html != nil && preferHTML {
		return s.htmlLines()
	}
	if s.plain != nil {
		if text := s.plain.decode(); s.html == nil || quote.Trim(text) != "" {
			return quote.Lines(text)
		}
	}
	return s.htmlLines()
}

// htmlLines returns a copy of the lines: whoever reads them marks them.
func (s *section) htmlLines() []quote.Line {
	if s.html == nil {
		return nil
	}
	if s.read == nil {
		s.read = htmltext.Lines(s.html.decode())
	}
	return append([]quote.Line(nil), s.read...)
}

// decode returns the text in UTF-8, freed of the ways in which plain text is packed.
func (src *source) decode() string {
	if src.text == nil {
		text := src.unpack(src.kept.String())
		src.text = &text
	}
	return *src.text
}

func (src *source) unpack(kept string) string {
	text := parts.DecodeCharset(src.part.Params["charset"], kept)
	if src.part.Type == "text/html" {
		return text
	}
	text = quote.Unarmor(text)
	if strings.EqualFold(src.part.Params["format"], "flowed") {
		text = quote.Unflow(text, strings.EqualFold(src.part.Params["delsp"], "yes"))
	}
	return text
}

// excerpt returns the new text as far as the first n bytes show it. Where they show none, it is read from all.
func (b *body) excerpt(n int) string {
	if len(b.sections) == 1 && b.sections[0].plain != nil {
		if text := quote.New(quote.Lines(b.sections[0].plain.begin(n))); text != "" {
			return text
		}
	}
	return b.text()
}

// begin returns the lines within the first n bytes; "" where the text is shorter, or has to be decoded as a whole.
func (src *source) begin(n int) string {
	kept := src.kept.String()
	if len(kept) <= n || src.text != nil {
		return ""
	}
	kept = kept[:strings.LastIndexByte(kept[:n], '\n')+1]
	if !parts.Plain(kept) {
		return ""
	}
	return src.unpack(kept)
}

// searched returns the text for a search for what no line end divides: as it came, where that will do.
func (b *body) searched() string {
	if b.all == nil && len(b.sections) == 1 && b.sections[0].html == nil && parts.Plain(b.sections[0].plain.kept.String()) {
		return b.sections[0].plain.kept.String()
	}
	return b.full()
}

// full returns all text, quotations marked.
func (b *body) full() string {
	if b.all == nil {
		all := b.join()
		b.all = &all
	}
	return *b.all
}

func (b *body) join() string {
	if len(b.sections) == 1 && b.sections[0].html == nil && quote.Trim(b.sections[0].plain.decode()) != "" { // nothing to be joined
		return strings.TrimRight(b.sections[0].plain.decode(), "\n")
	}
	var out strings.Builder
	for i, s := range b.sections {
		if i > 0 {
			out.WriteString("\n\n")
		}
		if s.plain != nil {
			if text := s.plain.decode(); quote.Trim(text) != "" {
				out.WriteString(strings.TrimRight(text, "\n"))
				continue
			}
		}
		writeLines(&out, s.htmlLines())
	}
	return out.String()
}

func writeLines(out *strings.Builder, lines []quote.Line) {
	for _, l := range lines {
		if l.Kind == quote.Quoted {
			out.WriteString("> ")
		}
		out.WriteString(l.Text)
		out.WriteByte('\n')
	}
}

// html returns the first HTML text.
func (b *body) html() string {
	for _, s := range b.sections {
		if s.html != nil {
			return s.html.decode()
		}
	}
	return ""
}
