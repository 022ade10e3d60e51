package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/approval"
	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const approvalsPath = "/approvals"

func approvalPage(id int64) string { return approvalsPath + "/" + strconv.FormatInt(id, 10) }

// approvalFilters is the row of filters above the report. Without a choice it shows what waits for a decision.
type approvalFilters struct {
	Status string `form:"status"`
	Search string `form:"search"`
	Whose  string `form:"whose"` // "all" shows those who may see settings every request
	From   string `form:"from"`
	To     string `form:"to"`
	Before int64  `form:"before"`
}

func (f approvalFilters) filter(user identity.User, zone *time.Location, rows int) approval.Filter {
	filter := approval.Filter{UserID: user.ID, Status: approval.Status(f.Status), Search: f.Search, Before: f.Before, Rows: rows}
	switch f.Status {
	case "":
		filter.Status = approval.Pending
	case "any":
		filter.Status = ""
	}
	if f.Whose == "all" && user.Role.CanView() {
		filter.UserID = 0
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.From, zone); err == nil {
		filter.From = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.To, zone); err == nil {
		filter.Until = day.AddDate(0, 0, 1) // the whole of the last day
	}
	return filter
}

// listApprovals shows the requests that the reader was asked about, the newest first.
func (s *Server) listApprovals(w http.ResponseWriter, r *http.Request) error {
	var f approvalFilters
	listing := readListing(r, "", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	clock, user := s.clock(r), identity.UserFrom(r.Context())
	filter := f.filter(user, clock.Zone, rowsPerPage)
	if wantsCSV(r) {
		filter.Rows = mostExported
	}
	rows, next, err := s.Approvals.List(r.Context(), filter)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "approvals", approvalCSVColumns, approvalCSV(rows))
	}
	v := listing.report(approvalReport(rows, user.Role, clock), max(1, len(rows)), len(rows))
	if next > 0 {
		query := r.URL.Query()
		query.Set("before", strconv.FormatInt(next, 10))
		v.Older = approvalsPath + "?" + query.Encode()
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

func approvalReport(rows []approval.Row, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "My approvals", Path: approvalsPath, CanCSV: true, RowsNoun: "requests", Naming: 0,
		About: "Access requests that you were asked to decide.",
		Filters: []ui.Field{
			{Name: "status", Label: "Status", Options: statusOptions()}, {Name: "search", Label: "Search"},
			{Name: "from", Label: "From", Attributes: templ.Attributes{"type": "date"}},
			{Name: "to", Label: "To", Attributes: templ.Attributes{"type": "date"}},
		},
		Columns: []ui.Column{
			{Label: "ID"}, {Label: "Request date"}, {Label: "Requester"}, {Label: "Credential"}, {Label: "Hostname"}, {Label: "Operation"},
			{Label: "Governance ID"}, {Label: "Reason"}, {Label: "Justification", Wide: true}, {Label: "Access start"}, {Label: "End"},
			{Label: "Status"}, {Label: "Your decision"},
		},
		Empty: ui.EmptyView{
			Icon: "clipboard-check", Title: "Nothing waits for you",
			Text: "When somebody asks for an access that you may decide, you get a mail, and the request stands here.",
		},
	}
	if role.CanView() {
		v.Filters = append(v.Filters, ui.Field{Name: "whose", Label: "Whose", Options: []ui.Option{{Label: "Mine"}, {Value: "all", Label: "Everybody's"}}})
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, approvalRow(row, clock))
	}
	return v
}

func statusOptions() []ui.Option {
	options := []ui.Option{{Label: "Pending"}}
	for _, status := range approval.Statuses()[1:] {
		options = append(options, ui.Option{Value: string(status), Label: status.Label()})
	}
	return append(options, ui.Option{Value: "any", Label: "Any"})
}

func approvalRow(row approval.Row, clock ui.Clock) ui.Row {
	mine := ""
	if row.Mine != nil {
		mine = page.AnswerWord(*row.Mine)
	}
	at := approvalPage(row.ID)
	menu := []ui.MenuItem{{Label: "Open", Icon: "eye", Href: at}}
	if row.Status == approval.Pending && row.Mine == nil {
		menu = append(menu,
			ui.MenuItem{Label: "Approve", Icon: "check", Href: at + "?answer=approve#decide", Divider: true},
			ui.MenuItem{Label: "Reject", Icon: "x", Href: at + "?answer=reject#decide"})
	}
	return ui.Row{
		ID: "request-" + strconv.FormatInt(row.ID, 10), Name: row.Code(), Menu: menu,
		Cells: []templ.Component{
			ui.NameCell(row.Code(), at), ui.RelativeTime(clock.At(row.CreatedAt)), ui.TextCell(row.RequesterName), ui.TextCell(row.CredentialUsername),
			ui.TextCell(row.DeviceHostname), ui.TextCell(row.Action), ui.TextCell(row.GovernanceID), ui.TextCell(row.Reason), ui.TextCell(row.Justification),
			ui.TextCell(clock.At(row.Start).Short()), ui.TextCell(clock.At(row.End).Short()), page.RequestStatus(row.Request), ui.TextCell(mine),
		},
	}
}

var approvalCSVColumns = []string{
	"ID", "Request date (UTC)", "Requester", "Requester e-mail", "Credential", "Hostname", "Address", "Operation", "Governance ID", "Reason",
	"Justification", "Access start (UTC)", "End (UTC)", "Status", "Decided by", "Ended (UTC)",
}

func approvalCSV(rows []approval.Row) [][]string {
	lines := make([][]string, len(rows))
	for i, r := range rows {
		lines[i] = []string{
			r.Code(), utc(&r.CreatedAt), r.RequesterName, r.RequesterEmail, r.CredentialUsername, r.DeviceHostname, r.DeviceIP, r.Action, r.GovernanceID,
			r.Reason, r.Justification, utc(&r.Start), utc(&r.End), r.Status.Label(), r.EndedBy, utc(r.EndedAt),
		}
	}
	return lines
}

// pathApproval is the request that the path names, for those who may see it: who was asked about it, and who may see
// settings. For anybody else there is nothing here.
func (s *Server) pathApproval(r *http.Request) (approval.Whole, error) {
	id, err := pathID(r)
	if err != nil {
		return approval.Whole{}, err
	}
	whole, err := s.Approvals.Find(r.Context(), id)
	if err != nil {
		return approval.Whole{}, err
	}
	user := identity.UserFrom(r.Context())
	if _, asked := whole.ApproverFor(user.ID); !asked && !user.Role.CanView() {
		return approval.Whole{}, problem.ErrNotFound
	}
	return whole, nil
}

// showApproval shows a request with everything that happened to it, and the form to decide it.
func (s *Server) showApproval(w http.ResponseWriter, r *http.Request) error {
	whole, err := s.pathApproval(r)
	if err != nil {
		return err
	}
	return s.renderApproval(w, r, http.StatusOK, whole, &ui.FormView{})
}

func (s *Server) renderApproval(w http.ResponseWriter, r *http.Request, status int, whole approval.Whole, f *ui.FormView) error {
	user := identity.UserFrom(r.Context())
	approver, asked := whole.ApproverFor(user.ID)
	v := page.ApprovalView{Whole: whole, Clock: s.clock(r), Form: f, Answer: r.FormValue("answer")}
	if asked {
		v.Why = s.Approvals.WhyNot(whole, approver)
		v.MayDecide = v.Why == ""
	}
	v.MayRevoke = whole.Status == approval.Approved && whole.End.After(s.Clock()) && (asked || user.Role.CanChange())
	if user.Role.CanView() && s.Notify != nil {
		mails, _, err := s.Notify.List(r.Context(), notify.Filter{RequestID: whole.ID, PerPage: 100})
		if err != nil {
			return err
		}
		v.Mails = mails
	}
	f.Action, f.Submit, f.Quiet = approvalPage(whole.ID)+"/decide", "Decide", true
	return s.show(w, r, status, whole.Code(), page.Approval(v))
}

// decisionForm is what the form of a decision posts. Times are those of the reader's zone.
type decisionForm struct {
	Answer        string `form:"answer" label:"Decision"`
	Justification string `form:"justification,lines" label:"Justification"`
	Start         string `form:"start" label:"Access start"`
	End           string `form:"end" label:"End"`
}

// decide turns the form into a decision.
func (f decisionForm) decide(w approval.Whole, zone *time.Location, address string) (approval.Decide, problem.Invalid) {
	var wrong problem.Invalid
	d := approval.Decide{Answer: approval.Answer(f.Answer), Justification: f.Justification, Address: address}
	read := func(field, text string, present time.Time) time.Time {
		if text == "" || text == page.LocalTime(present, zone) { // unchanged, whatever its seconds are
			return time.Time{}
		}
		at, err := time.ParseInLocation(page.LocalTimeLayout, text, zone)
		if err != nil {
			wrong.Add(field, "“%s” is no day and time: write 2026-11-23T15:04 for instance.", text)
		}
		return at
	}
	d.Start, d.End = read("start", f.Start, w.Start), read("end", f.End, w.End)
	return d, wrong
}

func (s *Server) decideApproval(w http.ResponseWriter, r *http.Request) error {
	whole, err := s.pathApproval(r)
	if err != nil {
		return err
	}
	var f decisionForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	d, unreadable := f.decide(whole, s.clock(r).Zone, clientIP(r))
	if err = together(wrong, unreadable.Err()); err == nil {
		whole, err = s.Approvals.DecideAsUser(r.Context(), whole.ID, identity.UserFrom(r.Context()).ID, d)
	}
	if err == nil {
		return s.redirect(w, r, approvalPage(whole.ID), ui.Said(page.Decided(whole, d.Answer)))
	}
	if v := returned(typed, err); v != nil {
		if found, findErr := s.pathApproval(r); findErr == nil {
			whole = found // what somebody else decided meanwhile is shown
		}
		return s.renderApproval(w, r, http.StatusUnprocessableEntity, whole, v)
	}
	return err
}

// returned is a form that comes back with what is wrong; nil when the error is of another kind.
func returned(typed form.Typed, err error) *ui.FormView {
	v := &ui.FormView{Typed: typed}
	var refused *problem.Refused
	switch {
	case errors.As(err, &v.Problems):
	case errors.As(err, &refused):
		v.Refused = refused.Text
	default:
		return nil
	}
	return v
}

// askRevokeApproval asks why.
func (s *Server) askRevokeApproval(w http.ResponseWriter, r *http.Request) error {
	return s.showRevokeApproval(w, r, http.StatusOK, &ui.FormView{})
}

func (s *Server) showRevokeApproval(w http.ResponseWriter, r *http.Request, status int, f *ui.FormView) error {
	whole, err := s.pathApproval(r)
	if err != nil {
		return err
	}
	v := page.RevokeView{Form: f, Code: whole.Code(), Requester: whole.RequesterName, Action: approvalPage(whole.ID) + "/revoke", Back: approvalPage(whole.ID)}
	return s.window(w, r, status, ui.WindowView{Title: "Revoke " + whole.Code(), Back: v.Back}, page.Revoke(v))
}

func (s *Server) revokeApproval(w http.ResponseWriter, r *http.Request) error {
	whole, err := s.pathApproval(r)
	if err != nil {
		return err
	}
	var f decisionForm
	typed, _, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	if user := identity.UserFrom(r.Context()); user.Role.CanChange() {
		_, err = s.Approvals.Revoke(r.Context(), whole.ID, f.Justification)
	} else {
		_, err = s.Approvals.RevokeAsUser(r.Context(), whole.ID, user.ID, f.Justification)
	}
	if err == nil {
		return s.redirect(w, r, approvalPage(whole.ID), ui.Said("Success. Request revoked."))
	}
	if v := returned(typed, err); v != nil {
		return s.showRevokeApproval(w, r, http.StatusUnprocessableEntity, v)
	}
	return err
}
