package submit

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// BadValue says that a value can't stand in a message or an envelope. Nothing was sent.
type BadValue struct {
	Field string // the name of the form's field: "sender_email", "subject", "to"
	Text  string // what is wrong with it, a sentence for people
}

func (b *BadValue) Error() string { return b.Field + ": " + b.Text }

func bad(field, format string, args ...any) *BadValue {
	return &BadValue{Field: field, Text: fmt.Sprintf(format, args...)}
}

// clean refuses what could end a line, and with it start a header or a command of somebody else's choosing.
// The error is nil for a clean value.
func clean(field, value string) error {
	if !utf8.ValidString(value) {
		return bad(field, "The text is not valid UTF-8.")
	}
	for _, r := range value {
		switch {
		case r == '\r' || r == '\n' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			return bad(field, "A line break is not allowed here.")
		case r == 0:
			return bad(field, "A NUL character is not allowed here.")
		case unicode.IsControl(r):
			return bad(field, "The control character %U is not allowed here.", r)
		}
	}
	return nil
}

// printable makes a server's words fit for one line of a page or a log.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}
