package proxy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/known-proxy.md from the table in known_table_test.go")

const knownDoc = "../../../docs/known-proxy.md"

// known is one thing that the known proxy does, and the tests that hold what Orbit does instead. A test is
// "TestName" of this package or "folder TestName", perhaps with "/row" of its table.
type known struct {
	subject, theirs, ours string
	tests                 []string
}

// Every row names tests that exist, and the document says what the table says.
func TestKnownProxyIsAnsweredRowByRow(t *testing.T) {
	t.Parallel()
	found := make(map[string]string) // test files of a folder, in one
	for _, chapter := range knownChapters {
		for _, row := range chapter.rows {
			if len(row.tests) == 0 || row.ours == "" {
				t.Errorf("%s: nothing shows what Orbit does", row.subject)
			}
			for _, name := range row.tests {
				if err := testExists(found, name); err != nil {
					t.Errorf("%s: %v", row.subject, err)
				}
			}
		}
	}
	want := knownDocument()
	if *update {
		if err := os.WriteFile(knownDoc, []byte(want), 0o644); err != nil { //nolint:gosec // a document for everybody
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(knownDoc); err != nil || string(got) != want {
		t.Errorf("%s does not say what the table says (%v); run: go test ./internal/mail/proxy -run KnownProxy -update", knownDoc, err)
	}
}

// testExists looks for the test, and for the row's name in quotes beside it.
func testExists(found map[string]string, name string) error {
	folder, test, other := strings.Cut(name, " Test")
	if !other {
		folder, test = "internal/mail/proxy", strings.TrimPrefix(name, "Test")
	}
	test, row, hasRow := strings.Cut(test, "/")
	if found[folder] == "" {
		files, err := filepath.Glob(filepath.Join("../../..", folder, "*_test.go"))
		if err != nil {
			return err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			found[folder] += string(text)
		}
	}
	body := regexp.MustCompile(`(?ms)^func Test` + regexp.QuoteMeta(test) + `\(.*?^}$`).FindString(found[folder])
	switch {
	case body == "":
		return fmt.Errorf("there is no test %s in %s", "Test"+test, folder)
	case hasRow && !strings.Contains(body, `"`+row+`"`):
		return fmt.Errorf("Test%s in %s has no row %q", test, folder, row)
	}
	return nil
}

func knownDocument() string {
	var b strings.Builder
	b.WriteString("# What the known proxy does, and what Orbit does instead\n\n" +
		"Whoever moves from email-oauth2-proxy to Orbit finds here what behaves differently, and which test holds it. Tests without a\n" +
		"folder are in `internal/mail/proxy`. The table is in `known_table_test.go` there; this file is written from it by\n" +
		"`go test ./internal/mail/proxy -run KnownProxy -update`.\n")
	for _, c := range knownChapters {
		fmt.Fprintf(&b, "\n## %s\n\n| | email-oauth2-proxy | Orbit | shown by |\n|---|---|---|---|\n", c.title)
		for _, row := range c.rows {
			tests := make([]string, len(row.tests))
			for i, name := range row.tests {
				tests[i] = "`" + name + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.subject, row.theirs, row.ours, strings.Join(tests, ", "))
		}
	}
	return b.String()
}
