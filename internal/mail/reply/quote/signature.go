package quote

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// cutSignature cuts at the line of two dashes (RFC 3676 4.3); its trailing space is lost on many ways.
func cutSignature(lines []Line) []Line {
	for i, l := range lines {
		if text := trimRight(l.Text); l.Kind == Written && (text == "--" || text == "—") {
			return lines[:i]
		}
	}
	return lines
}

// cutMobile cuts at the line that a phone adds. It is short, and a paragraph of its own or the last line.
func cutMobile(run []string) []string {
	for i, line := range run {
		apart := i == 0 || blank(run[i-1]) || !slices.ContainsFunc(run[i+1:], func(l string) bool { return !blank(l) })
		if apart && utf8.RuneCountInString(line) < 120 && startsWith(line, mobileStarts) {
			return run[:i]
		}
	}
	return run
}

// cutFooter cuts at what companies and virus scanners add below. Their rule above goes too.
func cutFooter(run []string) []string {
	for i, line := range run {
		if (i == 0 || isRule(run[i-1])) && startsWith(line, footerStarts) {
			for i > 0 && isRule(run[i-1]) {
				i--
			}
			return run[:i]
		}
	}
	return run
}

// cutBanner cuts the first paragraph when a gateway wrote it.
func cutBanner(run []string) []string {
	start := 0
	for start < len(run) && isRule(run[start]) {
		start++
	}
	if start == len(run) || !startsWith(run[start], bannerStarts) {
		return run
	}
	for start < len(run) && !isRule(run[start]) {
		start++
	}
	for start < len(run) && isRule(run[start]) {
		start++
	}
	return run[start:]
}

func startsWith(line string, starts beginnings) bool {
	line = strings.TrimLeft(line, blanks+"*_[(<")
	if len(line) > 200 {
		line = line[:200]
	}
	if !starts.may(line) {
		return false
	}
	line = strings.ReplaceAll(fold(line), "[", "") // the start of a link
	for _, start := range starts.texts {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

// beginnings are texts, folded, and the first letters of each: they alone tell most lines from them.
type beginnings struct {
	texts []string
	first map[firstLetters]bool
}

type firstLetters [4]byte

func begins(texts ...string) beginnings {
	b := beginnings{texts: texts, first: make(map[firstLetters]bool)}
	for _, text := range texts {
		b.first[firstLetters([]byte(text))] = true
	}
	return b
}

// may reports whether a line can begin with one of them. Letters of ASCII and single spaces say so without folding.
func (b *beginnings) may(line string) bool {
	var first firstLetters
	if len(line) <= len(first) {
		return true
	}
	for i := range first {
		if !letter(line[i]) && (line[i] != ' ' || !letter(line[i+1])) {
			return true
		}
		first[i] = line[i] | 0x20 // lower case; a space stays one
	}
	return b.first[first]
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// A closing has so many lines below it, each so short: a name, a title, a telephone number.
const (
	closingLines = 10
	closingWidth = 80
)

// longestClosing is what the longest of them takes, with room for blanks and stops; a longer line is none.
var longestClosing = func() (longest int) {
	for words := range closings {
		longest = max(longest, len(words))
	}
	return longest + 16
}()

// cutClosing cuts at "Kind regards," when only the writer's card follows. The first line is never a closing: an
// answer may be just "Thanks".
func cutClosing(lines []string) []string {
	for i := len(lines) - 1; i > 0; i-- {
		if strings.HasSuffix(lines[i], "?") || utf8.RuneCountInString(lines[i]) > closingWidth || len(lines)-i > 2*closingLines {
			return lines
		}
		if len(lines[i]) <= longestClosing && isClosing(fold(lines[i])) && filled(lines[i:]) <= closingLines {
			return lines[:i]
		}
	}
	return lines
}

// closingWords is how long "With my very best regards" and its like are at most.
const closingWords = 6

// isClosing knows the usual words, and what ends in a word that only greetings end in: "Herzliche Grüße".
func isClosing(folded string) bool {
	folded = strings.Trim(folded, ".,!;: ")
	if closings[folded] {
		return true
	}
	last := folded[strings.LastIndexByte(folded, ' ')+1:]
	return closingEnds[last] && strings.Count(folded, " ") < closingWords
}

func filled(lines []string) (n int) {
	for _, l := range lines {
		if l != "" {
			n++
		}
	}
	return n
}
