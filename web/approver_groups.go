package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"orbit/internal/approval"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const groupsPath = "/settings/approver-groups"

func groupPage(id int64) string { return groupsPath + "/" + strconv.FormatInt(id, 10) }

// listApproverGroups shows who decides which requests.
func (s *Server) listApproverGroups(w http.ResponseWriter, r *http.Request) error {
	var f struct {
		Name string `form:"name"`
	}
	listing := readListing(r, "name", &f)
	groups, err := s.Approvals.Groups(r.Context())
	if err != nil {
		return err
	}
	groups = slices.DeleteFunc(groups, func(g approval.Group) bool { return !holds(g.Name, f.Name) })
	slices.SortStableFunc(groups, groupOrders.by(listing.Sort, "name"))
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "approver-groups", groupCSVColumns, groupCSV(groups))
	}
	shown := pageOf(&listing, groups, rowsPerPage)
	v := groupReport(shown, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, len(groups))))
}

var groupOrders = orders[approval.Group]{
	"id":      func(a, b approval.Group) int { return cmp.Compare(a.ID, b.ID) },
	"name":    func(a, b approval.Group) int { return compareText(a.Name, b.Name) },
	"members": func(a, b approval.Group) int { return cmp.Compare(len(a.Members), len(b.Members)) },
	"changed": func(a, b approval.Group) int { return a.ChangedAt.Compare(b.ChangedAt) },
}

func groupReport(groups []approval.Group, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Approver groups", Path: groupsPath, CanCSV: true, RowsNoun: "groups", Naming: 1,
		About:   "Who decides access requests, and by which rules. An application names the group when it asks.",
		Filters: []ui.Field{{Name: "name", Label: "Name"}},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Key: "members", Label: "Approvers", Right: true}, {Label: "Rules", Wide: true},
			{Label: "Active"}, {Key: "changed", Label: "Changed"},
		},
		Empty: ui.EmptyView{
			Icon: "users", Title: "No approver group yet",
			Text: "A group is the people who decide, with its rules: how many must approve, in which order, how long they have.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: groupsPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New approver group", Href: groupsPath + "/new"}
		v.Actions = []ui.MenuItem{{Label: "Deputies", Icon: "users", Href: deputiesPath}}
	}
	for _, g := range groups {
		v.Rows = append(v.Rows, ui.Row{
			ID: "group-" + strconv.FormatInt(g.ID, 10), Name: g.Name, Muted: !g.Active, Menu: groupMenu(g.ID, role),
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(g.ID, 10)), ui.NameCell(g.Name, groupPage(g.ID)), ui.TextCell(strconv.Itoa(len(g.Members))),
				ui.TextCell(page.GroupRules(g)), ui.YesNoCell(g.Active), ui.RelativeTime(clock.At(g.ChangedAt)),
			},
		})
	}
	return v
}

func groupMenu(id int64, role identity.Role) []ui.MenuItem {
	at := groupPage(id)
	if !role.CanChange() {
		return []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}}
	}
	return []ui.MenuItem{
		{Label: "Edit", Icon: "edit", Href: at},
		{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true},
	}
}

var groupCSVColumns = []string{"ID", "Name", "Active", "Rules", "Approvers", "Changed (UTC)", "Changed by"}

func groupCSV(groups []approval.Group) [][]string {
	lines := make([][]string, len(groups))
	for i, g := range groups {
		members := make([]string, len(g.Members))
		for n, m := range g.Members {
			members[n] = fmt.Sprintf("%s (%d)", m.Name, m.Level)
		}
		lines[i] = []string{strconv.FormatInt(g.ID, 10), g.Name, yesNo(g.Active), page.GroupRules(g), strings.Join(members, ", "), utc(&g.ChangedAt), g.ChangedBy}
	}
	return lines
}

// groupForm is what the form of a group posts: people by username or e-mail address, one a line.
type groupForm struct {
	approval.GroupSettings
	Level1     string `form:"level_1,lines" label:"Approvers"`
	Level2     string `form:"level_2,lines" label:"Level 2"`
	Level3     string `form:"level_3,lines" label:"Level 3"`
	Escalation string `form:"escalation,lines" label:"Escalation"`
	Version    int    `form:"version"`
}

// lists are the fields with people, by level.
func (f groupForm) lists() map[int]struct{ field, names string } {
	return map[int]struct{ field, names string }{
		1: {"level_1", f.Level1}, 2: {"level_2", f.Level2}, 3: {"level_3", f.Level3}, approval.Escalation: {"escalation", f.Escalation},
	}
}

// groupChange finds the people that the form names. Who is unknown is a problem of the field.
func (s *Server) groupChange(r *http.Request, f groupForm) (approval.GroupChange, problem.Invalid, error) {
	change := approval.GroupChange{GroupSettings: f.GroupSettings, Version: f.Version}
	var wrong problem.Invalid
	var all []string
	for _, list := range f.lists() {
		all = append(all, namesIn(list.names)...)
	}
	users, err := s.Identity.UsersNamed(r.Context(), all)
	if err != nil {
		return change, nil, err
	}
	for level, list := range f.lists() {
		if level > 1 && !f.ApprovalInLevels {
			continue
		}
		for _, name := range namesIn(list.names) {
			i := slices.IndexFunc(users, func(u identity.User) bool {
				return strings.EqualFold(u.Username, name) || strings.EqualFold(u.Email, name)
			})
			switch {
			case i < 0:
				wrong.Add(list.field, "There is no user “%s”. Add them under Users, with the role Member if they only approve.", name)
			case users[i].Email == "":
				wrong.Add(list.field, "%s has no e-mail address, so no request would reach them.", users[i].DisplayName())
			default:
				change.Members = append(change.Members, approval.Member{UserID: users[i].ID, Name: users[i].DisplayName(), Level: level})
			}
		}
	}
	slices.SortFunc(change.Members, func(a, b approval.Member) int { return cmp.Compare(a.UserID, b.UserID) })
	return change, wrong, nil
}

// namesIn splits what stands one a line, or between commas.
func namesIn(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ';' || r == ' ' || r == '\t' })
}

func (s *Server) newApproverGroup(w http.ResponseWriter, r *http.Request) error {
	return s.showApproverGroup(w, r, http.StatusOK, approval.Group{GroupSettings: approval.NewGroup()}, &ui.FormView{})
}

func (s *Server) pathGroup(r *http.Request) (approval.Group, error) {
	id, err := pathID(r)
	if err != nil {
		return approval.Group{}, err
	}
	return s.Approvals.Group(r.Context(), id)
}

func (s *Server) editApproverGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathGroup(r)
	if err != nil {
		return err
	}
	return s.showApproverGroup(w, r, http.StatusOK, g, &ui.FormView{})
}

func (s *Server) createApproverGroup(w http.ResponseWriter, r *http.Request) error {
	return s.submitGroup(w, r, approval.Group{}, func(c approval.GroupChange) (approval.Group, error) {
		return s.Approvals.CreateGroup(r.Context(), c)
	})
}

func (s *Server) saveApproverGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathGroup(r)
	if err != nil {
		return err
	}
	return s.submitGroup(w, r, g, func(c approval.GroupChange) (approval.Group, error) {
		return s.Approvals.SaveGroup(r.Context(), g.ID, c)
	})
}

func (s *Server) submitGroup(w http.ResponseWriter, r *http.Request, stored approval.Group, store func(approval.GroupChange) (approval.Group, error)) error {
	var f groupForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	change, unknown, err := s.groupChange(r, f)
	if err != nil {
		return err
	}
	err = together(wrong, unknown.Err(), asFields(change.Validate()))
	if err == nil {
		var saved approval.Group
		if saved, err = store(change); err == nil {
			return s.redirect(w, r, groupsPath, ui.Said("The approver group "+saved.Name+" is saved."))
		}
	}
	v := &ui.FormView{Typed: typed}
	switch {
	case errors.As(asFields(err), &v.Problems):
	case errors.As(err, &v.Conflict):
		if stored, err = s.Approvals.Group(r.Context(), stored.ID); err != nil {
			return err
		}
	default:
		return err
	}
	return s.showApproverGroup(w, r, http.StatusUnprocessableEntity, stored, v)
}

// asFields puts problems of the members beside the first field with people.
func asFields(err error) error {
	var wrong problem.Invalid
	if !errors.As(err, &wrong) {
		return err
	}
	moved := slices.Clone(wrong)
	for i := range moved {
		if moved[i].Name == "members" {
			moved[i].Name = "level_1"
		}
	}
	return moved.Err()
}

func (s *Server) showApproverGroup(w http.ResponseWriter, r *http.Request, status int, g approval.Group, v *ui.FormView) error {
	title := "New approver group"
	v.Action, v.Submit, v.Cancel, v.Version = groupsPath, "Save", groupsPath, g.Version
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	if g.ID != 0 {
		title, v.Action = g.Name, groupPage(g.ID)
	}
	return s.show(w, r, status, title, page.ApproverGroup(page.GroupView{Title: title, Form: v, Group: g}))
}

func (s *Server) askDeleteApproverGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathGroup(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete approver group " + g.Name + "?", Action: groupPage(g.ID) + "/delete", Submit: "Delete group", Danger: true, Back: groupsPath,
		Text: "Applications that name it are refused from then on. Requests that wait are decided by the people who were asked.", Password: s.mustConfirm(r),
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) deleteApproverGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathGroup(r)
	if err != nil {
		return err
	}
	if err := s.Approvals.DeleteGroup(r.Context(), g.ID); err != nil {
		return err
	}
	return s.redirect(w, r, groupsPath, ui.Said("The approver group "+g.Name+" is deleted."))
}
