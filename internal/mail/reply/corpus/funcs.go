package corpus

import (
	"bytes"
	"encoding/base64"
	"html"
	"mime"
	"mime/quotedprintable"
	"strings"
	"text/template"

	"golang.org/x/text/encoding/charmap"
)

// funcs are what templates use to write as mail programs do.
func funcs(t *template.Template) template.FuncMap {
	return template.FuncMap{
		"render": func(name string, data any) (string, error) {
			var out bytes.Buffer
			err := t.ExecuteTemplate(&out, name, data)
			return strings.Trim(out.String(), "\n"), err
		},
		"qp": quotedPrintable, "base64": base64Lines, "latin1": latin1,
		"word": func(s string) string { return mime.QEncoding.Encode("utf-8", s) }, "bword": func(s string) string { return mime.BEncoding.Encode("UTF-8", s) },
		"html": html.EscapeString, "lines": func(s string) []string { return strings.Split(s, "\n") },
		"quote": func(lines []string) string { return "> " + strings.Join(lines, "\n> ") }, "join": func(lines []string) string { return strings.Join(lines, "\n") },
		"wrap": wrap, "upper": strings.ToUpper, "printf2": func(format, arg string) string { return strings.ReplaceAll(format, "%s", arg) },
	}
}

func quotedPrintable(s string) (string, error) {
	var out bytes.Buffer
	w := quotedprintable.NewWriter(&out)
	if _, err := w.Write([]byte(s)); err != nil {
		return "", err
	}
	err := w.Close()
	return strings.ReplaceAll(out.String(), "\r\n", "\n"), err
}

func base64Lines(s string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(s))
	var out strings.Builder
	for len(encoded) > 76 {
		out.WriteString(encoded[:76] + "\n")
		encoded = encoded[76:]
	}
	return out.String() + encoded
}

// latin1 encodes as windows-1252, which is what programs mean by iso-8859-1.
func latin1(s string) (string, error) { return charmap.Windows1252.NewEncoder().String(s) }

// wrap breaks a line at spaces, as programs do that keep to 72 columns.
func wrap(width int, s string) string {
	var out strings.Builder
	column := 0
	for i, word := range strings.Split(s, " ") {
		n := len([]rune(word))
		switch {
		case i == 0:
		case column+1+n > width:
			out.WriteByte('\n')
			column = 0
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += n
	}
	return out.String()
}
