package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// printTable prints a line of headings and one line a row.
func printTable(out io.Writer, headings string, rows int, row func(int) []any) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, headings)
	for i := range rows {
		cells := row(i)
		texts := make([]string, len(cells))
		for n, cell := range cells {
			texts[n] = fmt.Sprint(cell)
		}
		fmt.Fprintln(table, strings.Join(texts, "\t"))
	}
	return table.Flush()
}

// counted writes "1 mailbox" or "2 mailboxes".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
