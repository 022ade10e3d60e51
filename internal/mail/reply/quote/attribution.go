package quote

import (
	"strings"
	"unicode/utf8"
)

// An attribution is wrapped over so many lines at most, and so long.
const (
	attributionLines = 4
	attributionBytes = 400
)

// cutAttributions marks the sentences that introduce a quotation. When no line below is marked as quoted, the
// quotation is everything that follows.
func cutAttributions(lines []Line) []Line {
	for i := 0; i < len(lines); i++ {
		n := attributionAt(lines[i:])
		if n == 0 {
			continue
		}
		for j := range n {
			lines[i+j].Kind = Attribution
		}
		if !quotedNext(lines[i+n:]) {
			return lines[:i]
		}
		i += n - 1
	}
	return lines
}

// attributionAt returns how many lines the attribution that starts here has.
func attributionAt(lines []Line) int {
	if lines[0].Kind == Attribution {
		n := 1
		for n < len(lines) && lines[n].Kind == Attribution {
			n++
		}
		return n
	}
	if lines[0].Kind == Written && inlineAttribution(lines[0].Text) {
		return 1
	}
	length := 0
	for n := 0; n < min(len(lines), attributionLines); n++ {
		l := lines[n]
		if l.Kind != Written || blank(l.Text) || length+len(l.Text) > attributionBytes {
			return 0
		}
		length += len(l.Text) + 1
		if endsAttribution(l.Text) && isAttribution(fold(joinLines(lines[:n+1])), quotedNext(lines[n+1:])) {
			if startsLater(lines[:n+1]) {
				return 0
			}
			return n + 1
		}
	}
	return 0
}

// joinLines makes one line of several; few lines end as an attribution does, so it is rarely needed.
func joinLines(lines []Line) string {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Text
	}
	return strings.Join(texts, " ")
}

// startsLater reports whether the sentence begins on a line below the first: what stands above it was written.
func startsLater(lines []Line) bool {
	if opens(fold(lines[0].Text)) {
		return false
	}
	for _, l := range lines[1:] {
		if text := fold(l.Text); opens(text) && hasDate(text) {
			return true
		}
	}
	return false
}

// inlineAttribution knows the sentence that has the older text on its own line, set off by spaces, as Yahoo's
// programs write it.
func inlineAttribution(text string) bool {
	colon := strings.Index(text, ":  ")
	for colon >= 0 && colon < attributionBytes {
		if sentence := fold(text[:colon+1]); strings.Contains(sentence, "@") && opens(sentence) && isAttribution(sentence, false) {
			return true
		}
		next := strings.Index(text[colon+1:], ":  ")
		if next < 0 {
			return false
		}
		colon += 1 + next
	}
	return false
}

func endsAttribution(text string) bool {
	if last := text[len(text)-1]; last > ' ' && last < utf8.RuneSelf && last != ':' && last != '-' { // nearly every line
		return false
	}
	return strings.HasSuffix(strings.TrimRight(text, blanks+"-"), ":") || strings.HasSuffix(text, "-")
}

// quotedNext reports whether the next line that shows anything is quoted.
func quotedNext(lines []Line) bool {
	for _, l := range lines {
		if l.Kind == Quoted {
			return true
		}
		if !blank(l.Text) {
			return false
		}
	}
	return false
}

// isAttribution judges a folded sentence. Known languages are known by their words; of others one that ends in a
// colon, names an address and a date and stands above quoted lines can be nothing else.
func isAttribution(text string, quotedFollows bool) bool {
	text = strings.Trim(text, "- *")
	text, colon := strings.CutSuffix(text, ":")
	if !colon || len(text) < 8 {
		return false
	}
	text = strings.TrimSpace(text)
	address := strings.Contains(text, "@")
	dated := hasDate(text)
	switch verb := verbIn(text); {
	case verb == "":
		return address && dated && (quotedFollows || text[0] >= '0' && text[0] <= '9')
	case dated && opens(text), address && (dated || quotedFollows):
		return true
	default:
		return quotedFollows && len(text) < 120 && strings.HasSuffix(text, verb)
	}
}

// verbIn returns the "wrote" of the sentence.
func verbIn(text string) string {
	for _, verb := range wroteVerbs {
		if at := strings.Index(text, verb); at >= 0 {
			return verb
		}
	}
	return ""
}

// opens reports whether the sentence begins as "On Monday" does.
func opens(text string) bool {
	for _, word := range onWords {
		if strings.HasPrefix(text, word) {
			return true
		}
	}
	return false
}

// hasDate looks for a year, a time or a date in figures: what a program writes and a person leaves out.
func hasDate(text string) bool {
	digits := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= '0' && c <= '9' {
			digits++
			continue
		}
		separated := digits > 0 && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9'
		if digits == 4 || separated && strings.IndexByte(":/.-h", c) >= 0 {
			return true
		}
		digits = 0
	}
	return digits == 4
}
