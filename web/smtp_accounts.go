package web

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/oauth"
	"orbit/web/page"
	"orbit/web/ui"
)

const smtpPath = "/settings/notifications/smtp"

// smtpFilters is the row of filters above the report.
type smtpFilters struct {
	ID           int64  `form:"id"`
	Name         string `form:"name"`
	Sender       string `form:"sender"`
	ReplyTo      string `form:"reply_to"`
	ReturnPath   string `form:"return_path"`
	Confirmation string `form:"confirmation"`
	Active       string `form:"active"`
}

// listSMTP shows the report, or all that matches as a file.
func (s *Server) listSMTP(w http.ResponseWriter, r *http.Request) error {
	var f smtpFilters
	listing := readListing(r, "name", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	filter := account.SMTPFilter{
		ID: f.ID, Name: f.Name, Sender: f.Sender, ReplyTo: f.ReplyTo, ReturnPath: f.ReturnPath,
		Confirmation: f.Confirmation, Active: optionalYes(f.Active), Sort: listing.Sort, Page: listing.Page, PerPage: rowsPerPage,
	}
	if wantsCSV(r) {
		filter.PerPage = 0
	}
	rows, total, err := s.Accounts.ListSMTP(r.Context(), filter)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "smtp-accounts", smtpCSVColumns, smtpCSV(rows))
	}
	failed, err := s.smtpGrants(r.Context(), rows)
	if err != nil {
		return err
	}
	v := smtpReport(rows, failed, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, total)))
}

// optionalYes reads a filter that is yes, no or anything.
func optionalYes(text string) *bool {
	if text == "" {
		return nil
	}
	yes := text == "yes"
	return &yes
}

func smtpReport(rows []account.SMTPRow, failed map[int64]oauth.Grant, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "SMTP Configuration", Path: smtpPath, CanCSV: true, RowsNoun: "accounts", Naming: 1,
		About: "Accounts through which notifications leave. One of them is the default.",
		Filters: []ui.Field{
			{Name: "name", Label: "Name"}, {Name: "sender", Label: "Sender e-mail"}, yesNoFilter("active", "Active"),
		},
		More: []ui.Field{
			{Name: "id", Label: "ID"}, {Name: "reply_to", Label: "Reply-To e-mail"},
			{Name: "return_path", Label: "Return e-mail"}, {Name: "confirmation", Label: "Confirmation e-mail"},
		},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Key: "active", Label: "Active"}, {Label: "Last test"},
			{Key: "sender", Label: "Sender e-mail"},
			{Key: "reply_to", Label: "Reply-To e-mail"}, {Key: "return_path", Label: "Return e-mail"},
			{Key: "confirmation", Label: "Confirmation e-mail"}, {Key: "default", Label: "Default"},
			{Key: "secure", Label: "Secure connection"}, {Key: "force", Label: "Uses config"},
			{Key: "read", Label: "Read conf."}, {Key: "footer", Label: "Footer"},
		},
		Empty: ui.EmptyView{
			Icon: "mail-cog", Title: "No SMTP account yet",
			Text: "Orbit sends every notification through an SMTP account of yours. Register one, then press Test configuration to see a mail arrive.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: smtpPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New SMTP account", Href: smtpPath + "/new"}
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, smtpRow(row, failed[row.ID], role, clock))
	}
	return v
}

func yesNoFilter(name, label string) ui.Field {
	return ui.Field{Name: name, Label: label, Options: []ui.Option{{Label: "All"}, {Value: "yes", Label: "Yes"}, {Value: "no", Label: "No"}}}
}

func smtpRow(a account.SMTPRow, failed oauth.Grant, role identity.Role, clock ui.Clock) ui.Row {
	return ui.Row{
		ID: "smtp-" + strconv.FormatInt(a.ID, 10), Name: a.AccountName, Muted: !a.Active,
		Cells: []templ.Component{
			page.Text(strconv.FormatInt(a.ID, 10)), page.SMTPName(a, failed), page.Enabled(a.Active), page.LastTest(a, clock), page.Text(a.SenderEmail),
			page.AddressBeside(a.SenderEmail, a.ReplyToEmail), page.AddressBeside(a.SenderEmail, a.ReturnPathEmail),
			page.AddressBeside(a.SenderEmail, a.ConfirmationEmail),
			page.YesNoText(a.DefaultAccount), page.Text(secureWords(a.SecureConnectionType)),
			page.YesNoText(a.ForceConfiguration), page.YesNoText(a.SendReadConfirmation), page.YesNoText(a.EnableFooter),
		},
		Menu: smtpMenu(a, role),
	}
}

func smtpMenu(a account.SMTPRow, role identity.Role) []ui.MenuItem {
	at := page.SMTPPath(a.ID)
	items := []ui.MenuItem{{Label: "Edit", Icon: "edit", Href: at}}
	if !role.CanChange() {
		items[0] = ui.MenuItem{Label: "View", Icon: "eye", Href: at}
	}
	if role.CanTest() {
		items = append(items,
			ui.MenuItem{Label: "Test configuration", Icon: "mail-fast", Href: at + "/test", Window: true},
			ui.MenuItem{Label: "Compare paths", Icon: "route", Href: at + "/paths"})
	}
	items = append(items, ui.MenuItem{Label: "Test history", Icon: "history", Href: at + "/tests"})
	if !role.CanChange() {
		return items
	}
	items = append(items, ui.MenuItem{Label: "Clone", Icon: "copy", Href: at + "/clone"})
	if !a.DefaultAccount {
		items = append(items, ui.MenuItem{Label: "Make default", Icon: "star", Href: at + "/default", Window: true})
	}
	if a.Active {
		items = append(items, ui.MenuItem{Label: "Disable", Icon: "player-pause", Href: at + "/disable", Post: true})
	} else {
		items = append(items, ui.MenuItem{Label: "Enable", Icon: "player-play", Href: at + "/enable", Post: true})
	}
	return append(items, ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})
}

func secureWords(security dial.Security) string {
	switch security {
	case dial.STARTTLS:
		return "TLS"
	case dial.Implicit:
		return "SSL"
	case dial.Plain:
	}
	return "No"
}

var smtpCSVColumns = []string{
	"ID", "Name", "Sender e-mail", "Reply-To e-mail", "Return e-mail", "Confirmation e-mail", "Active", "Default",
	"Secure connection", "Uses config", "Read conf.", "Footer", "SMTP host", "Port",
}

func smtpCSV(rows []account.SMTPRow) [][]string {
	lines := make([][]string, len(rows))
	for i, a := range rows {
		lines[i] = []string{
			strconv.FormatInt(a.ID, 10), a.AccountName, a.SenderEmail, a.ReplyToEmail, a.ReturnPathEmail, a.ConfirmationEmail,
			yesNo(a.Active), yesNo(a.DefaultAccount), secureWords(a.SecureConnectionType), yesNo(a.ForceConfiguration),
			yesNo(a.SendReadConfirmation), yesNo(a.EnableFooter), a.SMTPHost, strconv.Itoa(a.Port),
		}
	}
	return lines
}
