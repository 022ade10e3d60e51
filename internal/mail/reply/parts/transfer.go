package parts

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
)

// decoder takes an encoded body in pieces and passes it on decoded. It never fails: what can't be decoded is
// skipped or passed as it is, as mail programs do.
type decoder interface {
	Write(piece []byte)
	Close()
}

func newDecoder(encoding string, to io.Writer) decoder {
	encoding, _, _ = strings.Cut(encoding, ";")
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return &base64Decoder{to: to}
	case "quoted-printable":
		return &quotedDecoder{to: to}
	}
	return plainDecoder{to}
}

// counter counts what it passes on.
type counter struct {
	to io.Writer
	n  *int64
}

func (c *counter) Write(p []byte) (int, error) {
	*c.n += int64(len(p))
	if c.to != nil {
		_, _ = c.to.Write(p)
	}
	return len(p), nil
}

type plainDecoder struct{ to io.Writer }

func (d plainDecoder) Write(p []byte) {
	if len(p) > 0 {
		_, _ = d.to.Write(p)
	}
}

func (plainDecoder) Close() {}

// base64Decoder skips every character outside the alphabet and starts anew after padding.
type base64Decoder struct {
	to   io.Writer
	bits uint32
	n    int // characters in bits
	out  []byte
}

func (d *base64Decoder) Write(p []byte) {
	if d.n == 0 && (len(p)%4 == 0 || bytes.IndexByte(p, '\n') >= 0) && d.whole(p) {
		return
	}
	d.out = d.out[:0]
	for _, c := range p {
		v := base64Values[c]
		if v == padding {
			d.flush()
		}
		if v > 63 {
			continue
		}
		d.bits = d.bits<<6 | uint32(v)
		if d.n++; d.n == 4 {
			d.out = append(d.out, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
			d.bits, d.n = 0, 0
		}
	}
	_, _ = d.to.Write(d.out)
}

// whole decodes correct lines at the library's speed.
func (d *base64Decoder) whole(p []byte) bool {
	if cap(d.out) < len(p) {
		d.out = make([]byte, len(p))
	}
	n, err := base64.StdEncoding.Decode(d.out[:cap(d.out)], p)
	if err != nil {
		return false
	}
	_, _ = d.to.Write(d.out[:n])
	return true
}

// flush gives out the bytes of an incomplete group.
func (d *base64Decoder) flush() {
	switch d.n {
	case 2:
		d.out = append(d.out, byte(d.bits>>4))
	case 3:
		d.out = append(d.out, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.n = 0, 0
}

func (d *base64Decoder) Close() {
	d.out = d.out[:0]
	d.flush()
	_, _ = d.to.Write(d.out)
}

const padding = 64

// base64Values maps a character to its value, to padding, or to 255. The URL alphabet is taken too.
var base64Values = func() (values [256]byte) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range values {
		values[i] = 255
	}
	for i := range len(alphabet) {
		values[alphabet[i]] = byte(i)
	}
	values['-'], values['_'], values['='] = 62, 63, padding
	return values
}()

// quotedDecoder decodes quoted-printable. An equals sign that starts no code is passed as it is.
type quotedDecoder struct {
	to   io.Writer
	held []byte // an unfinished code at the end of the last piece
	out  []byte
}

func (d *quotedDecoder) Write(p []byte) {
	if len(d.held) > 0 {
		p = append(d.held, p...)
	}
	d.out = d.out[:0]
	i := 0
	for i < len(p) {
		if n := bytes.IndexByte(p[i:], '='); n != 0 {
			if n < 0 {
				n = len(p) - i
			}
			d.out = append(d.out, p[i:i+n]...)
			i += n
			continue
		}
		used, complete := d.code(p[i:])
		if !complete {
			break
		}
		i += used
	}
	_, _ = d.to.Write(d.out)
	d.held = append([]byte(nil), p[i:]...)
}

// maxSoftBreak bounds the spaces looked through between "=" and the line end.
const maxSoftBreak = 32

// code decodes what stands at an equals sign, and reports how many bytes it took, or that more are needed.
func (d *quotedDecoder) code(p []byte) (used int, complete bool) {
	if len(p) >= 3 {
		hi, lo := hexValue(p[1]), hexValue(p[2])
		if hi < 16 && lo < 16 {
			d.out = append(d.out, hi<<4|lo)
			return 3, true
		}
	}
	i := 1
	for i < len(p) && i < maxSoftBreak && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r') {
		i++
	}
	switch {
	case i < len(p) && p[i] == '\n': // a soft line break
		return i + 1, true
	case i == len(p) || i == 1 && len(p) == 2 && hexValue(p[1]) < 16:
		return 0, false
	}
	d.out = append(d.out, '=')
	return 1, true
}

// Close gives out an unfinished code as it is; an equals sign at the very end is a soft line break.
func (d *quotedDecoder) Close() {
	if len(d.held) > 1 {
		_, _ = d.to.Write(d.held)
	}
	d.held = nil
}

func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}
