package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"orbit/internal/connector"
	"orbit/internal/identity"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// maxConnectorTest is how long an answer may take that waits for a test of a connector.
const maxConnectorTest = 2 * time.Minute

// askTestConnector is the window that tests a connector.
func (s *Server) askTestConnector(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	return s.showConnectorTest(w, r, http.StatusOK, newConnectorTest(found))
}

// testConnector answers with the ladder that streamConnectorTest fills. Without JavaScript the answer is the whole test,
// and may take longer than an answer usually may.
func (s *Server) testConnector(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	v := newConnectorTest(found)
	typed, wrong, err := form.Read(r, &v.Request)
	if err != nil {
		return err
	}
	if wrong, err = form.Join(wrong, v.Request.Validate(found)); err != nil {
		return err
	}
	if len(wrong) > 0 {
		v.Form.Typed, v.Form.Problems = typed, wrong
		return s.showConnectorTest(w, r, http.StatusUnprocessableEntity, v)
	}
	if fromHTMX(r) {
		v.Visit = &connector.Visit{Running: true}
		return s.showConnectorTest(w, r, http.StatusOK, v)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxConnectorTest)) // what cannot be set stays as it is
	visit, err := s.Connectors.Test(r.Context(), found.ID, v.Request, nil)
	if err != nil {
		return err
	}
	return s.showConnectorTest(w, r, http.StatusOK, visited(r, v, visit))
}

// streamConnectorTest makes the attempt while somebody watches, and sends each step.
func (s *Server) streamConnectorTest(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	v := newConnectorTest(found)
	v.Request.Host = r.FormValue("host")
	v.Request.Port, _ = strconv.Atoi(r.FormValue("port")) // 0 is judged with the rest
	if err := v.Request.Validate(found); err != nil {
		return err
	}
	events, err := startWork(w, r)
	if err != nil {
		return err
	}
	for visit, err := range s.Connectors.WatchTest(r.Context(), found.ID, v.Request) {
		if err != nil {
			v.Refused = strings.Join(s.explain(r, err).Lines, " ")
		}
		if err := events.send("ladder", page.ConnectorTestLive(visited(r, v, visit))); err != nil {
			return nil //nolint:nilerr // the browser went away
		}
	}
	return events.done()
}

func newConnectorTest(c connector.Connector) page.ConnectorTestView {
	return page.ConnectorTestView{Connector: c, Form: &ui.FormView{}, Action: page.ConnectorPath(c.ID) + "/test"}
}

// visited is the window with an attempt as far as it is.
func visited(r *http.Request, v page.ConnectorTestView, visit connector.Visit) page.ConnectorTestView {
	v.Visit = &visit
	if f := visit.Fault; f != nil && strings.HasPrefix(f.Code, "ssh_host_key_") && identity.UserFrom(r.Context()).Role.CanChange() {
		v.ConfirmKey = page.ConnectorPath(v.Connector.ID) + "/host-key"
	}
	return v
}

func (s *Server) showConnectorTest(w http.ResponseWriter, r *http.Request, status int, v page.ConnectorTestView) error {
	return s.window(w, r, status, ui.WindowView{Title: "Test connector " + v.Connector.Name, Back: connectorsPath}, page.ConnectorTest(v))
}
