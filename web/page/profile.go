package page

import (
	"strconv"
	"strings"

	"orbit/internal/identity"
	"orbit/web/ui"
)

// ProfileView is everybody's own page.
type ProfileView struct {
	User     identity.User
	Profile  *ui.FormView
	Password *ui.FormView
	Zones    []string
	Sessions []identity.Session
	Here     int64 // the session of this browser
	Clock    ui.Clock
	Path     string
}

func (v ProfileView) endPath(s identity.Session) string {
	return v.Path + "/sessions/" + strconv.FormatInt(s.ID, 10) + "/end"
}

// browsers and systems are looked for in this order, because most browsers also claim to be others.
var (
	browsers = []struct{ mark, name string }{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Vivaldi/", "Vivaldi"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systems = []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Macintosh", "macOS"}, {"Linux", "Linux"},
	}
)

// browserName is what people call the browser behind a user agent: "Firefox on Windows".
func browserName(agent string) string {
	name, system := "Unknown browser", ""
	for _, b := range browsers {
		if strings.Contains(agent, b.mark) {
			name = b.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(agent, s.mark) {
			system = " on " + s.name
			break
		}
	}
	return name + system
}
