package text

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed builtin/*.md
var files embed.FS

// builtin is every built-in text, by type and language. The files are part of the program: one that is wrong
// stops the first test.
var builtin = func() map[string]map[Language]Text {
	all := map[string]map[Language]Text{}
	for _, t := range types {
		source, err := files.ReadFile("builtin/" + t.Key + ".md")
		if err != nil {
			panic(err)
		}
		all[t.Key] = sections(t.Key, string(source))
	}
	return all
}()

// sections reads a file: for each language "=== en", "Subject: ..." and the message.
func sections(key, source string) map[Language]Text {
	found := map[Language]Text{}
	for section := range strings.SplitSeq(source, "=== ") {
		language, rest, _ := strings.Cut(section, "\n")
		subject, message, ok := strings.Cut(strings.TrimPrefix(rest, "Subject: "), "\n\n")
		if language == "" {
			continue
		}
		if !ok {
			panic(fmt.Sprintf("builtin/%s.md: the section %s has no subject or no message", key, language))
		}
		found[Language(language)] = Text{Subject: subject, Message: strings.TrimSpace(message) + "\n"}
	}
	return found
}

// Builtin returns the words of a type in a language. An event type without words of its own has those of "other".
func Builtin(key string, language Language) Text {
	words, ok := builtin[key]
	if !ok {
		words = builtin["other"]
	}
	return words[language.or()]
}
