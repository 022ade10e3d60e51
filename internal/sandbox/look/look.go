// Package look is what the sandbox's pages share: the frame, one style sheet, and the headers that keep a page
// to itself. There is no script: everything works without one.
package look

import (
	"embed"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

//go:embed style.css icon.svg
var files embed.FS

// Mount serves the files that pages refer to.
func Mount(mux *http.ServeMux) {
	for _, name := range []string{"style.css", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=300")
			http.ServeFileFS(w, r, files, name)
		})
	}
}

// policy allows a page its own style sheet, its own forms and frames, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// Secure sets the headers of every answer, and refuses browsers that were sent here by other sites: by a form
// of theirs, or by a name of theirs that leads to this machine.
func Secure(next http.Handler) http.Handler {
	safe := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		if !local(r.Host) {
			http.Error(w, "The sandbox answers under the name of this machine only.", http.StatusMisdirectedRequest)
			return
		}
		safe.ServeHTTP(w, r)
	})
}

// SubmitTo lets the forms of an answer lead to one more site: browsers hold redirects after a post to form-action.
func SubmitTo(w http.ResponseWriter, origin string) {
	w.Header().Set("Content-Security-Policy", policy+" "+origin)
}

// local reports whether a Host header names loopback.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
