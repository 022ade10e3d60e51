package account

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// orderBy is the order that a report asks for; what it does not know is by name.
func orderBy(columns map[string]string, sort string) string {
	key, descending := strings.CutPrefix(sort, "-")
	column, known := columns[key]
	if !known {
		column = "lower(account_name)"
	}
	if descending {
		return column + " desc, id desc"
	}
	return column + ", id"
}

// addPage adds the limits of a page; perPage 0 is everything.
func addPage(args pgx.NamedArgs, page, perPage int) {
	args["limit"], args["offset"] = nil, 0
	if perPage > 0 {
		args["limit"], args["offset"] = perPage, perPage*max(page-1, 0)
	}
}

// like turns what was typed into a pattern that finds it anywhere; empty stays empty. What no text of a database can
// hold finds nothing.
func like(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(strings.TrimSpace(text), "\ufffd"), "\x00", "\ufffd")
	if text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
