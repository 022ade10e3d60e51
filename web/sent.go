package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const sentPath = "/settings/notifications/sent"

func sentPage(id int64) string { return sentPath + "/" + strconv.FormatInt(id, 10) }

// sentFilters is the row of filters above the list. Days are those of the reader's zone.
type sentFilters struct {
	Recipient string `form:"recipient"`
	State     string `form:"state"`
	Type      string `form:"type"`
	Account   int64  `form:"account"`
	MessageID string `form:"message_id"`
	Since     string `form:"since"`
	Until     string `form:"until"`
	Event     int64  `form:"event"`
	Request   int64  `form:"request"`
	After     string `form:"after"`
}

func (f sentFilters) filter(zone *time.Location) notify.Filter {
	filter := notify.Filter{
		Recipient: f.Recipient, State: notify.State(f.State), Type: f.Type, AccountID: f.Account, MessageID: f.MessageID, EventID: f.Event, RequestID: f.Request, After: f.After,
	}
	filter.From, filter.Until = days(f.Since, f.Until, zone)
	return filter
}

// sentFilter reads a query that a list of sent messages has.
func sentFilter(query url.Values, zone *time.Location) notify.Filter {
	var f sentFilters
	_, _ = form.Decode(query, &f) // what cannot be read is no filter
	return f.filter(zone)
}

// listSent shows every message and what became of it, the newest first.
func (s *Server) listSent(w http.ResponseWriter, r *http.Request) error {
	var f sentFilters
	listing := readListing(r, "", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	clock := s.clock(r)
	filter := f.filter(clock.Zone)
	if wantsCSV(r) {
		return s.exportSent(w, r, filter)
	}
	filter.PerPage = rowsPerPage
	rows, next, err := s.Notify.List(r.Context(), filter)
	if err != nil {
		return err
	}
	budgets, err := s.Notify.Budgets(r.Context())
	if err != nil {
		return err
	}
	listing.Query.Del("after") // filters and the file begin anew
	v := listing.report(sentReport(rows, identity.UserFrom(r.Context()).Role, listing.Query, clock), max(1, len(rows)), len(rows))
	if v.Filters, v.More, err = s.sentFields(r.Context()); err != nil {
		return err
	}
	v.Note = page.Budgets(budgets, clock)
	if next != "" {
		query := r.URL.Query()
		query.Set("after", next)
		v.Older = sentPath + "?" + query.Encode()
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

// sentFields are the filters.
func (s *Server) sentFields(ctx context.Context) (filters, more []ui.Field, err error) {
	accounts, err := s.accountOptions(ctx, "All")
	if err != nil {
		return nil, nil, err
	}
	types, err := s.Notify.TextTypes(ctx)
	if err != nil {
		return nil, nil, err
	}
	ofType := ui.Field{Name: "type", Label: "Type", Options: []ui.Option{{Label: "All"}}}
	for _, t := range types {
		ofType.Options = append(ofType.Options, ui.Option{Value: t.Key, Label: t.Name})
	}
	states := ui.Field{Name: "state", Label: "State", Options: []ui.Option{{Label: "All"}}}
	for _, state := range notify.States {
		states.Options = append(states.Options, ui.Option{Value: string(state), Label: page.StateWord(state)})
	}
	filters = []ui.Field{{Name: "recipient", Label: "Recipient", Placeholder: "An address, or how it begins"}, states, ofType}
	more = append([]ui.Field{{Name: "account", Label: "SMTP account", Options: accounts}, {Name: "message_id", Label: "Message-ID"}}, dayFilters("From day", "To day")...)
	return filters, append(more, ui.Field{Name: "event", Label: "Event number"}, ui.Field{Name: "request", Label: "Request number"}), nil
}

func sentReport(rows []notify.Delivery, role identity.Role, query url.Values, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "List sent", Path: sentPath, CanCSV: true, RowsNoun: "messages", Naming: 1,
		About: "Every message that leaves by mail, from its event to the server's answer, and what came back.",
		Columns: []ui.Column{
			{Label: "Sending date"}, {Label: "Recipient"}, {Label: "Subject", Wide: true}, {Label: "State"}, {Label: "Account"}, {Label: "Attempts", Right: true},
		},
		Empty: ui.EmptyView{
			Icon: "mail-forward", Title: "Nothing was sent yet", Text: "Messages show here the moment that an event causes them, and stay for 180 days, or as long as System Parameters say.",
		},
	}
	if role.CanTest() {
		v.Bulk = page.SentBulk(sentPath+"/act", query.Encode())
	}
	for _, d := range rows {
		row := ui.Row{
			ID: "sent-" + strconv.FormatInt(d.ID, 10), Name: d.Recipient + ", " + d.Subject, Pick: strconv.FormatInt(d.ID, 10), Menu: sentMenu(d, role),
			Cells: []templ.Component{
				ui.ExactTime(clock.At(d.CreatedAt)), page.SentTo(d, sentPage(d.ID)), page.SentSubject(d), page.SentState(d, clock), ui.TextCell(d.AccountName),
				ui.TextCell(strconv.Itoa(d.Attempts)),
			},
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// sentMenu is what can be done with a message; each entry that acts names the message in its address.
func sentMenu(d notify.Delivery, role identity.Role) []ui.MenuItem {
	items := []ui.MenuItem{{Label: "Open", Icon: "eye", Href: sentPage(d.ID)}}
	if d.AccessRequestID != 0 {
		items = append(items, ui.MenuItem{Label: "Access request", Icon: "clipboard-check", Href: approvalPage(d.AccessRequestID)})
	}
	if !role.CanTest() {
		return items
	}
	for i, a := range page.Actions(d) {
		items = append(items, ui.MenuItem{
			Label: a.Label, Icon: a.Icon, Href: sentPath + "/act?action=" + string(a.Action) + "&one=" + strconv.FormatInt(d.ID, 10), Post: true,
			Danger: a.Action == notify.Cancel, Divider: i == 0,
		})
	}
	return items
}

var sentCSVColumns = []string{
	"ID", "Sending date (UTC)", "Type", "Language", "Recipient", "Name", "Subject", "State", "Account", "Attempts", "Answer", "Cause", "Message-ID", "Ended (UTC)", "Event", "Request",
}

// exportSent writes what matches, from the newest message on, as far as a file may grow.
func (s *Server) exportSent(w http.ResponseWriter, r *http.Request, filter notify.Filter) error {
	filter.After, filter.PerPage = "", 500
	var lines [][]string
	for len(lines) < mostExported {
		rows, next, err := s.Notify.List(r.Context(), filter)
		if err != nil {
			return err
		}
		for _, d := range rows {
			lines = append(lines, sentLine(d))
		}
		if next == "" {
			break
		}
		filter.After = next
	}
	return s.csv(w, "sent", sentCSVColumns, lines)
}

func sentLine(d notify.Delivery) []string {
	cause := ""
	if d.Fault != nil {
		cause = d.Fault.Cause
	}
	return []string{
		strconv.FormatInt(d.ID, 10), utc(&d.CreatedAt), d.TextType, d.Language, d.Recipient, d.RecipientName, d.Subject, page.StateWord(d.State), d.AccountName,
		strconv.Itoa(d.Attempts), d.Reply, cause, d.MessageID, utc(d.EndedAt), numberOrBlank(d.EventID), numberOrBlank(d.AccessRequestID),
	}
}

func numberOrBlank(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}
