package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/notify/text"
	"orbit/web/page"
	"orbit/web/ui"
)

const textsPath = "/settings/notifications/texts"

// textFilters is the row of filters above the report.
type textFilters struct {
	Search   string `form:"search"`
	Category string `form:"category"`
	Language string `form:"language"`
	Own      string `form:"own"`
}

func (f textFilters) drop(row notify.TextRow) bool {
	own := optionalYes(f.Own)
	return !holds(row.Type.Name+" "+row.Subject, f.Search) || f.Category != "" && row.Type.Category != f.Category ||
		f.Language != "" && string(row.Language) != f.Language || own != nil && row.Own != *own
}

// listTexts shows the words of every notification.
func (s *Server) listTexts(w http.ResponseWriter, r *http.Request) error {
	var f textFilters
	listing := readListing(r, "category", &f)
	rows, err := s.Notify.ListTexts(r.Context())
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, f.drop)
	slices.SortStableFunc(rows, textOrders.by(listing.Sort, "category"))
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "notification-texts", []string{"ID", "Type", "Category", "Language", "Subject", "Own", "Active"}, textCSV(rows))
	}
	shown := pageOf(&listing, rows, rowsPerPage)
	v := textsReport(shown, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, len(rows))))
}

var textOrders = orders[notify.TextRow]{
	"category": func(notify.TextRow, notify.TextRow) int { return 0 }, // the order of the types
	"type":     func(a, b notify.TextRow) int { return compareText(a.Type.Name, b.Type.Name) },
	"language": func(a, b notify.TextRow) int { return strings.Compare(string(a.Language), string(b.Language)) },
	"subject":  func(a, b notify.TextRow) int { return compareText(a.Subject, b.Subject) },
}

func textsReport(rows []notify.TextRow, role identity.Role, clock ui.Clock) ui.ReportView {
	languages := ui.Field{Name: "language", Label: "Language", Options: []ui.Option{{Label: "All"}}}
	for _, l := range text.Languages() {
		languages.Options = append(languages.Options, ui.Option{Value: string(l), Label: page.LanguageName(string(l))})
	}
	categories := ui.Field{Name: "category", Label: "Category", Options: []ui.Option{{Label: "All"}}}
	for _, c := range []string{text.AccessRequests, text.Passwords, text.Certificates, text.Sessions, text.AboutOrbit, text.Other} {
		categories.Options = append(categories.Options, ui.Option{Value: c, Label: c})
	}
	v := ui.ReportView{
		Title: "Notification texts", Path: textsPath, CanCSV: true, RowsNoun: "texts", Naming: 1,
		About:   "What people read. Every text is there in every language; write your own where the built-in words do not fit.",
		Filters: []ui.Field{{Name: "search", Label: "Type or subject"}, categories, languages, yesNoFilter("own", "Own")},
		Columns: []ui.Column{
			{Label: "ID", Right: true}, {Key: "type", Label: "Type"}, {Key: "language", Label: "Language"}, {Key: "subject", Label: "Subject", Wide: true}, {Label: "Words"}, {Label: "Changed"},
		},
	}
	for _, row := range rows {
		id, at := "", page.TextPath(row.Type.Key, string(row.Language))
		action := "Configure text"
		if row.Own {
			id, action = strconv.FormatInt(row.Stored.ID, 10), "Edit text"
		}
		menu := []ui.MenuItem{{Label: action, Icon: "edit", Href: at}}
		if !role.CanChange() {
			menu[0] = ui.MenuItem{Label: "View", Icon: "eye", Href: at}
		} else if row.Own {
			menu = append(menu, ui.MenuItem{Label: "Restore built-in", Icon: "arrow-back-up", Href: at + "/restore", Window: true, Divider: true})
		}
		v.Rows = append(v.Rows, ui.Row{
			ID: "text-" + strings.ReplaceAll(row.Type.Key, ".", "-") + "-" + string(row.Language), Name: row.Type.Name, Menu: menu,
			Cells: []templ.Component{
				ui.TextCell(id), page.TextName(row, at), ui.TextCell(page.LanguageName(string(row.Language))), ui.TextCell(row.Subject), page.TextState(row), page.TextChanged(row, clock),
			},
		})
	}
	return v
}

func textCSV(rows []notify.TextRow) [][]string {
	lines := make([][]string, len(rows))
	for i, r := range rows {
		lines[i] = []string{strconv.FormatInt(r.Stored.ID, 10), r.Type.Name, r.Type.Category, string(r.Language), r.Subject, yesNo(r.Own), yesNo(r.Active)}
	}
	return lines
}
