package submit

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// maxPlainLine is the longest line that leaves a body as it is (RFC 5322 2.1.1).
const maxPlainLine = 78

// encodeBody chooses how a body travels. ASCII in short lines goes as it is, which everybody can read in the raw
// message; all else becomes quoted-printable, which any server passes on.
func encodeBody(text string) (string, gomail.Encoding) {
	if !plainBody(text) {
		return strings.ToValidUTF8(text, "\uFFFD"), gomail.EncodingQP
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"), gomail.NoEncoding
}

func plainBody(text string) bool {
	start := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n':
			if i-start > maxPlainLine {
				return false
			}
			start = i + 1
		case c >= 0x7f || c < ' ' && c != '\t' && c != '\r':
			return false
		case c == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
			return false
		}
	}
	return len(text)-start <= maxPlainLine
}

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
