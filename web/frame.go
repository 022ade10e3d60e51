package web

import (
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
	bell := s.bell(r, user)
	v.Bell = &bell
	return v
}

// zoneName names the reader's zone with its present abbreviation: "America/Sao_Paulo (-03)".
func zoneName(user identity.User, now time.Time) string {
	zone := user.Location()
	return zone.String() + " (" + now.In(zone).Format("MST") + ")"
}
