package text

import "strings"

// maxSubject keeps a subject readable in a list, and far below the limit of a line (RFC 5322 2.1.1).
const maxSubject = 200

// subject fills the tags of a subject line in. It stays one line whatever the values hold.
func (f *filler) subject(line string) string {
	filled := written.ReplaceAllStringFunc(clean(line), func(tag string) string {
		return f.words(tag[2 : len(tag)-2])
	})
	runes := []rune(strings.Trim(tidy(oneLine(filled)), " -–—,:"))
	if len(runes) <= maxSubject {
		return string(runes)
	}
	return strings.TrimSpace(string(runes[:maxSubject-1])) + "…"
}

// tidy drops brackets around a value that was blank.
func tidy(line string) string { return oneLine(strings.NewReplacer("()", "", "( )", "").Replace(line)) }
