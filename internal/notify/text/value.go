package text

import (
	"strings"
	"time"
	"unicode"
)

// Value is what a tag stands for in one mail. The first field that is set counts.
type Value struct {
	Text string
	List []string
	Time time.Time // written in the reader's language and zone, as the tag says
	URL  string    // of a link tag: https, http or mailto
	Set  bool      // of a hint tag: the sentence is to be said
}

// Values are the values of a mail by the names of their tags.
type Values map[string]Value

// SetText sets tags that stand for a text; name and text alternate.
func (v Values) SetText(name, text string, more ...string) Values {
	v[name] = Value{Text: text}
	for i := 0; i+1 < len(more); i += 2 {
		v[more[i]] = Value{Text: more[i+1]}
	}
	return v
}

// SetPeriod sets every tag of the time from start to end. A zero time leaves its tags blank.
func (v Values) SetPeriod(start, end time.Time) Values {
	for _, suffix := range []string{"_DATETIME", "_DATETIME_STR", "_DATE", "_TIME"} {
		v["START"+suffix] = Value{Time: start}
		v["END"+suffix] = Value{Time: end}
	}
	return v
}

// SetLink sets both tags of a link: LINK_name, which shows a button, and URL_name, which shows the address.
func (v Values) SetLink(name, url string) Values {
	v["LINK_"+name], v["URL_"+name] = Value{URL: url}, Value{URL: url}
	return v
}

// clean drops what does not belong into a text for people: control characters, and the marks that turn the
// direction of writing, with which a value could look like something else.
func clean(s string) string {
	if harmless(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == '\ufeff', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// oneLine makes a single line of a value.
func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// harmless reports whether a text is plain ASCII without control characters, as most are: nothing is to be dropped.
func harmless(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}
