package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/notify/text"
	"orbit/web/browsertest"
)

// Every built-in text is readable where mails are read: on a phone and in a reading pane, in light and in dark. The
// mails of a language stand below each other on one page, for all have one style sheet.
func TestTheBuiltinMailsAreReadable(t *testing.T) {
	t.Parallel()
	const policy = "default-src 'none'; style-src 'unsafe-inline'" // a mail loads nothing
	pages := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = io.WriteString(w, pages[strings.Trim(r.URL.Path, "/")])
	}))
	defer server.Close()
	for _, language := range text.Languages() {
		for i, page := range mailPages(language) {
			pages[fmt.Sprint(language, "-", i)] = page
		}
	}
	tab := browsertest.New(t, server.URL)
	for name := range pages {
		tab.Open("/" + name)
		tab.CheckMail("mails-" + name)
	}
}

// mailPages renders the samples of a language, few on a page when pictures of them are taken.
func mailPages(language text.Language) []string {
	most := len(text.Types())
	if os.Getenv("ORBIT_SCREENSHOTS") != "" {
		most = 6
	}
	var pages []string
	for types := range slices.Chunk(text.Types(), most) {
		var head, all, foot string
		for _, kind := range types {
			mail := text.Render(text.Builtin(kind.Key, language), text.Sample(kind, time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)), text.Reader{Language: language, Zone: time.UTC})
			before, rest, _ := strings.Cut(mail.HTML, `<div class="outer"`)
			body, after, _ := strings.Cut(rest, "</body>")
			head, foot = before, "</body>"+after
			all += `<div class="outer"` + body
		}
		pages = append(pages, head+all+foot)
	}
	return pages
}
