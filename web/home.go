package web

import (
	"net/http"

	"orbit/internal/identity"
	"orbit/web/page"
)

// showHome is where everybody arrives: the Grid Menu in full, and what needs attention.
func (s *Server) showHome(w http.ResponseWriter, r *http.Request) error {
	user := identity.UserFrom(r.Context())
	notices := s.bell(r, user).Notices
	return s.show(w, r, http.StatusOK, "Home", page.Home(page.HomeView{
		Name:     user.DisplayName(),
		Tiles:    s.visible(gridMenu, user.Role, r.URL.Path),
		Settings: s.settingsFor(user.Role, r.URL.Path),
		Notices:  notices,
	}))
}

// healthy says that the process answers.
func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("ok\n"))
}

// ready says that Orbit can do its work, or in one line why not.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.Ready != nil {
		if err := s.Ready(r.Context()); err != nil {
			s.Log.WarnContext(r.Context(), "not ready", "error", err)
			http.Error(w, "not ready: the reason is in the log", http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = w.Write([]byte("ready\n"))
}
