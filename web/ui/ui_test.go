package ui

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
)

// html is what a part shows.
func html(t *testing.T, part templ.Component) string {
	t.Helper()
	var out strings.Builder
	if err := part.Render(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestLinksOfAReportKeepItsFilters(t *testing.T) {
	v := ReportView{
		Path: "/r", Query: url.Values{"name": {"a b"}, "active": {""}, "sort": {"-name"}, "page": {"3"}},
		Sort: "-name", Page: 3, PerPage: 10, Total: 95, Filters: []Field{{Name: "name"}, {Name: "active"}},
	}
	cases := map[templ.SafeURL]templ.SafeURL{
		v.sortLink(Column{Key: "name"}):   "/r?name=a+b&sort=name",
		v.sortLink(Column{Key: "sender"}): "/r?name=a+b&sort=sender",
		v.pageLink(4):                     "/r?name=a+b&page=4&sort=-name",
		v.with(v.filterNames()...):        "/r?sort=-name",
		(ReportView{Path: "/r"}).with():   "/r",
	}
	for got, want := range cases {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := v.shown(); got != "21 to 30 of 95 rows" {
		t.Errorf("shown %q", got)
	}
	if !v.filtered() || (ReportView{Filters: v.Filters}).filtered() {
		t.Error("filtered is wrong")
	}
	if v.direction(Column{Key: "name"}) != "descending" || v.direction(Column{Key: "sender"}) != "none" {
		t.Error("the direction of a column is wrong")
	}
}

func TestPageNumbersLeaveGaps(t *testing.T) {
	cases := map[[2]int][]int{
		{1, 1}: {1}, {1, 2}: {1, 2}, {1, 9}: {1, 2, 0, 9}, {5, 9}: {1, 0, 4, 5, 6, 0, 9}, {9, 9}: {1, 0, 8, 9},
	}
	for at, want := range cases {
		v := ReportView{Page: at[0], PerPage: 10, Total: at[1] * 10}
		if got := v.pageNumbers(); !reflect.DeepEqual(got, want) {
			t.Errorf("page %d of %d: %v, want %v", at[0], at[1], got, want)
		}
	}
}

func TestAFormShowsWhatWasTypedAndWhatWasWrong(t *testing.T) {
	f := &FormView{
		Action: "/save", Submit: "Send", Version: 3, Typed: map[string]string{"port": "abc", "secret": "never"},
		Problems: problem.Invalid{{Name: "port", Text: "Port must be a number."}, {Name: "elsewhere", Text: "Something else."}},
	}
	fields := templ.Join(
		NumberField(f, Field{Name: "port", Label: "Port", Value: "587", Help: "Usually 587."}),
		SecretField(f, Field{Name: "secret", Label: "Secret", Value: "never", Stored: true}),
	)
	page := Form(f)
	var out strings.Builder
	if err := page.Render(templ.WithChildren(t.Context(), fields), &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, part := range []string{
		`value="abc"`, `name="version" value="3"`, `<a href="#field-port">Port</a>`, "2 things need your attention",
		`aria-describedby="field-port-problem field-port-help"`, `aria-invalid="true"`, "Something else.", "Stored, enter to replace",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the form lacks %s", part)
		}
	}
	if strings.Contains(text, "never") {
		t.Error("the form shows a secret")
	}
	if strings.Index(text, "Something else.") > strings.Index(text, "#field-port") {
		t.Error("what belongs to no field on the page must stand first")
	}
}

func TestNothingFromOutsideBecomesMarkup(t *testing.T) {
	const hostile = `"><script>alert(1)</script>`
	f := &FormView{Typed: map[string]string{"a": hostile}}
	parts := []templ.Component{
		TextField(f, Field{Name: "a", Label: hostile, Help: hostile, Problem: hostile}), TextArea(f, Field{Name: "a"}),
		SelectField(f, Field{Name: "b", Options: []Option{{Value: hostile, Label: hostile}}}),
		Message(Bad, hostile, &Link{Label: hostile, Href: "javascript:alert(1)"}), CopyButton(hostile, hostile), Code(hostile),
		StepLadder(LadderView{Steps: []ladder.Step{{Title: hostile, Result: hostile, Done: true, Transcript: []ladder.Line{{Text: hostile}},
			Fault: &ladder.Fault{Cause: hostile, Remedy: hostile, Reply: hostile}}}}),
		Report(ReportView{Title: hostile, Total: 1, Columns: []Column{{Label: hostile}}, Rows: []Row{{Name: hostile, Cells: []templ.Component{TextCell(hostile)}}}}),
	}
	for i, part := range parts {
		if text := html(t, part); strings.Contains(text, "<script") || strings.Contains(text, `href="javascript:`) {
			t.Errorf("part %d lets markup through: %s", i, text)
		}
	}
}

func TestARemedySeparatesCommandsFromSentences(t *testing.T) {
	got := paragraphs("Check the name:\ngetent ahosts mail.example.com\n\nThen test again.\n")
	want := []paragraph{{"Check the name:", false}, {"getent ahosts mail.example.com", true}, {"Then test again.", false}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestNumbersAreWrittenForReading(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Number(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	if got := Count(1, "account", "accounts") + ", " + Count(12000, "account", "accounts"); got != "1 account, 12,000 accounts" {
		t.Errorf("got %q", got)
	}
	for d, want := range map[time.Duration]string{300 * time.Microsecond: "<1 ms", 43 * time.Millisecond: "43 ms", 1340 * time.Millisecond: "1.3 s", 95 * time.Second: "1m35s"} {
		if got := Took(d); got != want {
			t.Errorf("%s: %q", d, got)
		}
	}
	for name, want := range map[string]string{"Ana Souza": "AS", "ana": "A", "": "?", "Ana Maria de Souza": "AS", "Éva": "É"} {
		if got := initials(name); got != want {
			t.Errorf("initials of %q: %q", name, got)
		}
	}
}
