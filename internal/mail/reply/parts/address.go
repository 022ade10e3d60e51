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
	if one, ok := usualAddress(value); ok {
		return []mail.Address{one}, true
	}
	if !utf8.ValidString(value) {
		value = DecodeCharset("", value)
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

// usualAddress reads one address as nearly all are written, "Ann Lee <ann@example.net>" or "ann@example.net", in the
// characters that need no thought (RFC 5322 3.4).
func usualAddress(value string) (mail.Address, bool) {
	name, address := "", value
	if open := strings.IndexByte(value, '<'); open >= 0 {
		var closed bool
		name = strings.TrimSuffix(value[:open], " ")
		if address, closed = strings.CutSuffix(value[open+1:], ">"); !closed || !usual(name, ' ') {
			return mail.Address{}, false
		}
	}
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || domain == "" || !usual(local, '.') || !usual(domain, '.') {
		return mail.Address{}, false
	}
	return mail.Address{Name: name, Address: address}, true
}

// usual reports whether text is letters, digits and dashes, in words with one divider between them.
func usual(text string, divider byte) bool {
	before := divider
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == divider && before != divider:
		default:
			return false
		}
		before = c
	}
	return before != divider || text == ""
}

// addressParser is strict about addresses and knows every character set in names.
var addressParser = mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charsetReader}}

func charsetReader(label string, r io.Reader) (io.Reader, error) {
	text, err := io.ReadAll(r)
	return strings.NewReader(DecodeCharset(label, string(text))), err
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
