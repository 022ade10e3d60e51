package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/oauth"
	"orbit/internal/oauth/preset"
	"orbit/web/page"
	"orbit/web/ui"
)

const proxyPath = page.OAuthProxyPath

// proxyTitle stands above every page of the mail proxy.
const proxyTitle = "Email OAuth 2.0 proxy"

// registrationFilters is the row of filters above the registrations.
type registrationFilters struct {
	Pattern string `form:"pattern"`
	Client  string `form:"client"`
}

// listRegistrations shows the report of registrations, or all of them as a file.
func (s *Server) listRegistrations(w http.ResponseWriter, r *http.Request) error {
	var f registrationFilters
	listing := readListing(r, "pattern", &f)
	found, err := s.foundRegistrations(r.Context(), f, listing.Sort)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "oauth-registrations", registrationCSVColumns, registrationCSV(found))
	}
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	state, err := s.proxyState(r.Context())
	if err != nil {
		return err
	}
	ways, err := s.ways(r.Context())
	if err != nil {
		return err
	}
	v := registrationsReport(pageOf(&listing, found, rowsPerPage), state, ways, identity.UserFrom(r.Context()).Role, s.clock(r))
	return s.show(w, r, http.StatusOK, proxyTitle, ui.Report(listing.report(v, rowsPerPage, len(found))))
}

func (s *Server) foundRegistrations(ctx context.Context, f registrationFilters, sort string) ([]oauth.Registration, error) {
	all, err := s.OAuth.List(ctx)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(all, func(r oauth.Registration) bool {
		return !holds(r.Pattern, f.Pattern) || !holds(r.ClientID, f.Client)
	})
	slices.SortStableFunc(found, registrationOrders.by(sort, "pattern"))
	return found, nil
}

var registrationOrders = orders[oauth.Registration]{
	"id":      func(a, b oauth.Registration) int { return cmp.Compare(a.ID, b.ID) },
	"pattern": func(a, b oauth.Registration) int { return compareText(a.Pattern, b.Pattern) },
	"provider": func(a, b oauth.Registration) int {
		return compareText(preset.Of(a.Settings).Name, preset.Of(b.Settings).Name)
	},
	"secret": func(a, b oauth.Registration) int { return secretEnd(a).Compare(secretEnd(b)) },
}

func registrationsReport(rows []oauth.Registration, state proxyState, ways ways, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: proxyTitle, Path: proxyPath, CanCSV: true, RowsNoun: "registrations", Naming: 1,
		About:   "Lets Orbit's accounts and mail programs that know only passwords use providers that accept only OAuth 2.0.",
		Filters: []ui.Field{{Name: "pattern", Label: "Applies to"}, {Name: "client", Label: "Client ID"}},
		Columns: []ui.Column{
			{Key: "id", Label: "ID", Right: true}, {Key: "pattern", Label: "Applies to"}, {Key: "provider", Label: "Provider"}, {Label: "Flow"},
			{Label: "Grants", Wide: true}, {Key: "secret", Label: "Secret"},
		},
		Note: page.ProxyNotes(state.tabs(proxyPath), state.notes(clock.Now)),
		Empty: ui.EmptyView{
			Icon: "shield-lock", Title: "No registration yet",
			Text: "A registration tells Orbit how to get tokens from Microsoft 365, Google or another provider. Register the application there, enter its ids here, then authorise the mailbox once.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: proxyPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New registration", Href: proxyPath + "/new"}
		v.Actions = []ui.MenuItem{
			{Label: "Paste a configuration or command", Icon: "clipboard-check", Href: proxyPath + "/paste"},
			{Label: "Export for email-oauth2-proxy", Icon: "file-export", Href: proxyPath + "/export"},
		}
	}
	for _, r := range rows {
		v.Rows = append(v.Rows, registrationRow(r, state, ways, role, clock))
	}
	return v
}

func registrationRow(r oauth.Registration, state proxyState, ways ways, role identity.Role, clock ui.Clock) ui.Row {
	through := ""
	if r.UseNetworkConnector {
		through = ways.words(cmp.Or(r.NetworkConnectorID, ways.usual))
	}
	return ui.Row{
		ID: "registration-" + strconv.FormatInt(r.ID, 10), Name: r.Pattern,
		Cells: []templ.Component{
			ui.TextCell(strconv.FormatInt(r.ID, 10)), page.PatternCell(r), page.ProviderCell(r, through), page.FlowCell(r.Settings),
			page.GrantsCell(state.grantsOf(r.ID), grantsPath+"?registration="+strconv.FormatInt(r.ID, 10)),
			page.SecretCell(r, clock),
		},
		Menu: registrationMenu(r, role),
	}
}

func registrationMenu(r oauth.Registration, role identity.Role) []ui.MenuItem {
	at := page.RegistrationPath(r.ID)
	steps := ui.MenuItem{Label: "Steps at the provider", Icon: "checklist", Href: at + "/steps"}
	if !role.CanChange() {
		items := []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}, steps}
		if role.CanTest() {
			items = append(items, ui.MenuItem{Label: "Test", Icon: "shield-check", Href: at + "/test", Window: true})
		}
		return items
	}
	return []ui.MenuItem{
		{Label: "Edit", Icon: "edit", Href: at},
		steps,
		{Label: "Authorise", Icon: "lock-open", Href: at + "/authorise", Window: true},
		{Label: "Test", Icon: "shield-check", Href: at + "/test", Window: true},
		{Label: "Rotate secret", Icon: "rotate-clockwise", Href: at + "/secret"},
		{Label: "Remove", Icon: "trash", Href: at + "/remove", Window: true, Danger: true, Divider: true},
	}
}

var registrationCSVColumns = []string{
	"ID", "Applies to", "Provider", "Tenant", "Flow", "Effective flow", "Client ID", "Token URL", "Permission URL", "Scope", "Secret expires (UTC)",
}

func registrationCSV(rows []oauth.Registration) [][]string {
	lines := make([][]string, len(rows))
	for i, r := range rows {
		active, _ := r.Active()
		lines[i] = []string{
			strconv.FormatInt(r.ID, 10), r.Pattern, preset.Of(r.Settings).Name, r.Tenant, string(r.Flow), string(r.EffectiveFlow()), r.ClientID,
			r.TokenURL, r.PermissionURL, r.Scope, utc(active.ExpiresAt),
		}
	}
	return lines
}
