package parts

import (
	"mime"
	"strings"
)

// newPart reads what a part's header says about it.
func newPart(h Header, parent *multipart) *Part {
	p := &Part{Header: h}
	fallback := "text/plain"
	if parent != nil {
		p.Parent, p.Nth, p.Group = parent.kind, parent.children, parent.group
		if parent.kind == "multipart/digest" { // RFC 2046 5.1.5
			fallback = "message/rfc822"
		}
	}
	p.Type, p.Params = mediaType(h.Get("Content-Type"), fallback)
	var named map[string]string
	if value := h.Get("Content-Disposition"); value != "" {
		p.Disposition, named = mediaType(value, "")
	}
	p.Filename = baseName(DecodeWords(first(named["filename"], p.Params["name"])))
	return p
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// mediaType reads a value with parameters as far as it can be read.
func mediaType(value, fallback string) (string, map[string]string) {
	kind, params, err := mime.ParseMediaType(value)
	if err == nil && kind != "" {
		return known(kind, fallback), params
	}
	kind, rest, _ := strings.Cut(value, ";")
	return known(strings.ToLower(strings.TrimSpace(kind)), fallback), looseParams(rest)
}

// known replaces a media type without a slash, such as "text" of very old programs.
func known(kind, fallback string) string {
	if fallback == "" || strings.Contains(kind, "/") {
		return kind
	}
	return fallback
}

// looseParams reads name=value pairs that the strict reader refused: quotes missing or never closed, names twice,
// raw 8-bit text.
func looseParams(text string) map[string]string {
	params := map[string]string{}
	for text != "" {
		name, rest, found := strings.Cut(text, "=")
		if !found {
			break
		}
		var value string
		value, text = looseValue(strings.TrimLeft(rest, " \t"))
		name = strings.ToLower(strings.Trim(name, " \t;,"))
		if _, again := params[name]; name != "" && !again {
			params[name] = value
		}
	}
	return params
}

func looseValue(text string) (value, rest string) {
	if quoted, found := strings.CutPrefix(text, `"`); found {
		if value, rest, found := strings.Cut(quoted, `"`); found {
			return value, rest
		}
		text = quoted
	}
	value, rest, _ = strings.Cut(text, ";")
	return strings.TrimSpace(value), rest
}

// baseName keeps the last element of a file name: folders in it are nobody's business, and control characters
// could pretend another ending.
func baseName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, name)
	if name == "." || name == ".." {
		return ""
	}
	return name
}
