package parts

import (
	"io"
	"mime"
	"net/mail"
	"strings"
	"unicode/utf8"
)

// Addresses reads an address list. Exact says that it followed RFC 5322, so that no two programs see different
// addresses in it; otherwise the addresses are a best guess, good to show but not to trust.
func Addresses(value string) (list []mail.Address, exact bool) {
	if strings.TrimSpace(value) == "" {
		return nil, false
	}
	if !utf8.ValidString(value) {
		value = DecodeCharset("", []byte(value))
	}
	if parsed, err := addressParser.ParseList(value); err == nil {
		for _, a := range parsed {
			list = append(list, *a)
		}
		return list, true
	}
	for _, one := range splitList(value) {
		if a := looseAddress(one); a.Address != "" || a.Name != "" {
			list = append(list, a)
		}
	}
	return list, false
}

// addressParser is strict about addresses and knows every character set in names.
var addressParser = mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charsetReader}}

func charsetReader(label string, r io.Reader) (io.Reader, error) {
	text, err := io.ReadAll(r)
	return strings.NewReader(DecodeCharset(label, text)), err
}

// splitList splits at commas outside quotes and angle brackets.
func splitList(value string) (list []string) {
	start, quoted, angle := 0, false, false
	for i := range len(value) {
		switch c := value[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case (c == ',' || c == ';') && !angle:
			list, start = append(list, value[start:i]), i+1
		}
	}
	return append(list, value[start:])
}

func looseAddress(text string) mail.Address {
	text = strings.TrimSpace(text)
	open, end := strings.LastIndexByte(text, '<'), strings.LastIndexByte(text, '>')
	if open >= 0 && end > open {
		name := strings.Trim(strings.TrimSpace(text[:open]), `"'`)
		return mail.Address{Name: DecodeWords(name), Address: strings.TrimSpace(text[open+1 : end])}
	}
	text, _, _ = strings.Cut(text, " (") // a comment
	bare := strings.Trim(text, "<>\"' \t")
	if !strings.ContainsAny(bare, " \t") { // without domain: "MAILER-DAEMON"
		return mail.Address{Address: bare}
	}
	return mail.Address{Name: DecodeWords(bare)}
}
