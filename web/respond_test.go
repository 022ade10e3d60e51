package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/ui"
)

// bareServer answers without any service behind it; log is where it writes.
func bareServer(log *bytes.Buffer) *Server {
	base := &url.URL{Scheme: "https", Host: "orbit.example.com"}
	s := &Server{Options: Options{BaseURL: base, Log: slog.New(slog.NewTextHandler(log, nil)), Clock: time.Now}, needs: map[string]need{}}
	return s
}

// ask sends a request through the doors that need no database, and then to h.
func ask(s *Server, r *http.Request, h handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.identify(s.accessLog(s.recovered(s.adapt(anyone, h)))).ServeHTTP(w, r)
	return w
}

// signedInAs puts a session into a request.
func signedInAs(r *http.Request, role identity.Role) *http.Request {
	session := identity.Session{ID: 1, User: identity.User{ID: 1, Username: "ana", Role: role, TimeZone: "UTC"}}
	return r.WithContext(identity.WithSession(r.Context(), session))
}

func TestAnErrorBecomesAStatusAndWords(t *testing.T) {
	cases := map[string]struct {
		err    error
		status int
		text   string
	}{
		"invalid":   {problem.Invalid{{Name: "port", Text: "Enter a port."}}, 422, "Enter a port."},
		"not found": {fmt.Errorf("read account: %w", problem.ErrNotFound), 404, "There is nothing here"},
		"forbidden": {problem.ErrForbidden, 403, "Your role does not allow this"},
		"conflict":  {&problem.Conflict{What: "SMTP account Office365", Who: "ben"}, 409, "changed by ben"},
		"refused":   {problem.Refuse("The account is used by 3 rules."), 409, "used by 3 rules"},
		"confirm":   {&problem.Confirm{Name: "accept", Text: "Nothing will be sent."}, 409, "Nothing will be sent."},
		"too large": {&http.MaxBytesError{Limit: 1}, 413, "1 MB"},
		"malformed": {form.ErrMalformed, 400, "could not be read"},
		"unknown":   {errors.New("dial tcp 10.0.0.7:5432: connection refused"), 500, "Reference"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, known := range []bool{false, true} {
				var log bytes.Buffer
				r := httptest.NewRequest(http.MethodGet, "/x", nil)
				if known {
					r = signedInAs(r, identity.Auditor)
				}
				w := ask(bareServer(&log), r, func(http.ResponseWriter, *http.Request) error { return c.err })
				if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
					t.Errorf("signed in %v: %d %s", known, w.Code, w.Body)
				}
				if strings.Contains(w.Body.String(), "10.0.0.7") {
					t.Error("the page shows what only the log may hold")
				}
			}
		})
	}
}

func TestThePageNamesTheLogEntry(t *testing.T) {
	var log bytes.Buffer
	w := ask(bareServer(&log), httptest.NewRequest(http.MethodGet, "/x", nil), func(http.ResponseWriter, *http.Request) error {
		panic("a mistake of ours")
	})
	reference := w.Header().Get("X-Request-Id")
	if w.Code != http.StatusInternalServerError || reference == "" || !strings.Contains(w.Body.String(), reference) {
		t.Errorf("a panic answers %d without its reference %q", w.Code, reference)
	}
	if !strings.Contains(log.String(), "reference="+reference) || !strings.Contains(log.String(), "a mistake of ours") {
		t.Errorf("the log does not explain the reference:\n%s", &log)
	}
}

func TestAConsequenceIsAskedAndCarriesTheForm(t *testing.T) {
	body := url.Values{"reason": {"moved"}, "current_password": {"hush"}, "client_secret": {"hush"}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "/accounts/3/disable", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := ask(bareServer(&bytes.Buffer{}), signedInAs(r, identity.Administrator), func(_ http.ResponseWriter, r *http.Request) error {
		_ = r.ParseForm()
		return &problem.Confirm{Name: "accept_no_default", Text: "Nothing will be sent."}
	})
	page := w.Body.String()
	for _, part := range []string{`action="/accounts/3/disable"`, `name="accept_no_default" value="yes"`, `name="reason" value="moved"`, "Nothing will be sent."} {
		if !strings.Contains(page, part) {
			t.Errorf("the question lacks %s", part)
		}
	}
	if strings.Contains(page, "hush") {
		t.Error("a secret travels through the page")
	}
}

func TestAPageThatCannotBeRenderedIsNotHalfAPage(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	broken := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, _ = w.Write([]byte("<p>half a page"))
		return errors.New("a part failed")
	})
	w := ask(s, signedInAs(httptest.NewRequest(http.MethodGet, "/x", nil), identity.Auditor), func(w http.ResponseWriter, r *http.Request) error {
		return s.show(w, r, http.StatusOK, "Broken", broken)
	})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "half a page") {
		t.Errorf("answered %d: %s", w.Code, w.Body)
	}
}

func TestAWindowIsAlsoAPage(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	cases := map[string]struct {
		headers    []string
		has, lacks string
	}{
		"as a page":         {nil, "<!doctype html>", `id="window-title"`},
		"for the window":    {[]string{"HX-Request", "true", "HX-Target", "window"}, `id="window-title"`, "<!doctype html>"},
		"for a form inside": {[]string{"HX-Request", "true"}, "the content", "window-title"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := signedInAs(httptest.NewRequest(http.MethodGet, "/x", nil), identity.Auditor)
			for i := 0; i+1 < len(c.headers); i += 2 {
				r.Header.Set(c.headers[i], c.headers[i+1])
			}
			w := ask(s, r, func(w http.ResponseWriter, r *http.Request) error {
				return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Test e-mail"}, templ.Raw("the content"))
			})
			if !strings.Contains(w.Body.String(), c.has) || strings.Contains(w.Body.String(), c.lacks) || !strings.Contains(w.Body.String(), "the content") {
				t.Errorf("answered %s", w.Body)
			}
		})
	}
}

func TestAMessageTravelsToTheNextPageOnce(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	saved := ask(s, httptest.NewRequest(http.MethodPost, "/x", nil), func(w http.ResponseWriter, r *http.Request) error {
		return s.redirect(w, r, "/y", ui.Said("Saved <b>Office365</b>."))
	})
	if saved.Code != http.StatusSeeOther || saved.Header().Get("Location") != "/y" {
		t.Fatalf("redirect answers %d to %s", saved.Code, saved.Header().Get("Location"))
	}
	cookie := saved.Result().Cookies()[0]
	if !cookie.Secure || !cookie.HttpOnly || !strings.HasPrefix(cookie.Name, "__Host-") || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie is %+v", cookie)
	}
	r := httptest.NewRequest(http.MethodGet, "/y", nil)
	r.AddCookie(cookie)
	next := ask(s, r, func(w http.ResponseWriter, r *http.Request) error {
		return s.show(w, r, http.StatusOK, "Next", templ.NopComponent)
	})
	if !strings.Contains(next.Body.String(), "Saved &lt;b&gt;Office365&lt;/b&gt;.") {
		t.Errorf("the next page says %s", next.Body)
	}
	if gone := next.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("the message stays: %v", gone)
	}
}

func TestFromAWindowARedirectLeavesThePage(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	r := httptest.NewRequest(http.MethodPost, "/x", nil)
	r.Header.Set("HX-Request", "true")
	w := ask(s, r, func(w http.ResponseWriter, r *http.Request) error { return s.redirect(w, r, "/y", ui.Said("Saved.")) })
	if w.Code != http.StatusNoContent || w.Header().Get("HX-Redirect") != "/y" {
		t.Errorf("answered %d, HX-Redirect %q", w.Code, w.Header().Get("HX-Redirect"))
	}
}

func TestAFileHoldsNoFormulas(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	w := httptest.NewRecorder()
	if err := s.csv(w, "smtp-accounts", []string{"Name", "Note"}, [][]string{{"=HYPERLINK(\"x\")", "+1"}, {"@sum", "a,\"b\""}, {"\tcmd", "-2"}, {"\uff1dcmd", "\ncmd"}, {"plain", ""}}); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffName,Note\r\n\"'=HYPERLINK(\"\"x\"\")\",'+1\r\n'@sum,\"a,\"\"b\"\"\"\r\n'\tcmd,'-2\r\n'\uff1dcmd,\"'\r\ncmd\"\r\nplain,\r\n"
	if got := w.Body.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := w.Header().Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="smtp-accounts-`) {
		t.Errorf("Content-Disposition %q", got)
	}
}

func TestAStreamSendsPartsLineByLine(t *testing.T) {
	s := bareServer(&bytes.Buffer{})
	w := ask(s, httptest.NewRequest(http.MethodGet, "/x", nil), func(w http.ResponseWriter, r *http.Request) error {
		events, err := startStream(w, r)
		if err != nil {
			return err
		}
		if err := events.send("ladder", templ.Raw("<p>one\ntwo</p>")); err != nil {
			return err
		}
		return events.done()
	})
	if got, want := w.Body.String(), "event: ladder\ndata: <p>one\ndata: two</p>\n\nevent: done\ndata: \n\n"; got != want {
		t.Errorf("got %q", got)
	}
	if w.Header().Get("Content-Type") != "text/event-stream" || !w.Flushed {
		t.Errorf("headers %v, flushed %v", w.Header(), w.Flushed)
	}
}
