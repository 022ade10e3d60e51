package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"orbit/internal/account"
	"orbit/web/page"
)

// maxCompare is how long an answer may take that waits for all ways; each has a limit of its own.
const maxCompare = 5 * time.Minute

// tried finds out how the server of an account is tried.
type tried func(ctx context.Context, id int64) (account.Visit, error)

// pathsRoutes are those of the accounts whose report is at back.
func (s *Server) pathsRoutes(r *router, back string, visiting tried) {
	r.get(back+"/{id}/paths", test, s.showPaths(visiting, back))
	r.post(back+"/{id}/paths", test, s.comparePaths(visiting, back))
	r.get(back+"/{id}/paths/events", test, s.streamPaths(visiting, back))
}

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

// comparePaths answers with what streamPaths fills. Without JavaScript the answer is the whole comparison, and may take
// longer than an answer usually may.
func (s *Server) comparePaths(visiting tried, back string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.pathsView(r, visiting, back)
		if err != nil {
			return err
		}
		if fromHTMX(r) {
			v.Running = true
			return s.render(w, r, http.StatusOK, page.PathsResult(v))
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxCompare)) // what cannot be set stays as it is
		if v.Paths, err = s.Connectors.Compare(r.Context(), v.Visit.To, nil); err != nil {
			return err
		}
		return s.show(w, r, http.StatusOK, v.Title(), page.Paths(v))
	}
}

// streamPaths compares while somebody watches, and sends all ways whenever one gets on.
func (s *Server) streamPaths(visiting tried, back string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.pathsView(r, visiting, back)
		if err != nil {
			return err
		}
		events, err := startWork(w, r)
		if err != nil {
			return err
		}
		for paths, err := range s.Connectors.WatchPaths(r.Context(), v.Visit.To) {
			if err != nil {
				v.Refused = strings.Join(s.explain(r, err).Lines, " ")
			}
			v.Paths = paths
			if err := events.send("paths", page.PathsLive(v)); err != nil {
				return nil //nolint:nilerr // the browser went away
			}
		}
		return events.done()
	}
}

func (s *Server) pathsView(r *http.Request, visiting tried, back string) (page.PathsView, error) {
	v := page.PathsView{Back: back, Here: strings.TrimSuffix(r.URL.Path, "/events")}
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
