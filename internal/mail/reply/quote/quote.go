// Package quote finds in the text of an answer what its writer wrote anew.
//
// Mail programs mark what they quote in their own ways and languages: by ">", by a sentence such as "On Monday
// Ana wrote:", by a block of From, Sent, To and Subject, by a divider, or by elements of HTML. All of them become
// lines of a kind; then one order of cuts serves all: the older message, the quoted lines, the signature, the
// footers of gateways. In doubt a line counts as quoted, because a quoted APPROVE must never be an answer.
package quote

import (
	"strings"
	"unicode/utf8"
)

// Kind says what the form of a message tells about a line.
type Kind uint8

// The kinds of lines.
const (
	Written     Kind = iota // nothing marks it
	Quoted                  // it belongs to an older message; new text may follow
	Attribution             // it introduces a quotation
	Older                   // from here on everything is an older message
)

// Line is a line of text and its kind.
type Line struct {
	Text string
	Kind Kind
}

// maxLines bounds the work; an answer stands at the start or between the lines it answers.
const maxLines = 5000

// Lines splits plain text and marks the lines that ">" quotes.
func Lines(text string) []Line {
	lines := make([]Line, 0, min(strings.Count(text, "\n")+1, maxLines))
	for text != "" && len(lines) < maxLines {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		kind := Written
		if strings.HasPrefix(trimLeft(line), ">") && !closesAddress(lines, line) {
			kind = Quoted
		}
		lines = append(lines, Line{Text: trimRight(line), Kind: kind})
	}
	return lines
}

// closesAddress knows what Gmail makes of a sentence whose address ends at its margin: "On Monday Ana <ana@example.com"
// and, on the next line, "> wrote:".
func closesAddress(lines []Line, line string) bool {
	if len(lines) == 0 || lines[len(lines)-1].Kind != Written {
		return false
	}
	before, rest := lines[len(lines)-1].Text, trimLeft(strings.TrimPrefix(trimLeft(line), ">"))
	open := strings.LastIndexByte(before, '<')
	if open < 0 || !strings.Contains(before[open:], "@") || strings.ContainsAny(before[open:], "> ") {
		return false
	}
	words, colon := strings.CutSuffix(fold(rest), ":")
	words = trimRight(words)
	return colon && (words == "" || verbIn(" "+words) == " "+words)
}

// New returns the new text among the lines.
func New(lines []Line) string {
	lines = cutOlder(lines)
	lines = cutAttributions(lines)
	markWrapped(lines)
	lines = cutSignature(lines)
	return join(written(lines))
}

// wrapColumn: a program that wraps while it quotes does so behind this column at the earliest.
const wrapColumn = 50

// markWrapped marks the remainder of a quoted line that the writer's program wrapped: it stands without ">" right
// below a long quoted line. It is what makes "... answer with the word" / "APPROVE" of our own mail look written.
func markWrapped(lines []Line) {
	for i := 1; i < len(lines); i++ {
		before, l := lines[i-1], &lines[i]
		if l.Kind == Written && !blank(l.Text) && before.Kind == Quoted && utf8.RuneCountInString(before.Text) >= wrapColumn {
			l.Kind = Quoted
			i++ // one line only
		}
	}
}

// written returns the runs of written lines, one after the other.
func written(lines []Line) (runs [][]string) {
	texts := make([]string, 0, len(lines)) // one array for all runs
	begin := 0
	for _, l := range lines {
		if l.Kind == Written {
			texts = append(texts, l.Text)
			continue
		}
		runs, begin = append(runs, texts[begin:]), len(texts)
	}
	return append(runs, texts[begin:])
}

// join makes one text of the runs, without what programs and gateways add and with single blank lines.
func join(runs [][]string) string {
	room := 0
	for _, run := range runs {
		room += len(run) + 1
	}
	out := make([]string, 0, room)
	for i, run := range runs {
		if i == 0 {
			run = cutBanner(run)
		}
		run = cutFooter(cutMobile(run))
		for _, line := range run {
			if blank(line) && (len(out) == 0 || out[len(out)-1] == "") {
				continue
			}
			if blank(line) {
				line = ""
			}
			out = append(out, line)
		}
		if len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, "")
		}
	}
	return Trim(strings.Join(cutClosing(out), "\n"))
}

// blanks are characters that show nothing. Those that change the order of letters are not among them.
const blanks = " \t\r\n\u00a0\u00ad\u2002\u2003\u2007\u2009\u200a\u200b\u200c\u200d\u202f\u2060\u3000\ufeff"

// Trim removes what shows nothing from both ends.
func Trim(text string) string { return trimLeft(trimRight(text)) }

func trimLeft(text string) string {
	if text == "" || shows(text[0]) {
		return text
	}
	return strings.TrimLeft(text, blanks)
}

func trimRight(text string) string {
	if text == "" || shows(text[len(text)-1]) {
		return text
	}
	return strings.TrimRight(text, blanks)
}

// shows reports whether the byte is a character that shows something, as nearly all at the ends of lines do.
func shows(c byte) bool { return c > ' ' && c < utf8.RuneSelf }

func blank(text string) bool { return trimLeft(text) == "" }

// fold makes a line comparable: lower case, plain single spaces.
func fold(text string) string {
	if folded(text) {
		return text
	}
	if short, ok := foldASCII(text); ok {
		return short
	}
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), isBlank), " ")
}

// foldASCII folds without taking the text apart, if it has no other characters.
func foldASCII(text string) (string, bool) {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= utf8.RuneSelf:
			return "", false
		case isBlank(rune(c)):
			if len(out) > 0 && out[len(out)-1] != ' ' {
				out = append(out, ' ')
			}
			continue
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	if n := len(out); n > 0 && out[n-1] == ' ' {
		out = out[:n-1]
	}
	return string(out), true
}

// folded reports whether there is nothing to fold, as in most lines that programs compare.
func folded(text string) bool {
	before := byte(' ')
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' || c == ' ' && before == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return false
		}
		before = c
	}
	return before != ' ' || text == ""
}

func isBlank(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' ' || r == '\t' || r == '\r' || r == '\n'
	}
	return strings.ContainsRune(blanks, r)
}
