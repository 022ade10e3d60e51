package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const usersPath = "/settings/users"

func userPage(id int64) string { return usersPath + "/" + strconv.FormatInt(id, 10) }

// userFilters is the row of filters above the report.
type userFilters struct {
	Search string `form:"search"`
	Role   string `form:"role"`
	Active string `form:"active"`
}

// listUsers shows the report, or all that matches as a file.
func (s *Server) listUsers(w http.ResponseWriter, r *http.Request) error {
	var f userFilters
	listing := readListing(r, "username", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	filter := identity.UserFilter{
		Search: f.Search, Role: identity.Role(f.Role), Active: optionalYes(f.Active),
		Sort: strings.TrimPrefix(listing.Sort, "-"), Descending: strings.HasPrefix(listing.Sort, "-"),
		Limit: rowsPerPage, Offset: (listing.Page - 1) * rowsPerPage,
	}
	if wantsCSV(r) {
		filter.Limit, filter.Offset = 0, 0
	}
	users, total, err := s.Identity.Users(r.Context(), filter)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "users", userCSVColumns, userCSV(users))
	}
	v := usersReport(users, identity.UserFrom(r.Context()), s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, total)))
}

func usersReport(users []identity.User, reader identity.User, clock ui.Clock) ui.ReportView {
	roles := []ui.Option{{Label: "All"}}
	for _, role := range identity.Roles() {
		roles = append(roles, ui.Option{Value: string(role), Label: role.Label()})
	}
	v := ui.ReportView{
		Title: "Users", Path: usersPath, CanCSV: true, RowsNoun: "users", Naming: 1,
		About: "People who may sign in to Orbit, and what each of them may do.",
		Filters: []ui.Field{
			{Name: "search", Label: "Name or e-mail"}, {Name: "role", Label: "Role", Options: roles}, yesNoFilter("active", "Active"),
		},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "username", Label: "Username"}, {Key: "full_name", Label: "Full name"},
			{Key: "email", Label: "E-mail"}, {Key: "role", Label: "Role"}, {Key: "active", Label: "Active"},
			{Key: "last_sign_in", Label: "Last sign-in"},
		},
	}
	if reader.Role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: usersPath + "/new"}
	}
	for _, u := range users {
		v.Rows = append(v.Rows, userRow(u, reader, clock))
	}
	return v
}

func userRow(u, reader identity.User, clock ui.Clock) ui.Row {
	return ui.Row{
		ID: "user-" + strconv.FormatInt(u.ID, 10), Name: u.Username, Muted: !u.Active,
		Cells: []templ.Component{
			ui.TextCell(strconv.FormatInt(u.ID, 10)), page.UserName(u.Username, userPage(u.ID), u.ID == reader.ID),
			ui.TextCell(u.FullName), ui.TextCell(u.Email), ui.TextCell(u.Role.Label()), page.UserState(u.Active),
			ui.RelativeTime(clock.Moment(u.LastSignIn)),
		},
		Menu: userMenu(u, reader),
	}
}

func userMenu(u, reader identity.User) []ui.MenuItem {
	at := userPage(u.ID)
	if !reader.Role.CanChange() {
		return []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}}
	}
	state := ui.MenuItem{Label: "Disable", Icon: "player-pause", Href: at + "/disable", Window: true}
	if !u.Active {
		state = ui.MenuItem{Label: "Enable", Icon: "player-play", Href: at + "/enable", Post: true}
	}
	return []ui.MenuItem{
		{Label: "Edit", Icon: "edit", Href: at},
		{Label: "Set password", Icon: "password-user", Href: at + "/password", Window: true},
		{Label: "Invite by mail", Icon: "mail-forward", Href: at + "/invite", Post: true},
		{Label: "Sign out everywhere", Icon: "logout", Href: at + "/sign-out", Post: true},
		state,
		{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true},
	}
}

var userCSVColumns = []string{
	"ID", "Username", "Full name", "E-mail", "Role", "Active", "Language", "Time zone", "Last sign-in (UTC)", "Created (UTC)",
}

func userCSV(users []identity.User) [][]string {
	lines := make([][]string, len(users))
	for i, u := range users {
		lines[i] = []string{
			strconv.FormatInt(u.ID, 10), u.Username, u.FullName, u.Email, u.Role.Label(), yesNo(u.Active), u.Language.Label(),
			u.TimeZone, utc(u.LastSignIn), utc(&u.CreatedAt),
		}
	}
	return lines
}

// pathUser is the user that the path names.
func (s *Server) pathUser(r *http.Request) (identity.User, error) {
	id, err := pathID(r)
	if err != nil {
		return identity.User{}, err
	}
	return s.Identity.FindUser(r.Context(), id)
}

// enableUser lets somebody in again.
func (s *Server) enableUser(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	u, err := s.Identity.SetActive(r.Context(), id, true)
	if err != nil {
		return err
	}
	return s.redirect(w, r, usersPath, ui.Said(u.Username+" may sign in again."))
}

// signOutUser ends all sessions of somebody, for a laptop that was lost.
func (s *Server) signOutUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	ended, err := s.Identity.SignOutEverywhere(r.Context(), u)
	if err != nil {
		return err
	}
	return s.redirect(w, r, usersPath, ui.Said(u.Username+" is signed out everywhere: "+ui.Count(int(ended), "session", "sessions")+" ended."))
}

// askDisableUser and askDeleteUser name the consequence first.
func (s *Server) askDisableUser(w http.ResponseWriter, r *http.Request) error {
	return s.askAboutUser(w, r, func(u identity.User) ui.ConfirmView {
		return ui.ConfirmView{
			Title: "Disable user " + u.Username + "?", Action: userPage(u.ID) + "/disable", Submit: "Disable user",
			Text: u.DisplayName() + " is signed out at once and cannot sign in until somebody enables the user again. Nothing is deleted.",
		}
	})
}

func (s *Server) askDeleteUser(w http.ResponseWriter, r *http.Request) error {
	return s.askAboutUser(w, r, func(u identity.User) ui.ConfirmView {
		return ui.ConfirmView{
			Title: "Delete user " + u.Username + "?", Action: userPage(u.ID) + "/delete", Submit: "Delete user", Danger: true,
			Text: u.DisplayName() + " is signed out at once and cannot sign in any more. The audit trail keeps what was done. " +
				"To keep somebody out for a while, disable the user instead.",
		}
	})
}

func (s *Server) askAboutUser(w http.ResponseWriter, r *http.Request, ask func(identity.User) ui.ConfirmView) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	v := ask(u)
	v.Back, v.Password = usersPath, s.mustConfirm(r)
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) disableUser(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	u, err := s.Identity.SetActive(r.Context(), id, false)
	if err != nil {
		return err
	}
	return s.redirect(w, r, usersPath, ui.Said(u.Username+" is disabled and signed out."))
}

func (s *Server) deleteUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	if err := s.Identity.DeleteUser(r.Context(), u.ID); err != nil {
		return err
	}
	return s.redirect(w, r, usersPath, ui.Said("User "+u.Username+" is deleted."))
}

// askUserPassword is the window in which an administrator gives somebody a new password.
func (s *Server) askUserPassword(w http.ResponseWriter, r *http.Request) error {
	return s.showUserPassword(w, r, http.StatusOK, nil)
}

func (s *Server) setUserPassword(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Password vault.Secret `form:"password" label:"Password"`
	}
	_, wrong, err := form.Read(r, &in)
	if err != nil {
		return err
	}
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	if err = together(wrong, s.confirmOnce(w, r)); err == nil {
		err = s.Identity.SetPassword(r.Context(), u.ID, in.Password)
	}
	if err == nil {
		return s.redirect(w, r, usersPath, ui.Said(u.Username+" has a new password and is signed out everywhere."))
	}
	if errors.As(asProblem(err), &wrong) {
		return s.showUserPassword(w, r, http.StatusUnprocessableEntity, wrong)
	}
	return err
}

func (s *Server) showUserPassword(w http.ResponseWriter, r *http.Request, status int, wrong problem.Invalid) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	v := page.UserPasswordView{
		Name: u.DisplayName(), Action: userPage(u.ID) + "/password", Back: usersPath, AskPassword: s.mustConfirm(r), Problems: wrong,
	}
	return s.window(w, r, status, ui.WindowView{Title: "Set password of " + u.Username, Back: v.Back}, page.UserPassword(v))
}
