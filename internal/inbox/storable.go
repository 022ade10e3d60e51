package inbox

import (
	"strings"
	"unicode/utf8"
)

// storable makes a text fit for a column of a line: valid UTF-8, no control characters, at most limit bytes.
func storable(text string, limit int) string { return fit(text, limit, "", ' ') }

// storableText keeps line ends and tabs.
func storableText(text string, limit int) string { return fit(text, limit, "\n\t", -1) }

// fit puts instead in the place of control characters that are not to be kept, and cuts. Most texts are left as they
// are, so that is looked for first.
func fit(text string, limit int, keep string, instead rune) string {
	shown := text[:min(len(text), 2*limit)]
	if !plain(shown, keep) || !utf8.ValidString(shown) {
		shown = strings.Map(func(r rune) rune {
			if control(r) && !strings.ContainsRune(keep, r) {
				return instead
			}
			return r
		}, strings.ToValidUTF8(shown, "\uFFFD"))
	}
	if len(shown) <= limit {
		return shown
	}
	cut := limit - len("…")
	for !utf8.RuneStart(shown[cut]) {
		cut--
	}
	return shown[:cut] + "…"
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

func plain(text, keep string) bool {
	for i := range len(text) {
		if c := text[i]; control(rune(c)) && strings.IndexByte(keep, c) < 0 {
			return false
		}
	}
	return true
}
