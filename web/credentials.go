package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/web/page"
	"orbit/web/ui"
)

const credentialsPath = "/settings/credentials"

func credentialPage(id int64) string { return credentialsPath + "/" + strconv.FormatInt(id, 10) }

// credentialFilters is the row of filters above the report.
type credentialFilters struct {
	Name     string `form:"name"`
	Username string `form:"username"`
}

// listCredentials shows the report, or all that matches as a file. Secrets are in neither.
func (s *Server) listCredentials(w http.ResponseWriter, r *http.Request) error {
	var f credentialFilters
	listing := readListing(r, "name", &f)
	found, err := s.foundCredentials(r.Context(), f, listing.Sort)
	if err != nil {
		return err
	}
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	shown := pageOf(&listing, found, rowsPerPage)
	if wantsCSV(r) {
		shown = found
	}
	rows, err := s.withPlaces(r.Context(), shown)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "credentials", credentialCSVColumns, credentialCSV(rows))
	}
	v := credentialsReport(rows, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, len(found))))
}

func (s *Server) foundCredentials(ctx context.Context, f credentialFilters, sort string) ([]credential.Credential, error) {
	all, err := s.Credentials.List(ctx)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(all, func(c credential.Credential) bool {
		return !holds(c.Name, f.Name) || !holds(c.Username, f.Username)
	})
	slices.SortStableFunc(found, credentialOrders.by(sort, "name"))
	return found, nil
}

var credentialOrders = orders[credential.Credential]{
	"id":       func(a, b credential.Credential) int { return cmp.Compare(a.ID, b.ID) },
	"name":     func(a, b credential.Credential) int { return compareText(a.Name, b.Name) },
	"username": func(a, b credential.Credential) int { return compareText(a.Username, b.Username) },
	"used":     func(a, b credential.Credential) int { return moment(a.LastUsedAt).Compare(moment(b.LastUsedAt)) },
	"changed":  func(a, b credential.Credential) int { return a.ChangedAt.Compare(b.ChangedAt) },
}

// moment is at, or the beginning of time for never.
func moment(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}

// credentialRow is a credential with where its secret may go.
type credentialRow struct {
	credential.Credential
	Places []credential.Place
}

func (s *Server) withPlaces(ctx context.Context, found []credential.Credential) ([]credentialRow, error) {
	ids := make([]int64, len(found))
	for i, c := range found {
		ids[i] = c.ID
	}
	places, err := s.Credentials.PlacesOf(ctx, ids)
	rows := make([]credentialRow, len(found))
	for i, c := range found {
		rows[i] = credentialRow{Credential: c, Places: places[c.ID]}
	}
	return rows, err
}

func credentialsReport(rows []credentialRow, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Credentials", Path: credentialsPath, CanCSV: true, RowsNoun: "credentials", Naming: 1,
		About:   "Usernames and secrets with which accounts sign in at servers. A secret is never shown again, only replaced.",
		Filters: []ui.Field{{Name: "name", Label: "Name"}, {Name: "username", Label: "Username"}},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Key: "username", Label: "Username"}, {Label: "Used by"},
			{Label: "Allowed destinations"}, {Key: "used", Label: "Last used"}, {Key: "changed", Label: "Changed"},
		},
		Empty: ui.EmptyView{
			Icon: "key", Title: "No credential yet",
			Text: "A credential is a username with its password or key. Register it once, then choose it in every account that signs in with it.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: credentialsPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New credential", Href: credentialsPath + "/new"}
	}
	for _, c := range rows {
		v.Rows = append(v.Rows, ui.Row{
			ID: "credential-" + strconv.FormatInt(c.ID, 10), Name: c.Name,
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(c.ID, 10)), ui.NameCell(c.Name, credentialPage(c.ID)), ui.TextCell(c.Username),
				page.CredentialUses(c.UsedBy), page.CredentialPlaces(c.Places, credentialPage(c.ID)),
				ui.RelativeTime(clock.Moment(c.LastUsedAt)), ui.RelativeTime(clock.At(c.ChangedAt)),
			},
			Menu: credentialMenu(c.ID, role),
		})
	}
	return v
}

func credentialMenu(id int64, role identity.Role) []ui.MenuItem {
	at := credentialPage(id)
	if !role.CanChange() {
		return []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}}
	}
	return []ui.MenuItem{
		{Label: "Edit", Icon: "edit", Href: at},
		{Label: "Replace secret", Icon: "rotate-clockwise", Href: at + "/secret", Window: true},
		{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true},
	}
}

var credentialCSVColumns = []string{
	"ID", "Name", "Username", "Used by", "Allowed destinations", "Last used (UTC)", "Changed (UTC)", "Changed by",
}

func credentialCSV(rows []credentialRow) [][]string {
	lines := make([][]string, len(rows))
	for i, c := range rows {
		lines[i] = []string{
			strconv.FormatInt(c.ID, 10), c.Name, c.Username, usesText(c.UsedBy), placesText(c.Places),
			utc(c.LastUsedAt), utc(&c.ChangedAt), c.ChangedBy,
		}
	}
	return lines
}

func usesText(uses []credential.Use) string {
	texts := make([]string, len(uses))
	for i, u := range uses {
		texts[i] = u.What + " " + u.Name
	}
	return strings.Join(texts, "; ")
}

func placesText(places []credential.Place) string {
	texts := make([]string, len(places))
	for i, p := range places {
		texts[i] = p.Label
	}
	return strings.Join(texts, "; ")
}
