package web

import (
	"encoding/csv"
	"net/http"
	"strings"
	"unicode/utf8"
)

// byteOrderMark tells spreadsheets that the file is UTF-8.
const byteOrderMark = "\ufeff"

// wantsCSV reports whether a report is asked for as a file: every row that matches, not only one page.
func wantsCSV(r *http.Request) bool { return r.URL.Query().Get("format") == "csv" }

// csv answers with a file of rows. name has no extension.
func (s *Server) csv(w http.ResponseWriter, name string, columns []string, rows [][]string) error {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+"-"+s.Clock().UTC().Format("2006-01-02")+`.csv"`)
	out := csv.NewWriter(w)
	out.UseCRLF = true                    // RFC 4180
	_, _ = w.Write([]byte(byteOrderMark)) // a browser that went away is told nothing
	_ = out.Write(harmless(columns))
	for _, row := range rows {
		_ = out.Write(harmless(row))
	}
	out.Flush()
	return nil
}

// harmless keeps spreadsheets from taking a value for a formula: an account named =HYPERLINK(...) must stay a name.
func harmless(row []string) []string {
	safe := make([]string, len(row))
	for i, cell := range row {
		safe[i] = cell
		if strings.ContainsAny(firstLetter(cell), formulaSigns) {
			safe[i] = "'" + cell
		}
	}
	return safe
}

// formulaSigns begin a formula, the full-width ones in spreadsheets with East Asian settings.
const formulaSigns = "=+-@\t\r\n＝＋－＠"

func firstLetter(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	return text[:size]
}

// yesNo is a Yes/No value in a file.
func yesNo(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}
