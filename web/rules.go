package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/web/page"
	"orbit/web/ui"
)

const rulesPath = "/settings/notifications/rules"

func rulePage(id int64) string { return rulesPath + "/" + strconv.FormatInt(id, 10) }

// ruleFilters is the row of filters above the report. Days are those of the reader's zone.
type ruleFilters struct {
	Name    string `form:"name"`
	Since   string `form:"since"`
	Until   string `form:"until"`
	AddedBy string `form:"added_by"`
	Enabled string `form:"enabled"`
}

func (f ruleFilters) filter(l listing, zone *time.Location) notify.RuleFilter {
	filter := notify.RuleFilter{Name: f.Name, AddedBy: f.AddedBy, Active: optionalYes(f.Enabled), Sort: l.Sort, Page: l.Page}
	filter.AddedFrom, filter.AddedTill = days(f.Since, f.Until, zone)
	return filter
}

// days reads the first and the last day of a filter, in the reader's zone; what is no day is no filter. The end is the
// moment after the last day.
func days(first, last string, zone *time.Location) (from, until time.Time) {
	if day, err := time.ParseInLocation(time.DateOnly, first, zone); err == nil {
		from = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, last, zone); err == nil {
		until = day.AddDate(0, 0, 1)
	}
	return from, until
}

// dayFilters are the two fields that days reads.
func dayFilters(since, until string) []ui.Field {
	return []ui.Field{
		{Name: "since", Label: since, Attributes: templ.Attributes{"type": "date"}}, {Name: "until", Label: until, Attributes: templ.Attributes{"type": "date"}},
	}
}

// listRules shows who is told of what.
func (s *Server) listRules(w http.ResponseWriter, r *http.Request) error {
	var f ruleFilters
	listing := readListing(r, "name", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	clock := s.clock(r)
	filter := f.filter(listing, clock.Zone)
	if !wantsCSV(r) {
		filter.PerPage = rowsPerPage
	}
	rules, total, err := s.Notify.ListRules(r.Context(), filter)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "notifications", ruleCSVColumns, ruleCSV(rules))
	}
	v := rulesReport(rules, identity.UserFrom(r.Context()).Role, clock)
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, total)))
}

func rulesReport(rules []notify.Rule, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Notifications", Path: rulesPath, CanCSV: true, RowsNoun: "notifications", Naming: 1,
		About:   "Which events people and applications are told of, and how. Approvers are asked without a rule.",
		Filters: append([]ui.Field{{Name: "name", Label: "Name"}, yesNoFilter("enabled", "Enabled")}, dayFilters("Added from", "Added until")...),
		More:    []ui.Field{{Name: "added_by", Label: "Added by"}},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Key: "changed_at", Label: "Changed in"}, {Key: "changed_by", Label: "Changed by"},
			{Key: "created_at", Label: "Added on"}, {Key: "created_by", Label: "Added by"}, {Key: "active", Label: "Enabled"},
		},
		Beside: page.WhoButton(rulesPath + "/who"),
		Empty: ui.EmptyView{
			Icon: "bell", Title: "Nobody is told of anything yet",
			Text: "A notification says: when this happens, tell these people, by mail, on screen or by webhook. Register the people under Contacts first.",
		},
		Actions: []ui.MenuItem{{Label: "Event types", Icon: "list-details", Href: eventTypesPath}},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: rulesPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New notification", Href: rulesPath + "/new"}
	}
	for _, rule := range rules {
		v.Rows = append(v.Rows, ui.Row{
			ID: "rule-" + strconv.FormatInt(rule.ID, 10), Name: rule.Name, Muted: !rule.Active, Menu: ruleMenu(rule, role),
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(rule.ID, 10)), page.RuleName(rule, rulePage(rule.ID)), ui.ExactTime(clock.At(rule.ChangedAt)), ui.TextCell(rule.ChangedBy),
				ui.ExactTime(clock.At(rule.CreatedAt)), ui.TextCell(rule.CreatedBy), page.Enabled(rule.Active),
			},
		})
	}
	return v
}

func ruleMenu(rule notify.Rule, role identity.Role) []ui.MenuItem {
	at := rulePage(rule.ID)
	if !role.CanChange() {
		return []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}}
	}
	state := ui.MenuItem{Label: "Disable configuration", Icon: "player-pause", Href: at + "/disable", Window: true}
	if !rule.Active {
		state = ui.MenuItem{Label: "Enable setting", Icon: "player-play", Href: at + "/enable", Post: true}
	}
	return []ui.MenuItem{
		{Label: "Edit", Icon: "edit", Href: at}, state,
		{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true},
	}
}

var ruleCSVColumns = []string{
	"ID", "Name", "Enabled", "E-mail", "Screen", "Webhook", "Only contacts with access", "Changed (UTC)", "Changed by", "Added (UTC)", "Added by",
}

func ruleCSV(rules []notify.Rule) [][]string {
	lines := make([][]string, len(rules))
	for i, r := range rules {
		lines[i] = []string{
			strconv.FormatInt(r.ID, 10), r.Name, yesNo(r.Active), yesNo(r.ByEmail), yesNo(r.OnScreen), yesNo(r.ByWebhook), yesNo(r.OnlyContactsWithAccess),
			utc(&r.ChangedAt), r.ChangedBy, utc(&r.CreatedAt), r.CreatedBy,
		}
	}
	return lines
}

func (s *Server) pathRule(r *http.Request) (notify.RuleDetail, error) {
	id, err := pathID(r)
	if err != nil {
		return notify.RuleDetail{}, err
	}
	return s.Notify.FindRule(r.Context(), id)
}

func (s *Server) setRuleActive(active bool, said string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		rule, err := s.pathRule(r)
		if err != nil {
			return err
		}
		if err := s.Notify.SetRuleActive(r.Context(), rule.ID, active); err != nil {
			return err
		}
		return s.redirect(w, r, rulesPath, ui.Said(rule.Name+said))
	}
}

func (s *Server) askDisableRule(w http.ResponseWriter, r *http.Request) error {
	return s.askRule(w, r, "/disable", func(name string) ui.ConfirmView {
		return ui.ConfirmView{Title: "Disable " + name + "?", Submit: "Yes, disable", Text: "Events that happen from now on tell nobody by it. What waits already is still sent."}
	})
}

func (s *Server) askDeleteRule(w http.ResponseWriter, r *http.Request) error {
	return s.askRule(w, r, "/delete", func(name string) ui.ConfirmView {
		return ui.ConfirmView{Title: "Delete notification " + name + "?", Submit: "Delete notification", Danger: true, Text: "Nobody is told by it any more. The messages that it has caused stay in the list of what was sent."}
	})
}

func (s *Server) askRule(w http.ResponseWriter, r *http.Request, action string, question func(name string) ui.ConfirmView) error {
	rule, err := s.pathRule(r)
	if err != nil {
		return err
	}
	v := question(rule.Name)
	v.Action, v.Back = rulePage(rule.ID)+action, rulesPath
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) deleteRule(w http.ResponseWriter, r *http.Request) error {
	rule, err := s.pathRule(r)
	if err != nil {
		return err
	}
	if err := s.Notify.DeleteRule(r.Context(), rule.ID); err != nil {
		return err
	}
	return s.redirect(w, r, rulesPath, ui.Said("The notification "+rule.Name+" is deleted."))
}
