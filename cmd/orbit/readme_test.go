package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"orbit/internal/config"
)

var update = flag.Bool("update", false, "write the table of the README again")

// The README's table of variables is made from the same list as `orbit serve --help`.
func TestTheREADMEListsEveryVariable(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../../README.md", "<!-- environment -->\n", "<!-- /environment -->"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("the README has lost the marks around its table of variables")
	}
	table := &strings.Builder{}
	table.WriteString("\n| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range config.Help() {
		fmt.Fprintf(table, "| `%s` | %s | %s |\n", v.Name, v.Default, v.Text)
	}
	want := before + begin + table.String() + "\n" + end + after
	if want == string(raw) {
		return
	}
	if !*update {
		t.Fatal("the table is not fresh; run: go test ./cmd/orbit -run README -update")
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
