package static_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"orbit/static"
)

// TestVendoredFilesAreFresh compares every vendored file, and what it was made of, with the checksums that
// scripts/vendor-static.sh wrote.
func TestVendoredFilesAreFresh(t *testing.T) {
	list, err := os.Open("vendor.sha256")
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		want, name, _ := strings.Cut(lines.Text(), "  ")
		content, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Errorf("%v; run make vendor", err)
			continue
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s differs from what was vendored; run make vendor and commit the result", name)
		}
	}
}

// sheets is every stylesheet that pages load, as written.
func sheets(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("css/*.css")
	if err != nil || len(names) == 0 {
		t.Fatalf("stylesheets: %v %v", names, err)
	}
	var all strings.Builder
	for _, name := range append(names, "vendor/tabler.css") {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// templates calls look with every templ file of the project.
func templates(t *testing.T, look func(name, text string)) {
	t.Helper()
	err := filepath.WalkDir("../web", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".templ" {
			return err
		}
		content, err := os.ReadFile(path)
		look(strings.TrimPrefix(path, "../"), string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryClassInAPageHasAStyle finds the class that Tabler lost when it was trimmed, and the one misspelt.
func TestEveryClassInAPageHasAStyle(t *testing.T) {
	styled := map[string]bool{}
	for _, match := range regexp.MustCompile(`\.(-?[_a-zA-Z][\w-]*)`).FindAllStringSubmatch(sheets(t), -1) {
		styled[match[1]] = true
	}
	// Classes that only mark an element for a script, a test or a sibling's selector.
	for _, name := range []string{"no-js", "tone-", "rung-", "yes-no-", "ladder", "ladder-live", "radio-field"} {
		styled[name] = true
	}
	plain := regexp.MustCompile(`class="([^"]*)"`)
	computed := regexp.MustCompile(`class=\{([^}]*)\}`)
	quoted := regexp.MustCompile(`"([^"]*)"`)
	templates(t, func(name, text string) {
		var words []string
		for _, match := range plain.FindAllStringSubmatch(text, -1) {
			words = append(words, strings.Fields(match[1])...)
		}
		for _, match := range computed.FindAllStringSubmatch(text, -1) {
			for _, literal := range quoted.FindAllStringSubmatch(match[1], -1) {
				words = append(words, strings.Fields(literal[1])...)
			}
		}
		for _, word := range words {
			if !styled[word] {
				t.Errorf("%s uses the class %s, which no stylesheet has", name, word)
			}
		}
	})
}

// TestEveryCustomPropertyExists finds a variable of Tabler's that trimming removed because nobody read it then.
func TestEveryCustomPropertyExists(t *testing.T) {
	text := sheets(t)
	declared := map[string]bool{}
	for _, match := range regexp.MustCompile(`(--[\w-]+)\s*:`).FindAllStringSubmatch(text, -1) {
		declared[match[1]] = true
	}
	own, _ := filepath.Glob("css/*.css")
	for _, name := range own {
		content, _ := os.ReadFile(name)
		for _, match := range regexp.MustCompile(`var\((--[\w-]+)\)`).FindAllStringSubmatch(string(content), -1) {
			if !declared[match[1]] {
				t.Errorf("%s reads %s, which nothing sets; if it is Tabler's, run make vendor", name, match[1])
			}
		}
	}
}

// TestEveryIconExists compares the icons that pages name with the sprite.
func TestEveryIconExists(t *testing.T) {
	literal := regexp.MustCompile(`Icon\("([a-z0-9-]+)"\)|Icon:\s*"([a-z0-9-]+)"`)
	check := func(name, text string) {
		for _, match := range literal.FindAllStringSubmatch(text, -1) {
			if icon := match[1] + match[2]; !static.Icons()[icon] {
				t.Errorf("%s shows the icon %s; add it to static/icons.txt and run make vendor", name, icon)
			}
		}
	}
	templates(t, check)
	err := filepath.WalkDir("../web", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_templ.go") {
			return err
		}
		content, err := os.ReadFile(path)
		check(strings.TrimPrefix(path, "../"), string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestFilesAreServedForEverAndCompressed(t *testing.T) {
	address := static.URL(static.Style)
	zipped := get(t, address, "gzip, br")
	if zipped.StatusCode != http.StatusOK || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("with gzip: %s, encoding %q", zipped.Status, zipped.Header.Get("Content-Encoding"))
	}
	if got := zipped.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control is %q", got)
	}
	if got := zipped.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/css") {
		t.Errorf("Content-Type is %q", got)
	}
	if plain := get(t, address, ""); plain.Header.Get("Content-Encoding") != "" {
		t.Error("compressed for a client that does not take it")
	}
	if old := get(t, "/static/orbit.css", ""); old.StatusCode != http.StatusNotFound {
		t.Errorf("without its hash the file answers %s", old.Status)
	}
}

func TestEveryFileHasItsContentType(t *testing.T) {
	for name, want := range map[string]string{
		"vendor/inter.woff2": "font/woff2", "vendor/icons.svg": "image/svg+xml", static.Script: "text/javascript; charset=utf-8", "favicon.svg": "image/svg+xml",
	} {
		if got := get(t, static.URL(name), "").Header.Get("Content-Type"); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestNothingRefersToAnotherHost looks for addresses that a browser would load.
func TestNothingRefersToAnotherHost(t *testing.T) {
	foreign := regexp.MustCompile(`url\(\s*["']?(?:https?:)?//|@import|(?:src|href)="(?:https?:)?//`)
	if found := foreign.FindString(sheets(t)); found != "" {
		t.Errorf("a stylesheet loads %s", found)
	}
	templates(t, func(name, text string) {
		for _, found := range foreign.FindAllString(text, -1) {
			if !strings.Contains(found, "href") { // a link that a person follows is no load
				t.Errorf("%s loads %s", name, found)
			}
		}
	})
}

// TestNoInlineCode keeps what the Content-Security-Policy would block out of the templates.
func TestNoInlineCode(t *testing.T) {
	inline := regexp.MustCompile(`\sstyle=|\son[a-z]+=|hx-on|javascript:|<style|<script>`)
	templates(t, func(name, text string) {
		for _, found := range inline.FindAllString(text, -1) {
			t.Errorf("%s has inline code: %s", name, strings.TrimSpace(found))
		}
	})
}
