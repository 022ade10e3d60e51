package submit

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// maxPlainWord is the longest word that leaves a header line below 78 characters.
const maxPlainWord = 60

// maxEncoded octets give an encoded word of 60 characters, which fits behind "Subject: " too.
const maxEncoded = 36

// encodeText makes a header's free text ASCII (RFC 2047). The standard library encodes only what is not
// ASCII; a word that does not fit into a line, text that looks like an encoded word, and blanks that folding
// would lose need it too.
func encodeText(text string) string {
	if plain(text) {
		return text
	}
	var words []string
	for text != "" {
		n := cutRunes(text, maxEncoded)
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(words, " ")
}

func plain(text string) bool {
	return ascii([]byte(text)) && longestWord(text) <= maxPlainWord && !strings.Contains(text, "=?") &&
		strings.Join(strings.Fields(text), " ") == text
}

// cutRunes is the length of the longest prefix of at most limit bytes that ends between two characters.
func cutRunes(text string, limit int) int {
	if len(text) <= limit {
		return len(text)
	}
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	return limit
}
