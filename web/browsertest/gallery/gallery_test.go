package gallery

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5/middleware"

	"orbit/static"
	"orbit/web/browsertest"
	"orbit/web/ui"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// galleryServer serves the gallery behind the headers of real pages.
func galleryServer(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	mux.Handle("GET /favicon.ico", http.RedirectHandler(static.URL("favicon.svg"), http.StatusFound)) // Chromium asks unnamed, at times
	for _, set := range []map[string]templ.Component{Pages(), Windows()} {
		for path, component := range set {
			mux.Handle("GET "+path, templ.Handler(component))
		}
	}
	mux.HandleFunc("GET /found.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"items":[{"title":"Office365","where":"SMTP account","href":"/form","icon":"mail-cog"},{"title":"SMTP Configuration","where":"Settings","href":"/report","icon":"settings"}]}`))
	})
	mux.HandleFunc("POST /summary", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("secret") != "" {
			t.Error("the live summary was sent a secret")
		}
		_ = SummaryWords(r.FormValue("smtp_host")).Render(r.Context(), w)
	})
	server := httptest.NewServer(middleware.Compress(5)(strict(mux)))
	t.Cleanup(server.Close)
	return server
}

// strict answers under the policy of real pages.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", ui.Policy)
		next.ServeHTTP(w, r)
	})
}

// TestEveryPartIsAccessible looks at every part at both widths and in both themes.
func TestEveryPartIsAccessible(t *testing.T) {
	server := galleryServer(t)
	for path := range Pages() {
		t.Run(path[1:], func(t *testing.T) {
			t.Parallel()
			tab := browsertest.New(t, server.URL)
			tab.Open(path)
			tab.Check("gallery" + path)
		})
	}
}
