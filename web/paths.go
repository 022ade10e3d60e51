package web

import (
	"context"
	"net/http"
	"time"

	"orbit/internal/account"
	"orbit/web/page"
)

// maxCompare is how long an answer may take that waits for all ways; each has a limit of its own.
const maxCompare = 5 * time.Minute

// tried finds out how the server of an account is tried.
type tried func(ctx context.Context, id int64) (account.Visit, error)

// showPaths is the page that compares the ways to an account's server. It compares nothing before somebody asks.
func (s *Server) showPaths(visiting tried, back string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.pathsView(r, visiting, back)
		if err != nil {
			return err
		}
		return s.show(w, r, http.StatusOK, v.Title(), page.Paths(v))
	}
}

// comparePaths tries all ways and shows what each met. It may take longer than an answer usually may.
func (s *Server) comparePaths(visiting tried, back string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.pathsView(r, visiting, back)
		if err != nil {
			return err
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxCompare)) // what cannot be set stays as it is
		if v.Paths, err = s.Connectors.Compare(r.Context(), v.Visit.To); err != nil {
			return err
		}
		if fromHTMX(r) {
			return s.render(w, r, http.StatusOK, page.PathsResult(v))
		}
		return s.show(w, r, http.StatusOK, v.Title(), page.Paths(v))
	}
}

func (s *Server) pathsView(r *http.Request, visiting tried, back string) (page.PathsView, error) {
	v := page.PathsView{Back: back, Here: r.URL.Path}
	id, err := pathID(r)
	if err != nil {
		return v, err
	}
	if v.Visit, err = visiting(r.Context(), id); err != nil {
		return v, err
	}
	v.Now, err = s.leaves(r.Context(), v.Visit.Uses, v.Visit.Chosen)
	return v, err
}
