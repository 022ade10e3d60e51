package parts

import (
	"bytes"
	"strings"
)

// DecodeWords decodes a header value for people: encoded words (RFC 2047), also those that split a character
// between two words, and raw 8-bit text. What is no correct encoded word stays as it is.
func DecodeWords(value string) string {
	if !strings.Contains(value, "=?") {
		return DecodeCharset("", value)
	}
	var d wordDecoder
	for value != "" {
		start := strings.Index(value, "=?")
		if start < 0 {
			break
		}
		word, rest, ok := cutWord(value[start:])
		if !ok {
			d.text(value[:start+2])
			value = value[start+2:]
			continue
		}
		if d.charset == "" || strings.TrimSpace(value[:start]) != "" {
			d.text(value[:start]) // space between two encoded words is no content
		}
		d.word(word)
		value = rest
	}
	d.text(value)
	return d.out.String()
}

type word struct {
	charset string
	bytes   []byte
}

// cutWord reads the encoded word at the start of value.
func cutWord(value string) (w word, rest string, ok bool) {
	label, after, found := strings.Cut(value[2:], "?")
	if !found || label == "" || strings.ContainsAny(label, " \t=") || len(after) < 2 || after[1] != '?' {
		return w, "", false
	}
	end := strings.Index(after[2:], "?=")
	if end < 0 {
		return w, "", false
	}
	text, rest := after[2:2+end], after[2+end+2:]
	var out bytes.Buffer
	var d decoder
	switch after[0] {
	case 'b', 'B':
		d = &base64Decoder{to: &out}
	case 'q', 'Q':
		text = strings.ReplaceAll(text, "_", " ")
		d = &quotedDecoder{to: &out}
	default:
		return w, "", false
	}
	d.Write([]byte(text))
	d.Close()
	label, _, _ = strings.Cut(label, "*") // RFC 2231 5: a language may follow
	return word{charset: strings.ToLower(label), bytes: out.Bytes()}, rest, true
}

// wordDecoder joins the bytes of neighbouring words of one character set before it decodes them.
type wordDecoder struct {
	out     strings.Builder
	charset string // of the pending bytes; "" when the last piece was plain text
	pending []byte
}

func (d *wordDecoder) word(w word) {
	if w.charset != d.charset {
		d.flush()
		d.charset = w.charset
	}
	d.pending = append(d.pending, w.bytes...)
}

func (d *wordDecoder) text(s string) {
	d.flush()
	d.charset = ""
	d.out.WriteString(DecodeCharset("", s))
}

func (d *wordDecoder) flush() {
	if len(d.pending) > 0 {
		d.out.WriteString(strings.ReplaceAll(DecodeCharset(d.charset, string(d.pending)), "\n", " "))
		d.pending = d.pending[:0]
	}
}
