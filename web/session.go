package web

import (
	"net/http"
	"net/url"
	"strings"

	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/web/ui"
)

// withSession finds out who is signed in and makes them the actor of everything that the request does.
func (s *Server) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stored, err := s.sessions.Get(r, s.sessions.CookieName())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		ctx := r.Context()
		actor := audit.Actor{Kind: audit.User, Address: visitor(r).Address}
		if session := identity.Record(stored); session.SignedIn() {
			ctx = identity.WithSession(ctx, session)
			actor.ID, actor.Name = session.User.ID, session.User.Username
			noteUser(ctx, session.User.Username)
		}
		w.Header().Set("Cache-Control", "no-store") // pages show accounts; a shared computer must not keep them
		next.ServeHTTP(w, r.WithContext(audit.WithActor(ctx, actor)))
	})
}

// addressed says from where a program calls; its token adds who it is.
func addressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor := audit.Actor{Kind: audit.Token, Address: clientIP(r)}
		next.ServeHTTP(w, r.WithContext(audit.WithActor(r.Context(), actor)))
	})
}

// visitor is where the request comes from.
func visitor(r *http.Request) identity.Visitor {
	return identity.Visitor{Address: clientIP(r), UserAgent: r.UserAgent()}
}

// clock is the time and the zone in which the reader sees it.
func (s *Server) clock(r *http.Request) ui.Clock {
	return ui.Clock{Now: s.Clock(), Zone: identity.UserFrom(r.Context()).Location()}
}

// askToSignIn leads to the sign-in page and back again. A form that was posted is lost, and is not sent again
// behind the person's back.
func (s *Server) askToSignIn(w http.ResponseWriter, r *http.Request) {
	message := ui.FlashView{}
	to := "/login"
	if r.Method == http.MethodGet && !fromHTMX(r) {
		if r.URL.Path != "/" {
			to += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
		}
	} else {
		message = ui.Warned("Your session has ended, so this was not done. Sign in and do it again.")
		if r.Method != http.MethodGet {
			to += "?" + url.Values{"next": {back(r)}}.Encode()
		}
	}
	_ = s.redirect(w, r, to, message)
}

// nextPage is where to go after signing in: a page of ours, never another host.
func nextPage(r *http.Request) string {
	next, err := url.Parse(r.FormValue("next"))
	if err != nil || next.Scheme != "" || next.Host != "" || !strings.HasPrefix(next.Path, "/") ||
		strings.HasPrefix(next.Path, "//") || strings.ContainsAny(next.Path, "\\\r\n") {
		return "/"
	}
	return next.RequestURI()
}
