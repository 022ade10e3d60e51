package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/mail/proxy"
	"orbit/internal/proxyhost"
	"orbit/web/page"
	"orbit/web/ui"
)

func listenerPage(id int64) string { return listenersPath + "/" + strconv.FormatInt(id, 10) }

// listListeners shows every listener on one page: an installation has a few.
func (s *Server) listListeners(w http.ResponseWriter, r *http.Request) error {
	state, err := s.proxyState(r.Context())
	if err != nil {
		return err
	}
	var none struct{}
	listing := readListing(r, "name", &none)
	slices.SortStableFunc(state.listeners, listenerOrders.by(listing.Sort, "name"))
	if wantsCSV(r) {
		return s.csv(w, "proxy-listeners", listenerCSVColumns, listenerCSV(state.listeners))
	}
	v := listenersReport(state.listeners, identity.UserFrom(r.Context()).Role, s.clock(r))
	v.Note = page.ProxyNotes(state.tabs(listenersPath), nil)
	return s.show(w, r, http.StatusOK, "Listeners", ui.Report(listing.report(v, max(1, len(state.listeners)), len(state.listeners))))
}

var listenerOrders = orders[proxyhost.Status]{
	"name":     func(a, b proxyhost.Status) int { return compareText(a.Name, b.Name) },
	"state":    func(a, b proxyhost.Status) int { return cmp.Compare(a.State, b.State) },
	"sessions": func(a, b proxyhost.Status) int { return cmp.Compare(a.Sessions, b.Sessions) },
	"used":     func(a, b proxyhost.Status) int { return moment(a.LastUsedAt).Compare(moment(b.LastUsedAt)) },
}

func listenersReport(rows []proxyhost.Status, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: proxyTitle, Path: listenersPath, CanCSV: true, RowsNoun: "listeners",
		About: "Local ports that accounts and mail programs use like an ordinary mail server; Orbit signs in at the real one with OAuth 2.0.",
		Columns: []ui.Column{
			{Key: "name", Label: "Name"}, {Label: "Local"}, {Label: "Mail server"}, {Key: "state", Label: "State"},
			{Key: "sessions", Label: "Sessions", Right: true}, {Label: "Sign-ins", Right: true}, {Label: "Traffic", Right: true}, {Key: "used", Label: "Last used"},
		},
		Empty: ui.EmptyView{
			Icon: "server-bolt", Title: "No listener yet",
			Text: "A listener is a port on this machine, usually 2993 for IMAP and 2465 for SMTP. Mail programs and Orbit's accounts connect to it with a user name and a password.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: listenersPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New listener", Href: listenersPath + "/new"}
		if len(rows) > 0 {
			v.Actions = []ui.MenuItem{
				{Label: "Start all", Icon: "player-play", Href: listenersPath + "/start", Post: true},
				{Label: "Restart all", Icon: "reload", Href: listenersPath + "/restart", Window: true},
				{Label: "Stop all", Icon: "player-stop", Href: listenersPath + "/stop", Window: true},
			}
		}
	}
	for _, l := range rows {
		v.Rows = append(v.Rows, ui.Row{
			ID: "listener-" + strconv.FormatInt(l.ID, 10), Name: l.Name, Muted: l.Wanted == proxyhost.Stopped,
			Cells: []templ.Component{
				ui.NameCell(l.Name, listenerPage(l.ID)), page.TwoLines(l.Local(), page.LocalWords(l.Settings)), page.TwoLines(l.Server(), page.ServerWords(l.Settings)),
				page.ListenerState(l), ui.TextCell(ui.Number(l.Sessions)), page.SignIns(l.Figures), page.Traffic(l.Figures), ui.RelativeTime(clock.Moment(l.LastUsedAt)),
			},
			Menu: listenerMenu(l, role),
		})
	}
	return v
}

func listenerMenu(l proxyhost.Status, role identity.Role) []ui.MenuItem {
	at := listenerPage(l.ID)
	entries := ui.MenuItem{Label: "Log", Icon: "file-text", Href: proxyLogPath + "?listener=" + strconv.FormatInt(l.ID, 10)}
	trial := ui.MenuItem{Label: "Test listener", Icon: "shield-check", Href: at + "/test", Window: true}
	switch {
	case role.CanChange():
	case role.CanTest():
		return []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}, trial, entries}
	default:
		return []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}, entries}
	}
	items := []ui.MenuItem{{Label: "Edit", Icon: "edit", Href: at}, trial, entries}
	if l.Wanted == proxyhost.Stopped {
		items = append(items, ui.MenuItem{Label: "Start", Icon: "player-play", Href: at + "/start", Post: true})
	} else {
		items = append(items, ui.MenuItem{Label: "Restart", Icon: "reload", Href: at + "/restart", Post: true},
			ui.MenuItem{Label: "Stop", Icon: "player-stop", Href: at + "/stop", Post: true})
	}
	return append(items, ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})
}

var listenerCSVColumns = []string{
	"ID", "Name", "Protocol", "Local", "Server", "Wanted", "State", "Reason", "Sessions", "Sign-ins", "Refused", "Bytes from clients", "Bytes from servers", "Last used (UTC)",
}

func listenerCSV(rows []proxyhost.Status) [][]string {
	lines := make([][]string, len(rows))
	for i, l := range rows {
		lines[i] = []string{
			strconv.FormatInt(l.ID, 10), l.Name, string(l.Protocol), l.Local(), l.Server(), string(l.Wanted), string(l.State), l.Reason,
			strconv.Itoa(l.Sessions), strconv.FormatInt(l.SignIns, 10), strconv.FormatInt(l.Refused, 10), strconv.FormatInt(l.Up, 10), strconv.FormatInt(l.Down, 10),
			utc(l.LastUsedAt),
		}
	}
	return lines
}

// broken reports whether somebody has to look after a listener.
func broken(l proxyhost.Status) bool {
	if l.Wanted == proxyhost.Stopped {
		return false
	}
	switch l.State {
	case proxy.Failed, proxy.Standby, proxy.Idle:
		return true
	case proxy.Running, proxy.Starting:
	}
	return false
}

func (p proxyState) listenerNames() map[int64]string {
	names := map[int64]string{}
	for _, l := range p.listeners {
		names[l.ID] = l.Name
	}
	return names
}

// listenerOptions are the listeners for choosing one.
func (s *Server) listenerOptions(ctx context.Context) ([]ui.Option, error) {
	all, err := s.Proxies.List(ctx)
	options := make([]ui.Option, len(all))
	for i, l := range all {
		options[i] = ui.Option{Value: strconv.FormatInt(l.ID, 10), Label: l.Name + " (" + l.Local() + ")"}
	}
	return options, err
}
