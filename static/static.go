// Package static holds what the browser loads: Tabler, htmx, icons, a font, and our own CSS and JavaScript.
//
// Everything is embedded and served under a name that contains a hash of its content, so a browser may keep
// it for ever and never shows a page with yesterday's style. Text is compressed once, when it is first asked
// for. No page refers to another host.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed css js vendor favicon.svg
var files embed.FS

// Prefix is the path under which Handler must be mounted.
const Prefix = "/static/"

// All files of css/ and all of js/ are served as one: small files to read, one request to load. Only theme.js stays
// alone, because it must run before the first paint.
const (
	Style  = "orbit.css"
	Script = "orbit.js"

	themeScript = "js/theme.js"
)

// kinds are the content types, in full: a container has no list of them, and browsers are told not to guess.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2",
}

// asset is one file and its name in URLs.
type asset struct {
	url      string
	kind     string // content type
	content  []byte
	compress func() []byte // the content in gzip; nil when compressing is no use
}

type catalogue struct {
	byName map[string]*asset
	byURL  map[string]*asset
}

var assets = sync.OnceValue(func() catalogue {
	c := catalogue{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	joined := map[string]*bytes.Buffer{"css": {}, "js": {}}
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		if part, ok := joined[path.Dir(name)]; ok && name != themeScript {
			part.Write(content)
			return err
		}
		c.add(name, content)
		return err
	})
	c.add(Script, joined["js"].Bytes())
	c.add(Style, c.resolve(joined["css"].Bytes()))
	return c
})

func (c catalogue) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	extension := path.Ext(name)
	a := &asset{
		url:     Prefix + strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:6]) + extension,
		kind:    kinds[extension],
		content: content,
	}
	if extension != ".woff2" {
		a.compress = sync.OnceValue(func() []byte { return zip(content) })
	}
	c.byName[name], c.byURL[a.url] = a, a
}

// resolve puts hashed names into our stylesheet, which writes url(/static/vendor/inter.woff2).
func (c catalogue) resolve(sheet []byte) []byte {
	text := string(sheet)
	for name, a := range c.byName {
		text = strings.ReplaceAll(text, "url("+Prefix+name+")", "url("+a.url+")")
	}
	return []byte(text)
}

func zip(content []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write(content)
	_ = w.Close()
	return out.Bytes()
}

// URL returns the address of an embedded file, e.g. URL("favicon.svg"). Names are written in templates, so an
// unknown one is a mistake in the program.
func URL(name string) string {
	a, ok := assets().byName[name]
	if !ok {
		panic("static: no file " + name)
	}
	return a.url
}

// Handler serves the files.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets().byURL[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	content := a.content
	if a.compress != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			content = a.compress()
		}
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(content)
}

// Icons lists the names of the icons in the sprite.
var Icons = sync.OnceValue(func() map[string]bool {
	sprite, _ := files.ReadFile("vendor/icons.svg")
	found := map[string]bool{}
	for _, part := range strings.Split(string(sprite), `<symbol id="`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		found[name] = true
	}
	return found
})
