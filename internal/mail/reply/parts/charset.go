package parts

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// DecodeCharset converts text to UTF-8. The label is only an opinion: text that is valid UTF-8 is taken as
// that unless the label names a 7-bit code, and bytes that contradict the label are read as windows-1252, which
// every byte string is.
func DecodeCharset(label string, text []byte) string {
	label = strings.ToLower(strings.Trim(strings.TrimSpace(label), `"'`))
	if wide := utf16In(label, text); wide != "" {
		return clean([]byte(wide))
	}
	shifted := isShifted(label) || bytes.Contains(text, []byte("\x1b$")) // ISO 2022 is ASCII to the eye
	if !shifted && utf8.Valid(text) {
		return clean(text)
	}
	if shifted && !isShifted(label) {
		label = "iso-2022-jp"
	}
	if decoded, ok := decodeAs(label, text); ok {
		return clean([]byte(decoded))
	}
	return clean([]byte(windows1252(text)))
}

// Plain reports whether text in UTF-8 or ASCII, and in no code that looks like it, is all there is.
func Plain(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 && bytes.IndexByte(text, 0x1b) < 0 && !bytes.Contains(text, []byte("~{"))
}

// decodeAs follows the label, unless that gives what no program would show.
func decodeAs(label string, text []byte) (string, bool) {
	switch label {
	case "", "us-ascii", "ascii", "iso-8859-1", "latin1", "unknown-8bit", "utf-16", "utf-16le", "utf-16be":
		return "", false // windows-1252 contains what these can mean here
	case "utf-8", "utf8":
		return strings.ToValidUTF8(string(text), "\ufffd"), mostlyUTF8(text)
	}
	r, err := charset.Reader(label, bytes.NewReader(text))
	if err != nil {
		return "", false
	}
	decoded, err := io.ReadAll(r)
	return string(decoded), err == nil
}

// mostlyUTF8 reports whether the text is UTF-8 with some damage, rather than something else altogether.
func mostlyUTF8(text []byte) bool {
	good, wrong := 0, 0
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1 && !utf8.FullRune(text): // cut inside the last character
			return true
		case r == utf8.RuneError && n == 1:
			wrong++
		case n > 1:
			good++
		}
		text = text[n:]
	}
	return good > wrong
}

// isShifted reports whether the label names a code that looks like ASCII but is not.
func isShifted(label string) bool {
	return strings.HasPrefix(label, "iso-2022-") || strings.HasPrefix(label, "hz-gb")
}

// utf16In decodes UTF-16, which shows itself by its byte order mark or by zero bytes, whatever the label says.
func utf16In(label string, text []byte) string {
	var order unicode.Endianness
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		order = unicode.LittleEndian
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		order = unicode.BigEndian
	case len(text) < 4 || bytes.Count(text[:min(len(text), 512)], []byte{0})*4 < min(len(text), 512):
		return ""
	case text[0] == 0 && label != "utf-16le":
		order = unicode.BigEndian
	default:
		order = unicode.LittleEndian
	}
	decoded, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(text)
	if err != nil {
		return ""
	}
	return string(decoded)
}

func windows1252(text []byte) string {
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(text)
	if err != nil {
		return strings.ToValidUTF8(string(text), "\ufffd")
	}
	return string(decoded)
}

// clean makes line ends "\n" and drops what no text has: zero bytes and the byte order mark.
func clean(text []byte) string {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.IndexByte(text, 0) >= 0 {
		return strings.ReplaceAll(lineEnds(text), "\x00", "")
	}
	return lineEnds(text)
}

// lineEnds makes "\n" of "\r\n", of "\r\r\n", which some gateways make of that, and of "\r".
func lineEnds(text []byte) string {
	at := bytes.IndexByte(text, '\r')
	if at < 0 {
		return string(text)
	}
	var out strings.Builder
	out.Grow(len(text))
	for ; at >= 0; at = bytes.IndexByte(text, '\r') {
		out.Write(text[:at])
		out.WriteByte('\n')
		if text = text[at+1:]; len(text) > 1 && text[0] == '\r' && text[1] == '\n' {
			text = text[1:]
		}
		if len(text) > 0 && text[0] == '\n' {
			text = text[1:]
		}
	}
	out.Write(text)
	return out.String()
}
