package web

import (
	"log/slog"
	"net/http"
	"time"

	"orbit/internal/identity"
	"orbit/web/ui"
)

// frame is what stands around the page that answers r.
func (s *Server) frame(w http.ResponseWriter, r *http.Request, title string) ui.FrameView {
	v := ui.FrameView{Title: title, Product: Product, Flash: s.takeFlash(w, r)}
	user := identity.UserFrom(r.Context())
	if user.ID == 0 {
		return v
	}
	path := r.URL.Path
	v.Person = &ui.Person{
		Name: user.DisplayName(), Username: user.Username, Role: user.Role.Label(),
		Zone: zoneName(user, s.Clock()), Links: s.visible(personMenu, user.Role, path),
	}
	v.SignOut = "/logout"
	v.Search = "/search"
	v.Grid = s.visible(gridMenu, user.Role, path)
	if under(path, "/settings") {
		v.SideOf, v.Side = "Settings", s.settingsFor(user.Role, path)
		v.Crumbs = crumbs(path, title)
	}
	v.Bell, v.Notices = s.notices(r, user)
	return v
}

// notices is what the bell says. A bell that cannot be asked stays silent; the page is more important.
func (s *Server) notices(r *http.Request, user identity.User) (bool, []ui.NoticeView) {
	if s.Attention == nil || !user.Role.CanView() {
		return false, nil
	}
	notices, err := s.Attention(r.Context())
	if err != nil {
		s.Log.LogAttrs(r.Context(), slog.LevelError, "ask what needs attention", slog.Any("error", err))
	}
	return true, notices
}

// zoneName names the reader's zone with its present abbreviation: "America/Sao_Paulo (-03)".
func zoneName(user identity.User, now time.Time) string {
	zone := user.Location()
	return zone.String() + " (" + now.In(zone).Format("MST") + ")"
}
