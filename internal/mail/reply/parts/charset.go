package parts

import (
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
func DecodeCharset(label, text string) string {
	label = strings.ToLower(strings.Trim(strings.TrimSpace(label), `"'`))
	if wide := utf16In(label, text); wide != "" {
		return clean(wide)
	}
	shifted := isShifted(label) || strings.Contains(text, "\x1b$") // ISO 2022 is ASCII to the eye
	if !shifted && utf8.ValidString(text) {
		return clean(text)
	}
	if shifted && !isShifted(label) {
		label = "iso-2022-jp"
	}
	if decoded, ok := decodeAs(label, text); ok {
		return clean(decoded)
	}
	return clean(windows1252(text))
}

// Plain reports whether text in UTF-8 or ASCII, and in no code that looks like it, is all there is.
func Plain(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 && strings.IndexByte(text, 0x1b) < 0 && !strings.Contains(text, "~{")
}

// decodeAs follows the label, unless that gives what no program would show.
func decodeAs(label, text string) (string, bool) {
	switch label {
	case "", "us-ascii", "ascii", "iso-8859-1", "latin1", "unknown-8bit", "utf-16", "utf-16le", "utf-16be":
		return "", false // windows-1252 contains what these can mean here
	case "utf-8", "utf8":
		return strings.ToValidUTF8(text, "\ufffd"), mostlyUTF8(text)
	}
	if page, known := dosPages[strings.NewReplacer("-", "", "_", "").Replace(label)]; known {
		decoded, err := page.NewDecoder().String(text)
		return decoded, err == nil
	}
	r, err := charset.Reader(label, strings.NewReader(text))
	if err != nil {
		return "", false
	}
	decoded, err := io.ReadAll(r)
	return string(decoded), err == nil
}

// dosPages are the codes of old programs that browsers do not know, without dashes.
var dosPages = map[string]*charmap.Charmap{
	"cp437": charmap.CodePage437, "ibm437": charmap.CodePage437, "cp850": charmap.CodePage850, "ibm850": charmap.CodePage850,
	"cp852": charmap.CodePage852, "ibm852": charmap.CodePage852, "cp858": charmap.CodePage858, "ibm00858": charmap.CodePage858,
	"cp860": charmap.CodePage860, "ibm860": charmap.CodePage860, "cp863": charmap.CodePage863, "ibm863": charmap.CodePage863,
	"cp865": charmap.CodePage865, "ibm865": charmap.CodePage865,
}

// mostlyUTF8 reports whether the text is UTF-8 with some damage, rather than something else altogether.
func mostlyUTF8(text string) bool {
	good, wrong := 0, 0
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1 && !utf8.FullRuneInString(text): // cut inside the last character
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
func utf16In(label, text string) string {
	var order unicode.Endianness
	switch {
	case strings.HasPrefix(text, "\xff\xfe"):
		order = unicode.LittleEndian
	case strings.HasPrefix(text, "\xfe\xff"):
		order = unicode.BigEndian
	case len(text) < 4 || strings.Count(text[:min(len(text), 512)], "\x00")*4 < min(len(text), 512):
		return ""
	case text[0] == 0 && label != "utf-16le":
		order = unicode.BigEndian
	default:
		order = unicode.LittleEndian
	}
	decoded, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().String(text)
	if err != nil {
		return ""
	}
	return decoded
}

func windows1252(text string) string {
	decoded, err := charmap.Windows1252.NewDecoder().String(text)
	if err != nil {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	return decoded
}

// clean makes line ends "\n" and drops what no text has: zero bytes and the byte order mark.
func clean(text string) string {
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.IndexByte(text, 0) >= 0 {
		return strings.ReplaceAll(lineEnds(text), "\x00", "")
	}
	return lineEnds(text)
}

// lineEnds makes "\n" of "\r\n", of "\r\r\n", which some gateways make of that, and of "\r".
func lineEnds(text string) string {
	at := strings.IndexByte(text, '\r')
	if at < 0 {
		return text
	}
	var out strings.Builder
	out.Grow(len(text))
	for ; at >= 0; at = strings.IndexByte(text, '\r') {
		out.WriteString(text[:at])
		out.WriteByte('\n')
		if text = text[at+1:]; len(text) > 1 && text[0] == '\r' && text[1] == '\n' {
			text = text[1:]
		}
		if len(text) > 0 && text[0] == '\n' {
			text = text[1:]
		}
	}
	out.WriteString(text)
	return out.String()
}
