package web

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"orbit/internal/identity"
	"orbit/internal/problem"
)

// handler answers a request, or returns why it cannot; respond.go turns the reason into an answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// need is what a route asks of whoever comes.
type need int

// What routes need. A role has all that stands before its own need.
const (
	anyone   need = iota // no session
	signedIn             // any role
	view                 // reads settings: administrator, operator, auditor
	test                 // tests accounts: administrator, operator
	change               // changes settings: administrator
)

func (n need) allows(role identity.Role) bool {
	switch n {
	case anyone, signedIn:
		return true
	case view:
		return role.CanView()
	case test:
		return role.CanTest()
	case change:
		return role.CanChange()
	}
	return false
}

// router registers pages and remembers what each needs, so that menus show only what exists and is allowed.
type router struct {
	mux    chi.Router
	server *Server
}

func (r *router) get(path string, n need, h handler) {
	r.server.needs[path] = n
	r.mux.Get(path, r.server.adapt(n, h).ServeHTTP)
	r.mux.Head(path, r.server.adapt(n, h).ServeHTTP)
}

func (r *router) post(path string, n need, h handler) {
	r.mux.Post(path, r.server.adapt(n, h).ServeHTTP)
}

// adapt checks the need, calls h and answers when h could not.
func (s *Server) adapt(n need, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := identity.SessionFrom(r.Context())
		if n > anyone && !session.SignedIn() {
			s.askToSignIn(w, r)
			return
		}
		if !n.allows(session.User.Role) {
			s.fail(w, r, problem.ErrForbidden)
			return
		}
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// pathID is the id in a path such as /settings/notifications/smtp/{id}. What is no id names nothing.
func pathID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil || id < 1 {
		return 0, problem.ErrNotFound
	}
	return id, nil
}
