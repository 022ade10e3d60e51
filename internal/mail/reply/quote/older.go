package quote

import "strings"

// cutOlder cuts where an older message begins and nothing marks its lines one by one.
func cutOlder(lines []Line) []Line {
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Kind == Quoted && !isArrowed(l.Text):
		case l.Kind != Written && l.Kind != Attribution, isDivider(l.Text), isHeaderBlock(lines[i:]), isForeignBlock(lines[i:]):
			return lines[:above(lines, i)]
		}
	}
	return lines
}

// isArrowed knows the line of GroupWise, below which nothing is marked: ">>> Ana <ana@example.org> 04/03/2025 >>>".
func isArrowed(text string) bool {
	return strings.HasPrefix(text, ">>> ") && strings.HasSuffix(text, ">>>") && strings.Contains(text, "@") && hasDate(text)
}

// above steps over the rules and blank lines above a block.
func above(lines []Line, i int) int {
	for i > 0 && lines[i-1].Kind != Quoted && isRule(lines[i-1].Text) {
		i--
	}
	return i
}

// isRule reports whether the line only separates.
func isRule(text string) bool {
	if text != "" && shows(text[0]) && strings.IndexByte("_-=*", text[0]) < 0 {
		return false
	}
	return strings.Trim(text, blanks+"_-=*") == ""
}

// isDivider reports whether the line says that an older message follows: "-----Original Message-----".
func isDivider(text string) bool {
	text = Trim(text)
	if len(text) > 120 {
		return false
	}
	if !strings.HasPrefix(text, "--") {
		return strings.HasSuffix(text, ":") && dividers[strings.TrimRight(fold(text), ": ")]
	}
	inner := strings.Trim(fold(text), "- :")
	if dividers[inner] {
		return true
	}
	for _, start := range dividerStarts {
		if strings.HasPrefix(inner, start) {
			return true
		}
	}
	return strings.HasSuffix(text, "--") && isAttribution(inner+":", false) // "---- On Monday Ana wrote ----"
}

// A block of header lines is read over so many lines, and may have so many wrapped ones.
const (
	blockLines   = 14
	blockWrapped = 4
)

// isHeaderBlock reports whether a copy of an older message's header starts here: at least three of From, Sent,
// To, Subject, each once, From among them.
func isHeaderBlock(lines []Line) bool {
	if labelOf(lines[0].Text) == noLabel {
		return false
	}
	var seen [labels]bool
	kinds, wrapped := 0, 0
	for _, l := range lines[:min(len(lines), blockLines)] {
		if l.Kind == Quoted {
			break
		}
		if blank(l.Text) {
			continue // each label may be a paragraph
		}
		switch label := labelOf(l.Text); {
		case label == noLabel:
			if wrapped++; wrapped > blockWrapped {
				return false
			}
		case !seen[label]:
			seen[label] = true
			kinds++
		}
		if kinds >= 3 && seen[fromLabel] {
			return true
		}
	}
	return false
}

// isForeignBlock reports whether a header in a language that is not known starts here: a line of dashes or underscores,
// with words between or without, and right below it three fields at least, an address among them.
func isForeignBlock(lines []Line) bool {
	if !isDrawn(lines[0].Text) {
		return false
	}
	fields, address := 0, false
	for _, l := range lines[1:min(len(lines), blockLines)] {
		if blank(l.Text) && fields == 0 {
			continue
		}
		colon := strings.IndexByte(l.Text, ':')
		if l.Kind == Quoted || colon < 1 || colon > 30 || strings.Count(l.Text[:colon], " ") > 3 {
			return false
		}
		fields++
		if address = address || strings.Contains(l.Text, "@"); address && fields >= 3 {
			return true
		}
	}
	return false
}

// isDrawn knows "________" and "-----Messaggio originale-----".
func isDrawn(text string) bool {
	text = Trim(text)
	return len(text) > 8 && len(text) <= 120 && (strings.Trim(text, "_") == "" || strings.HasPrefix(text, "---") && strings.HasSuffix(text, "---"))
}

type label int

const (
	noLabel label = iota
	fromLabel
	dateLabel
	toLabel
	subjectLabel
	copyLabel
	labels
)

// labelOf returns which header field a line shows, in any of the languages: "*Von:* Ana".
func labelOf(text string) label {
	colon := strings.IndexByte(text, ':')
	if colon < 1 || colon > 30 {
		return noLabel
	}
	return labelWords[strings.Trim(fold(text[:colon]), "* ")]
}
