package text

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// What a mail looks like is decided by looking at it; that it stays so is decided here.
func TestApproversMail(t *testing.T) {
	t.Parallel()
	kind, _ := Find("access_request.created.approver")
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range Languages() {
		got := Render(Builtin(kind.Key, language), Sample(kind, noon), Reader{Language: language, Zone: lisbon})
		if len(got.Unknown) > 0 {
			t.Errorf("%s: unknown tags %v", language, got.Unknown)
		}
		golden(t, string(language)+".txt", "Subject: "+got.Subject+"\n\n"+got.Text)
		golden(t, string(language)+".html", got.HTML)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it and run: go test ./internal/notify/text -update\n%s", file, got)
	}
}

func TestBuiltinTextsAreWithoutFault(t *testing.T) {
	t.Parallel()
	for _, kind := range Types() {
		for _, language := range Languages() {
			words := Builtin(kind.Key, language)
			if found := Lint(kind, words); len(found) > 0 {
				t.Errorf("%s in %s: %v", kind.Key, language, found)
			}
			english := Used(Builtin(kind.Key, English))
			if got := Used(words); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(english))) {
				t.Errorf("%s in %s has the tags %v, in English %v", kind.Key, language, got, english)
			}
			rendered := Render(words, Sample(kind, noon), Reader{Language: language})
			if len(rendered.Unknown) > 0 || strings.Contains(rendered.Subject+rendered.Text+rendered.HTML, "[#") {
				t.Errorf("%s in %s leaves tags in the mail: %s", kind.Key, language, rendered.Text)
			}
		}
	}
}

func TestBlankValuesAreLeftOut(t *testing.T) {
	t.Parallel()
	got := Render(Text{
		Subject: "Access - [#DEVICE_HOSTNAME#] ([#DEVICE_IP#])",
		Message: "Hello,\n\n[#EMERGENCY_HINT#]\n\n| | |\n|-|-|\n| Device | [#DEVICE_HOSTNAME#] ([#DEVICE_IP#]) |\n| Ticket | [#GOVERNANCE_ID#] |\n| Reason | [#REASON#] |\n\n- [#CERT_DESC#]\n- stays\n",
	}, Values{}.SetText("REASON", "because"), Reader{})
	if got.Subject != "Access" {
		t.Errorf("subject %q", got.Subject)
	}
	if want := "Hello,\n\nReason: because\n\n- stays\n"; got.Text != want {
		t.Errorf("got %q, want %q", got.Text, want)
	}
	bracketed := Render(Text{Message: "On [#DEVICE_HOSTNAME#] ([#DEVICE_IP#]) now ([#REASON#])"}, Values{}.SetText("DEVICE_HOSTNAME", "db-01", "REASON", "because"), Reader{})
	if want := "On db-01 now (because)\n"; bracketed.Text != want || !strings.Contains(bracketed.HTML, "On db-01 now (because)") {
		t.Errorf("got %q, want %q", bracketed.Text, want)
	}
	if strings.Contains(got.HTML, "Ticket") || strings.Contains(got.HTML, "Device") {
		t.Error(got.HTML)
	}
}

func TestTimesAreWrittenForTheReader(t *testing.T) {
	t.Parallel()
	when := Value{Time: time.Date(2024, time.December, 19, 15, 47, 5, 0, time.UTC)}
	values := Values{"START_DATETIME": when, "START_DATETIME_STR": when, "START_DATE": when, "START_TIME": when}
	saoPaulo, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[Language]string{
		English:    "12/19/2024 12:47:05|Thursday, December 19 12:47 PM|12/19/2024|12:47 PM\n",
		Portuguese: "19/12/2024 12:47:05|quinta-feira, 19 de dezembro 12:47|19/12/2024|12:47\n",
		Spanish:    "19/12/2024 12:47:05|jueves, 19 de diciembre 12:47|19/12/2024|12:47\n",
		"de":       "12/19/2024 12:47:05|Thursday, December 19 12:47 PM|12/19/2024|12:47 PM\n",
	} {
		text := Text{Message: "[#START_DATETIME#]|[#START_DATETIME_STR#]|[#START_DATE#]|[#START_TIME#]"}
		if got := Render(text, values, Reader{Language: language, Zone: saoPaulo}).Text; got != want {
			t.Errorf("%s: got %q, want %q", language, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	values := Values{}.SetLink("APPROVE", "https://orbit.example.com/decide/a?b=c&d=e").SetText("REASON", "a/b?c#d")
	for message, want := range map[string][2]string{
		"[#LINK_APPROVE#]":                          {"Approve: https://orbit.example.com/decide/a?b=c&d=e\n", `href="https://orbit.example.com/decide/a?b=c&amp;d=e"`},
		"[#URL_APPROVE#]":                           {"https://orbit.example.com/decide/a?b=c&d=e\n", `>https://orbit.example.com/decide/a?b=c&amp;d=e</a>`},
		"[Decide now]([#URL_APPROVE#])":             {"Decide now: https://orbit.example.com/decide/a?b=c&d=e\n", `>Decide now</a>`},
		"[Ticket](https://t.example/?q=[#REASON#])": {"Ticket: https://t.example/?q=a%2Fb%3Fc%23d\n", `href="https://t.example/?q=a%2Fb%3Fc%23d"`},
		"[run](javascript:alert)":                   {"run\n", ">run</p>"},
		"<https://a.example/>":                      {"https://a.example/\n", `href="https://a.example/"`},
		"![picture](https://a.example/x.png)":       {"picture\n", ">picture</p>"},
	} {
		got := Render(Text{Message: message}, values, Reader{})
		if got.Text != want[0] || !strings.Contains(got.HTML, want[1]) {
			t.Errorf("%s: %q\n%s", message, got.Text, got.HTML)
		}
	}
}

func TestUnknownTagsStand(t *testing.T) {
	t.Parallel()
	got := Render(Text{Subject: "[#NOBODY#]", Message: "[#NOBODY#] [#nobody#] [#"}, Values{"X": {Text: "x"}}, Reader{})
	if !slices.Equal(got.Unknown, []string{"NOBODY"}) || got.Subject != "[#NOBODY#]" || got.Text != "[#NOBODY#] [#nobody#] [#\n" {
		t.Errorf("%+v", got)
	}
}

// hostile is what a value may try.
var hostile = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "**bold** [x](https://evil.example)", "[#LINK_APPROVE#]",
	"a\r\nBcc: victim@example.com", "a\n\n- item\n\n# heading\n\n| a | b |\n|-|-|", "\u202eevorppa", "</td></tr></table>", "&lt;b&gt;", "`code`",
	"https://evil.example/", "javascript:alert(1)", "\x00\x1b[31m\u2028", "\xff\xfe", "<!--", "]]>", "APPROVE\nAPPROVE",
}

func FuzzValuesStayCharacters(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	kind, _ := Find("access_request.created.approver")
	harmless := Sample(kind, noon)
	words := Builtin(kind.Key, English)
	want := elements(f, Render(words, harmless, Reader{}).HTML)
	f.Fuzz(func(t *testing.T, value string) {
		values := Sample(kind, noon)
		for name, v := range values {
			switch {
			case v.Text != "":
				values[name] = Value{Text: "x" + value}
			case len(v.List) > 0:
				values[name] = Value{List: []string{"x" + value, value}}
			}
		}
		got := Render(words, values, Reader{})
		if strings.ContainsAny(got.Subject, "\r\n\x00") || len([]rune(got.Subject)) > maxSubject {
			t.Errorf("subject %q", got.Subject)
		}
		if have := elements(t, got.HTML); !slices.Equal(have, want) {
			t.Errorf("the elements changed:\n%v\n%v", have, want)
		}
		for line := range strings.SplitSeq(got.Text, "\n") {
			if word := strings.TrimRight(line, "\r"); word == "APPROVE" || strings.HasPrefix(word, "Bcc:") {
				t.Errorf("a value made the line %q", line)
			}
		}
	})
}

// elements lists the elements and links of a page; line breaks may come and go with a value's lines.
func elements(t testing.TB, page string) []string {
	t.Helper()
	var all []string
	for tokens := html.NewTokenizer(strings.NewReader(page)); ; {
		switch tokens.Next() {
		case html.ErrorToken:
			return all
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken, html.CommentToken:
			if token := tokens.Token(); token.Data != "br" {
				all = append(all, token.String())
			}
		case html.TextToken, html.DoctypeToken:
		}
	}
}

func TestHostileMarkdownDoesNotPanic(t *testing.T) {
	t.Parallel()
	for _, message := range append([]string{
		strings.Repeat("> ", 2000) + "x", strings.Repeat("[", 5000), strings.Repeat("*a ", 5000), "|" + strings.Repeat("a|", 3000) + "\n|" + strings.Repeat("-|", 3000),
		strings.Repeat("- ", 500) + "x", "```\n[#REASON#]\n```", "1) a\n7) b",
	}, hostile...) {
		Render(Text{Subject: message, Message: message}, Values{}, Reader{})
	}
}
