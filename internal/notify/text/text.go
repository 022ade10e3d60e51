// Package text turns the texts of notifications into mails: a subject, a plain text and a page of HTML.
//
// A text is a subject line and a message in Markdown. Both may hold tags, [#DEVICE_HOSTNAME#], which stand for
// what an event brings. A text is parsed before any value is looked at, and a value enters the parsed text as
// characters: nothing in an event can add a header, a link, markup or a tag (html.go, plain.go and subject.go
// each escape for their own place).
//
// Every type of text (types.go) has built-in words in every language (builtin/); an administrator may replace
// them, and Lint says beforehand what would not work.
package text

import (
	"slices"
	"strings"
	"time"
)

// Language is what a contact reads: a key of the built-in texts.
type Language string

// The languages of the built-in texts.
const (
	English    Language = "en"
	Portuguese Language = "pt"
	Spanish    Language = "es"
)

// Languages returns all languages, the one to fall back to first.
func Languages() []Language { return []Language{English, Portuguese, Spanish} }

// or returns a language that there are texts in.
func (l Language) or() Language {
	if slices.Contains(Languages(), l) {
		return l
	}
	return English
}

// Text is what people write: a subject line and a message in Markdown, both with tags.
type Text struct {
	Subject string
	Message string
}

// Reader is for whom a text is rendered.
type Reader struct {
	Language Language
	Zone     *time.Location // nil: UTC
}

// zone returns where the reader lives.
func (r Reader) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// Rendered is a text with its values, ready to be sent.
type Rendered struct {
	Subject string
	Text    string   // lines end with LF
	HTML    string   // a whole document, without anything that is loaded from elsewhere
	Unknown []string // tags without a value and without a meaning; they stand in the mail as they were written
}

// Render fills a text in. Blank values are left out, with the row or paragraph that has nothing else to say.
func Render(t Text, values Values, reader Reader) Rendered {
	f := filler{values: values, reader: reader}
	doc := parse(t.Message)
	out := Rendered{Subject: f.subject(t.Subject)}
	out.Text = f.plain(doc)
	out.HTML = layout(f.html(doc), preview(out.Text), reader.Language.or())
	out.Unknown = f.unknown
	return out
}

// preview is what a mail program shows beside the subject in its list.
func preview(plain string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(plain), "\n\n")
	runes := []rune(strings.Join(strings.Fields(first), " "))
	return string(runes[:min(len(runes), 140)])
}
