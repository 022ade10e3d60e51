package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
	"orbit/web/page"
	"orbit/web/ui"
)

const mailboxPath = "/settings/notifications/imap-pop3"

// mailboxFilters is the row of filters above the report.
type mailboxFilters struct {
	ID        int64  `form:"id"`
	Name      string `form:"name"`
	Protocol  string `form:"protocol"`
	Secure    string `form:"secure"`
	Automatic string `form:"automatic"`
	Keep      string `form:"keep"`
	Active    string `form:"active"`
}

// listMailboxes shows the report, or all that matches as a file.
func (s *Server) listMailboxes(w http.ResponseWriter, r *http.Request) error {
	var f mailboxFilters
	listing := readListing(r, "name", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	filter := account.MailboxFilter{
		ID: f.ID, Name: f.Name, Protocol: fetch.Protocol(f.Protocol), Secure: optionalYes(f.Secure), AutomaticCheck: optionalYes(f.Automatic),
		KeepCopy: optionalYes(f.Keep), Active: optionalYes(f.Active), Sort: listing.Sort, Page: listing.Page, PerPage: rowsPerPage,
	}
	if wantsCSV(r) {
		filter.PerPage = 0
	}
	rows, total, err := s.Accounts.ListMailboxes(r.Context(), filter)
	if err != nil {
		return err
	}
	health, err := s.healthOf(r.Context(), rows)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "imap-pop3-accounts", mailboxCSVColumns, mailboxCSV(rows, health))
	}
	v := mailboxReport(rows, health, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, total)))
}

// healthOf says how the mailboxes of the rows do.
func (s *Server) healthOf(ctx context.Context, rows []account.MailboxRow) (map[int64]inbox.Health, error) {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return s.Inbox.Health(ctx, ids)
}

func mailboxReport(rows []account.MailboxRow, health map[int64]inbox.Health, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "IMAP/POP3 Configuration", Path: mailboxPath, CanCSV: true, RowsNoun: "accounts", Naming: 1,
		About: "Mailboxes that Orbit reads: answers, delivery errors and read receipts arrive here.",
		Filters: []ui.Field{
			{Name: "name", Label: "Name"}, yesNoFilter("secure", "Secure connection"), yesNoFilter("automatic", "Automatic check"),
			yesNoFilter("keep", "Keep copy"), statusFilter(),
		},
		More: []ui.Field{{Name: "id", Label: "ID"}, protocolFilter()},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Label: "State"}, {Label: "Last check"}, {Label: "Received", Right: true},
			{Key: "secure", Label: "Secure connection"}, {Key: "type", Label: "Connection type"}, {Key: "protocol", Label: "Protocol"},
			{Key: "port", Label: "Port", Right: true}, {Key: "automatic", Label: "Automatic check"}, {Key: "keep", Label: "Keep copy on server"},
		},
		Empty: ui.EmptyView{
			Icon: "inbox", Title: "No IMAP/POP3 account yet",
			Text: "Orbit reads the mailbox that receives answers to its notifications, and tells you what came back. Register the mailbox, press Test configuration, then look into View inbox.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: mailboxPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New IMAP/POP3 account", Href: mailboxPath + "/new"}
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, mailboxRow(row, health[row.ID], role, clock))
	}
	return v
}

func statusFilter() ui.Field {
	return ui.Field{Name: "active", Label: "Status", Options: []ui.Option{{Label: "All"}, {Value: "yes", Label: "Enabled"}, {Value: "no", Label: "Disabled"}}}
}

func protocolFilter() ui.Field {
	return ui.Field{Name: "protocol", Label: "Protocol", Options: []ui.Option{
		{Label: "All"}, {Value: string(fetch.IMAP), Label: "IMAP"}, {Value: string(fetch.POP3), Label: "POP3"},
	}}
}

func mailboxRow(m account.MailboxRow, h inbox.Health, role identity.Role, clock ui.Clock) ui.Row {
	return ui.Row{
		ID: "mailbox-" + strconv.FormatInt(m.ID, 10), Name: m.AccountName, Muted: !m.Active,
		Cells: []templ.Component{
			page.Text(strconv.FormatInt(m.ID, 10)), page.MailboxName(m), page.MailboxState(m, h, clock), page.LastCheck(h, clock),
			page.ReceivedCount(m.ID, h), page.YesNoText(m.UseSecureConnection), ui.TextCell(connectionType(m.SecureConnectionType)),
			page.Text(m.Protocol.Name()), page.Text(strconv.Itoa(m.Port)), page.YesNoText(m.AutomaticCheck), page.YesNoText(m.KeepCopyOnServer),
		},
		Menu: mailboxMenu(m, role),
	}
}

// connectionType is the document's column: SSL or TLS.
func connectionType(security dial.Security) string {
	if security == dial.Plain {
		return ""
	}
	return secureWords(security)
}

func mailboxMenu(m account.MailboxRow, role identity.Role) []ui.MenuItem {
	at := page.MailboxPath(m.ID)
	items := []ui.MenuItem{{Label: "Edit", Icon: "edit", Href: at}}
	if !role.CanChange() {
		items[0] = ui.MenuItem{Label: "View", Icon: "eye", Href: at}
	}
	if role.CanTest() {
		items = append(items,
			ui.MenuItem{Label: "Test configuration", Icon: "mail-fast", Href: at + "/test", Window: true},
			ui.MenuItem{Label: "Check now", Icon: "refresh", Href: at + "/check", Window: true, Disabled: unchecked(m)},
			ui.MenuItem{Label: "Compare paths", Icon: "route", Href: at + "/paths"})
	}
	items = append(items,
		ui.MenuItem{Label: "View inbox", Icon: "inbox", Href: at + "/inbox"},
		ui.MenuItem{Label: "Loop test", Icon: "switch-horizontal", Href: at + "/loop"},
		ui.MenuItem{Label: "Test history", Icon: "history", Href: at + "/tests"})
	if !role.CanChange() {
		return items
	}
	items = append(items, ui.MenuItem{Label: "Clone", Icon: "copy", Href: at + "/clone", Divider: true})
	if m.Active {
		items = append(items, ui.MenuItem{Label: "Disable", Icon: "player-pause", Href: at + "/disable", Post: true})
	} else {
		items = append(items, ui.MenuItem{Label: "Enable", Icon: "player-play", Href: at + "/enable", Post: true})
	}
	return append(items, ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})
}

// unchecked says why an account cannot be looked into now.
func unchecked(m account.MailboxRow) string {
	if !m.Active {
		return "The account is disabled"
	}
	return ""
}

var mailboxCSVColumns = []string{
	"ID", "Name", "Address", "Port", "Protocol", "Secure connection", "Connection type", "Automatic check", "Keep copy on server", "Active",
	"State", "Last check (UTC)", "Last success (UTC)", "Error", "Next attempt (UTC)", "Received messages",
}

func mailboxCSV(rows []account.MailboxRow, health map[int64]inbox.Health) [][]string {
	lines := make([][]string, len(rows))
	for i, m := range rows {
		h := health[m.ID]
		fault := ""
		if h.Fault != nil {
			fault = h.Fault.Cause
		}
		lines[i] = []string{
			strconv.FormatInt(m.ID, 10), m.AccountName, m.Address, strconv.Itoa(m.Port), m.Protocol.Name(), yesNo(m.UseSecureConnection),
			connectionType(m.SecureConnectionType), yesNo(m.AutomaticCheck), yesNo(m.KeepCopyOnServer), yesNo(m.Active),
			page.MailboxStateWord(h.State), utc(&h.LastCheck), utc(&h.LastSuccess), fault, utc(&h.NextAttempt), strings.ReplaceAll(page.ReceivedWords(h), ",", ""),
		}
	}
	return lines
}
