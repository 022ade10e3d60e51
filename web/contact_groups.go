package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/web/ui"
)

const contactGroupsPath = contactsPath + "/groups"

func contactGroupPage(id int64) string { return contactGroupsPath + "/" + strconv.FormatInt(id, 10) }

// listContactGroups shows the groups that notifications can name.
func (s *Server) listContactGroups(w http.ResponseWriter, r *http.Request) error {
	var f struct {
		Name string `form:"name"`
	}
	listing := readListing(r, "name", &f)
	groups, err := s.Notify.ListGroups(r.Context())
	if err != nil {
		return err
	}
	groups = slices.DeleteFunc(groups, func(g notify.Group) bool { return !holds(g.Name, f.Name) })
	slices.SortStableFunc(groups, contactGroupOrders.by(listing.Sort, "name"))
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "contact-groups", []string{"ID", "Name", "Description", "Contacts", "Changed (UTC)", "Changed by"}, contactGroupCSV(groups))
	}
	shown := pageOf(&listing, groups, rowsPerPage)
	v := contactGroupsReport(shown, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, len(groups))))
}

var contactGroupOrders = orders[notify.Group]{
	"id":      func(a, b notify.Group) int { return cmp.Compare(a.ID, b.ID) },
	"name":    func(a, b notify.Group) int { return compareText(a.Name, b.Name) },
	"members": func(a, b notify.Group) int { return cmp.Compare(a.Members, b.Members) },
	"changed": func(a, b notify.Group) int { return a.ChangedAt.Compare(b.ChangedAt) },
}

func contactGroupsReport(groups []notify.Group, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Groups of contacts", Path: contactGroupsPath, CanCSV: true, RowsNoun: "groups", Naming: 1,
		About:   "Several contacts under one name. Whoever is a member when an event happens is told.",
		Filters: []ui.Field{{Name: "name", Label: "Name"}},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Label: "Description", Wide: true}, {Key: "members", Label: "Contacts", Right: true},
			{Key: "changed", Label: "Changed"}, {Label: "Changed by"},
		},
		Empty: ui.EmptyView{Icon: "users-group", Title: "No group yet", Text: "A group keeps notifications short: they name the night shift, and you change who that is in one place."},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: contactGroupsPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New group", Href: contactGroupsPath + "/new"}
	}
	for _, g := range groups {
		at := contactGroupPage(g.ID)
		menu := []ui.MenuItem{{Label: "Contacts", Icon: "users", Href: contactsPath + "?group=" + strconv.FormatInt(g.ID, 10)}}
		if role.CanChange() {
			menu = append([]ui.MenuItem{{Label: "Edit", Icon: "edit", Href: at}}, append(menu,
				ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})...)
		}
		v.Rows = append(v.Rows, ui.Row{
			ID: "contact-group-" + strconv.FormatInt(g.ID, 10), Name: g.Name, Menu: menu,
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(g.ID, 10)), ui.NameCell(g.Name, at), ui.TextCell(g.Description), ui.TextCell(strconv.Itoa(g.Members)),
				ui.RelativeTime(clock.At(g.ChangedAt)), ui.TextCell(g.ChangedBy),
			},
		})
	}
	return v
}

func contactGroupCSV(groups []notify.Group) [][]string {
	lines := make([][]string, len(groups))
	for i, g := range groups {
		lines[i] = []string{strconv.FormatInt(g.ID, 10), g.Name, g.Description, strconv.Itoa(g.Members), utc(&g.ChangedAt), g.ChangedBy}
	}
	return lines
}

func (s *Server) pathContactGroup(r *http.Request) (notify.GroupDetail, error) {
	id, err := pathID(r)
	if err != nil {
		return notify.GroupDetail{}, err
	}
	return s.Notify.FindGroup(r.Context(), id)
}

func (s *Server) askDeleteContactGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathContactGroup(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete group " + g.Name + "?", Action: contactGroupPage(g.ID) + "/delete", Submit: "Delete group", Danger: true, Back: contactGroupsPath,
		Text: "Notifications no longer name it. Its contacts stay.",
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) deleteContactGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathContactGroup(r)
	if err != nil {
		return err
	}
	if err := s.Notify.DeleteGroup(r.Context(), g.ID); err != nil {
		return err
	}
	return s.redirect(w, r, contactGroupsPath, ui.Said("The group "+g.Name+" is deleted."))
}
