package ui

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// ReportView is a list as every list of Orbit looks: what it is for, filters, a table with a menu in each row,
// and what to do when it is empty.
type ReportView struct {
	Title    string
	About    string // one sentence on what it is for
	Path     string // where the list lives; filters, order and page are its query
	Query    url.Values
	Filters  []Field // the row of filters
	More     []Field // those behind "More"
	Columns  []Column
	Naming   int // index of the column that names the row, and is read first by screen readers
	Rows     []Row
	Sort     string // key of the column; "-name" descends
	Page     int    // from 1
	PerPage  int
	Total    int             // rows on all pages
	Older    string          // where a list goes on that is too long to count; its pages have no numbers
	Note     templ.Component // between the title and the table; nil mostly
	New      *Link           // nil when there is nothing to create, or the role may not
	Bulk     templ.Component // buttons of the form "bulk", which posts the rows that are picked; nil mostly
	Beside   templ.Component // left of New: a button for what is done most; nil mostly
	CanCSV   bool            // Export CSV: the same address with format=csv
	Empty    EmptyView
	Actions  []MenuItem // more entries of the report's menu
	RowsNoun string     // "accounts"; "rows" when empty
}

// Column is one column.
type Column struct {
	Key   string // name in sort=; empty: cannot be sorted
	Label string
	Right bool // numbers
	Wide  bool // may wrap; other columns keep to one line
}

// Row is one row. Cells belong to the columns in order.
type Row struct {
	ID    string // of the element, so that a part of the page can be replaced
	Name  string // what the row's menu is for: "Office365"
	Pick  string // what the form "bulk" posts as id when the row is picked; empty: it cannot be
	Muted bool   // disabled records
	Cells []templ.Component
	Menu  []MenuItem
}

// MenuItem is an entry of a menu of three dots.
type MenuItem struct {
	Label    string
	Icon     string
	Href     string
	Post     bool   // it acts at once and posts; without it, it is a link
	Window   bool   // opens in a window over the page; a page of its own without JavaScript
	Danger   bool   // destroys something
	Disabled string // why it cannot be done now
	Divider  bool   // a line above
	Print    bool   // prints the page
}

// EmptyView says what this is, why one wants it, and how to begin.
type EmptyView struct {
	Icon  string
	Title string
	Text  string
	New   *Link
}

// filtered reports whether the query narrows the list.
func (v ReportView) filtered() bool {
	for _, set := range [][]Field{v.Filters, v.More} {
		for _, f := range set {
			if v.Query.Get(f.Name) != "" {
				return true
			}
		}
	}
	return false
}

// moreInUse reports whether a filter behind "More" narrows the list; then it stays open.
func (v ReportView) moreInUse() bool {
	for _, f := range v.More {
		if v.Query.Get(f.Name) != "" {
			return true
		}
	}
	return false
}

// with returns the address of the list with some of its query changed; an empty value removes the name.
func (v ReportView) with(pairs ...string) templ.SafeURL {
	query := url.Values{}
	for name, values := range v.Query {
		if len(values) > 0 && values[0] != "" {
			query.Set(name, values[0])
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
	if len(query) == 0 {
		return templ.SafeURL(v.Path)
	}
	return templ.SafeURL(v.Path + "?" + query.Encode())
}

// sortLink turns the order of a column around, or sorts by it.
func (v ReportView) sortLink(c Column) templ.SafeURL {
	if v.Sort == c.Key {
		return v.with("sort", "-"+c.Key, "page", "")
	}
	return v.with("sort", c.Key, "page", "")
}

// direction is the value of aria-sort for a column.
func (v ReportView) direction(c Column) string {
	switch v.Sort {
	case c.Key:
		return "ascending"
	case "-" + c.Key:
		return "descending"
	}
	return "none"
}

func (v ReportView) noun() string {
	if v.RowsNoun == "" {
		return "rows"
	}
	return v.RowsNoun
}

// filterNames lists the filters with empty values, for with.
func (v ReportView) filterNames() []string {
	pairs := []string{"page", ""}
	for _, set := range [][]Field{v.Filters, v.More} {
		for _, f := range set {
			pairs = append(pairs, f.Name, "")
		}
	}
	return pairs
}

func (v ReportView) hasMenus() bool {
	for _, row := range v.Rows {
		if len(row.Menu) > 0 {
			return true
		}
	}
	return false
}

// menu is the menu beside New.
func (v ReportView) menu() []MenuItem {
	if v.Total == 0 {
		return v.Actions
	}
	items := append([]MenuItem(nil), v.Actions...)
	items = append(items, MenuItem{Label: "Print", Icon: "printer", Print: true, Divider: len(items) > 0})
	if v.CanCSV {
		items = append(items, MenuItem{Label: "Export CSV", Icon: "file-export", Href: string(v.with("format", "csv", "page", ""))})
	}
	return items
}

func (v ReportView) sortIcon(c Column) string {
	switch v.Sort {
	case c.Key:
		return "arrow-up"
	case "-" + c.Key:
		return "arrow-down"
	}
	return "arrows-sort"
}

func (v ReportView) pages() int {
	if v.PerPage < 1 {
		return 1
	}
	return max(1, (v.Total+v.PerPage-1)/v.PerPage)
}

// shown says which rows of how many are on the page: "1 to 30 of 412 accounts".
func (v ReportView) shown() string {
	if v.Older != "" {
		return Count(len(v.Rows), one(v.noun()), v.noun())
	}
	if v.pages() == 1 {
		return Count(v.Total, one(v.noun()), v.noun())
	}
	first := (v.Page-1)*v.PerPage + 1
	last := min(v.Total, v.Page*v.PerPage)
	return Number(first) + " to " + Number(last) + " of " + Number(v.Total) + " " + v.noun()
}

// one is the singular of such a noun: "entry", "account".
func one(nouns string) string {
	if stem, found := strings.CutSuffix(nouns, "ies"); found {
		return stem + "y"
	}
	return strings.TrimSuffix(nouns, "s")
}

// pageNumbers lists the pages to link to: the first, the last and those around the present one; 0 is a gap.
func (v ReportView) pageNumbers() []int {
	var numbers []int
	last := 0
	for n := 1; n <= v.pages(); n++ {
		if n != 1 && n != v.pages() && (n < v.Page-1 || n > v.Page+1) {
			continue
		}
		if n > last+1 {
			numbers = append(numbers, 0)
		}
		numbers = append(numbers, n)
		last = n
	}
	return numbers
}

func (v ReportView) pageLink(n int) templ.SafeURL { return v.with("page", strconv.Itoa(n)) }
