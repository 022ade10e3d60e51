package web

import "strings"

// Some lists are short and come whole from their service: credentials, connectors. They are ordered, filtered and cut
// into pages here.

// orders says how rows are compared, by the key of a column.
type orders[R any] map[string]func(a, b R) int

// by is the comparison that a listing asks for; usual when it asks for a column that there is not.
func (o orders[R]) by(sort, usual string) func(a, b R) int {
	key, descending := strings.CutPrefix(sort, "-")
	compare, known := o[key]
	switch {
	case !known:
		return o[usual]
	case descending:
		return func(a, b R) int { return compare(b, a) }
	}
	return compare
}

// pageOf returns the rows of the page that l asks for; past the end, those of the last one.
func pageOf[R any](l *listing, rows []R, perPage int) []R {
	last := max(1, (len(rows)+perPage-1)/perPage)
	l.Page = min(l.Page, last)
	return rows[(l.Page-1)*perPage : min(l.Page*perPage, len(rows))]
}

// holds reports whether part stands in text, in any case.
func holds(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSpace(part)))
}

// compareText orders words as people read them: capitals do not count.
func compareText(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
