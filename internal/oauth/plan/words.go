package plan

import (
	"slices"
	"strings"
)

// registerArgs takes a pasted register command apart as a shell would: quotes, backslashes, lines that go on.
// What a web page makes of quotes and dashes is understood as well.
func registerArgs(text string) ([]string, bool) {
	words := splitWords(typed.Replace(text))
	at := slices.Index(words, "register")
	if at < 0 || at > 0 && words[at-1] != "email-oauth2-proxy" || at == 0 && (len(words) == 1 || !strings.HasPrefix(words[1], "-")) {
		return nil, false
	}
	return words[at+1:], true
}

// typed undoes what text processors do to commands.
var typed = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‘", "'", "’", "'", "–-", "--", "–", "--", "—", "--", "\u00A0", " ", "\r\n", "\n")

// splitWords splits like a POSIX shell without expansions; nothing is ever run.
func splitWords(text string) []string {
	var s splitter
	for _, r := range text {
		s.take(r)
	}
	s.end()
	return s.words
}

type splitter struct {
	words   []string
	word    strings.Builder
	inWord  bool
	quote   rune // ' or ", 0 outside
	escaped bool
}

func (s *splitter) take(r rune) {
	switch {
	case s.escaped:
		s.escaped = false
		if r != '\n' { // a line that goes on
			s.add(r)
		}
	case r == '\\' && s.quote != '\'':
		s.escaped = true
	case r == s.quote:
		s.quote = 0
	case s.quote != 0:
		s.add(r)
	case r == '"' || r == '\'':
		s.quote, s.inWord = r, true
	case r == ' ' || r == '\t' || r == '\n':
		s.end()
	default:
		s.add(r)
	}
}

func (s *splitter) add(r rune) {
	s.inWord = true
	s.word.WriteRune(r)
}

func (s *splitter) end() {
	if s.inWord {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}
