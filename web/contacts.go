package web

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/web/page"
	"orbit/web/ui"
)

const contactsPath = "/settings/notifications/contacts"

func contactPage(id int64) string { return contactsPath + "/" + strconv.FormatInt(id, 10) }

// contactFilters is the row of filters above the report.
type contactFilters struct {
	Search     string `form:"search"`
	Department string `form:"department"`
	Group      int64  `form:"group"`
	Active     string `form:"active"`
	Bounced    string `form:"bounced"`
}

// listContacts shows the people who can be told.
func (s *Server) listContacts(w http.ResponseWriter, r *http.Request) error {
	var f contactFilters
	listing := readListing(r, "name", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	filter := notify.ContactFilter{
		Search: f.Search, Department: f.Department, GroupID: f.Group, Active: optionalYes(f.Active), Bounced: f.Bounced == "yes", Sort: listing.Sort, Page: listing.Page,
	}
	if !wantsCSV(r) {
		filter.PerPage = rowsPerPage
	}
	contacts, total, err := s.Notify.ListContacts(r.Context(), filter)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "contacts", contactCSVColumns, contactCSV(contacts))
	}
	groups, err := s.Notify.ListGroups(r.Context())
	if err != nil {
		return err
	}
	v := contactsReport(contacts, groups, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, total)))
}

func contactsReport(contacts []notify.Contact, groups []notify.Group, role identity.Role, clock ui.Clock) ui.ReportView {
	ofGroup := ui.Field{Name: "group", Label: "Group", Options: []ui.Option{{Label: "All"}}}
	for _, g := range groups {
		ofGroup.Options = append(ofGroup.Options, ui.Option{Value: strconv.FormatInt(g.ID, 10), Label: g.Name})
	}
	v := ui.ReportView{
		Title: "Contacts", Path: contactsPath, CanCSV: true, RowsNoun: "contacts", Naming: 1,
		About:   "People who can be told of events. They need no account of Orbit; with one, notifications also show on their screen.",
		Filters: []ui.Field{{Name: "search", Label: "Name, e-mail, username"}, {Name: "department", Label: "Department"}, ofGroup},
		More:    []ui.Field{yesNoFilter("active", "Active"), {Name: "bounced", Label: "Mail came back", Options: []ui.Option{{Label: "All"}, {Value: "yes", Label: "Yes"}}}},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Key: "email", Label: "E-mail"}, {Key: "username", Label: "Username"},
			{Key: "department", Label: "Department"}, {Label: "Language"}, {Key: "active", Label: "State", Wide: true}, {Key: "created_at", Label: "Added on"},
		},
		Empty: ui.EmptyView{
			Icon: "users", Title: "No contact yet", Text: "Add the people whom notifications go to, one by one or from a CSV file. Groups let a notification name many at once.",
		},
		Actions: []ui.MenuItem{{Label: "Groups", Icon: "users-group", Href: contactGroupsPath}},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: contactsPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New contact", Href: contactsPath + "/new"}
		v.Actions = append(v.Actions, ui.MenuItem{Label: "Import CSV", Icon: "file-text", Href: contactsPath + "/import"})
	}
	for _, c := range contacts {
		v.Rows = append(v.Rows, ui.Row{
			ID: "contact-" + strconv.FormatInt(c.ID, 10), Name: c.Name, Muted: !c.Active, Menu: contactMenu(c, role),
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(c.ID, 10)), ui.NameCell(c.Name, contactPage(c.ID)), ui.TextCell(c.Email), ui.TextCell(c.Username),
				ui.TextCell(c.Department), ui.TextCell(page.LanguageName(c.Language)), page.ContactState(c, clock), page.Added(c.CreatedBy, clock.At(c.CreatedAt)),
			},
		})
	}
	return v
}

func contactMenu(c notify.Contact, role identity.Role) []ui.MenuItem {
	at := contactPage(c.ID)
	if !role.CanChange() {
		return []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}}
	}
	items := []ui.MenuItem{{Label: "Edit", Icon: "edit", Href: at}}
	if c.BouncedAt != nil {
		items = append(items, ui.MenuItem{Label: "Mail arrives again", Icon: "mail-check", Href: at + "/reachable", Post: true})
	}
	return append(items,
		ui.MenuItem{Label: "Messages to it", Icon: "mail-forward", Href: sentPath + "?recipient=" + c.Email},
		ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})
}

// contactCSVColumns begin with those that an import takes.
var contactCSVColumns = []string{"name", "email", "username", "department", "language", "time_zone", "active", "bounced (UTC)", "added (UTC)", "added by"}

func contactCSV(contacts []notify.Contact) [][]string {
	lines := make([][]string, len(contacts))
	for i, c := range contacts {
		lines[i] = []string{c.Name, c.Email, c.Username, c.Department, c.Language, c.TimeZone, yesNo(c.Active), utc(c.BouncedAt), utc(&c.CreatedAt), c.CreatedBy}
	}
	return lines
}

func (s *Server) pathContact(r *http.Request) (notify.Contact, error) {
	id, err := pathID(r)
	if err != nil {
		return notify.Contact{}, err
	}
	return s.Notify.FindContact(r.Context(), id)
}

// markReachable forgets that mail came back: the mailbox is there again.
func (s *Server) markReachable(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathContact(r)
	if err != nil {
		return err
	}
	if _, err := s.Notify.SaveContact(r.Context(), c.ID, c); err != nil {
		return err
	}
	return s.redirect(w, r, contactsPath, ui.Said("Mail goes to "+c.Email+" again."))
}

func (s *Server) askDeleteContact(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathContact(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete contact " + c.Name + "?", Action: contactPage(c.ID) + "/delete", Submit: "Delete contact", Danger: true, Back: contactsPath,
		Text: "Notifications and groups no longer name it. The messages that it got stay in the list of what was sent.",
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) deleteContact(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathContact(r)
	if err != nil {
		return err
	}
	if err := s.Notify.DeleteContact(r.Context(), c.ID); err != nil {
		return err
	}
	return s.redirect(w, r, contactsPath, ui.Said("The contact "+c.Name+" is deleted."))
}
