package identity_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/sessions"

	"orbit/internal/identity"
)

// browser keeps the cookie between requests.
type browser struct {
	t       *testing.T
	store   *identity.SessionStore
	cookies map[string]*http.Cookie
}

// visit runs do as the handler of a request and takes over the cookies of the answer.
func (b *browser) visit(do func(w http.ResponseWriter, r *http.Request, session *sessions.Session)) {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	session, err := b.store.Get(r, b.store.CookieName())
	if err != nil {
		b.t.Fatalf("get session: %v", err)
	}
	do(w, r, session)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
}

func newBrowser(t *testing.T, store *identity.SessionStore) *browser {
	return &browser{t: t, store: store, cookies: map[string]*http.Cookie{}}
}

func TestTheCookieHoldsTheKeyAndTheDatabaseTheRest(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	b := newBrowser(t, h.SessionStore())
	b.visit(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		if !s.IsNew || identity.Record(s).SignedIn() {
			t.Error("a browser without a cookie has a session")
		}
		if err := b.store.Begin(w, r, h.signIn("ana")); err != nil {
			t.Fatal(err)
		}
	})
	c := b.cookies["orbit"]
	if c == nil || !c.HttpOnly || c.Secure || c.Path != "/" || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 || len(c.Value) != 43 {
		t.Fatalf("cookie %v", c)
	}
	b.visit(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		if s.IsNew || identity.Record(s).User.Username != "ana" {
			t.Errorf("session of %+v", identity.Record(s).User)
		}
		s.AddFlash("Saved.")
		if err := s.Save(r, w); err != nil {
			t.Fatal(err)
		}
	})
	b.visit(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		if got := s.Flashes(); len(got) != 1 || got[0] != "Saved." {
			t.Errorf("flashes %v", got)
		}
		if err := s.Save(r, w); err != nil {
			t.Fatal(err)
		}
	})
	b.visit(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		if got := s.Flashes(); len(got) != 0 {
			t.Errorf("flashes %v came back", got)
		}
		s.Values["large"] = strings.Repeat("x", 40<<10)
		if err := s.Save(r, w); err == nil {
			t.Error("an archive was stored in a session")
		}
		s.Options.MaxAge = -1
		if err := s.Save(r, w); err != nil {
			t.Fatal(err)
		}
	})
	if len(b.cookies) != 0 || h.count(`select count(*) from session`) != 0 {
		t.Error("a negative MaxAge must end the session in browser and database")
	}
}

func TestStrangersLeaveNoRow(t *testing.T) {
	h := newHouse(t)
	b := newBrowser(t, h.SessionStore())
	b.cookies["orbit"] = &http.Cookie{Name: "orbit", Value: "guessed"}
	b.visit(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		if !s.IsNew || s.ID != "" {
			t.Error("a guessed key must not become the session's key")
		}
		s.Values["x"] = "y"
		if err := s.Save(r, w); err != nil {
			t.Fatal(err)
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("a stranger got a cookie")
		}
	})
	if h.count(`select count(*) from session`) != 0 {
		t.Error("a stranger got a row")
	}
}

func TestNothingPassesFromOnePersonToTheNext(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	h.somebody("ben", identity.Member)
	b := newBrowser(t, h.SessionStore())
	begin := func(name string) func(http.ResponseWriter, *http.Request, *sessions.Session) {
		return func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
			if err := b.store.Begin(w, r, h.signIn(name)); err != nil {
				t.Fatal(err)
			}
			if name == "ana" {
				s.Values["note"] = "ana's"
			}
			if err := s.Save(r, w); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.visit(begin("ana"))
	b.visit(begin("ben"))
	b.visit(func(_ http.ResponseWriter, _ *http.Request, s *sessions.Session) {
		if identity.Record(s).User.Username != "ben" || s.Values["note"] != nil {
			t.Errorf("ben's session holds %v", s.Values)
		}
	})
}

func TestUnderHTTPSTheCookieIsBoundToTheHost(t *testing.T) {
	h := newHouse(t)
	h.somebody("ana", identity.Administrator)
	store := identity.New(h.pool, identity.Options{Secure: true, Clock: h.clock.Now}).SessionStore()
	b := newBrowser(t, store)
	b.visit(func(w http.ResponseWriter, r *http.Request, _ *sessions.Session) {
		if err := store.Begin(w, r, h.signIn("ana")); err != nil {
			t.Fatal(err)
		}
	})
	c := b.cookies["__Host-orbit"]
	if c == nil || !c.Secure || c.Domain != "" || c.Path != "/" {
		t.Errorf("cookies %v", b.cookies)
	}
	w := httptest.NewRecorder()
	store.Forget(w)
	if got := w.Header().Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-orbit=;") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("forgets with %q", got)
	}
}
