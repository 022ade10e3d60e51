package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/internal/mail/ladder"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/web/page"
	"orbit/web/ui"
)

func grantPage(id int64) string { return grantsPath + "/" + strconv.FormatInt(id, 10) }

// grantFilters is the row of filters above the grants.
type grantFilters struct {
	Address      string `form:"address"`
	State        string `form:"state"`
	Registration int64  `form:"registration"`
}

// listGrants shows what each mailbox has, and the registered credentials that lack it.
func (s *Server) listGrants(w http.ResponseWriter, r *http.Request) error {
	var f grantFilters
	listing := readListing(r, "address", &f)
	state, err := s.proxyState(r.Context())
	if err != nil {
		return err
	}
	patterns, err := s.patterns(r.Context())
	if err != nil {
		return err
	}
	rows, err := s.withUngranted(r.Context(), state.grants)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(g oauth.Grant) bool {
		return !holds(g.Address, f.Address) || f.State != "" && string(g.State) != f.State || f.Registration != 0 && g.RegistrationID != f.Registration
	})
	slices.SortStableFunc(rows, grantOrders.by(listing.Sort, "address"))
	if wantsCSV(r) {
		return s.csv(w, "oauth-grants", grantCSVColumns, grantCSV(rows, patterns))
	}
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	v := grantsReport(pageOf(&listing, rows, rowsPerPage), patterns, identity.UserFrom(r.Context()).Role, s.clock(r))
	v.Note = page.ProxyNotes(state.tabs(grantsPath), nil)
	return s.show(w, r, http.StatusOK, "Grants", ui.Report(listing.report(v, rowsPerPage, len(rows))))
}

var grantOrders = orders[oauth.Grant]{
	"address": func(a, b oauth.Grant) int { return compareText(a.Address, b.Address) },
	"state":   func(a, b oauth.Grant) int { return cmp.Compare(page.GrantWord(a.State), page.GrantWord(b.State)) },
	"expires": func(a, b oauth.Grant) int { return moment(a.ExpiresAt).Compare(moment(b.ExpiresAt)) },
}

// patterns are the registrations by id.
func (s *Server) patterns(ctx context.Context) (map[int64]oauth.Registration, error) {
	all, err := s.OAuth.List(ctx)
	by := make(map[int64]oauth.Registration, len(all))
	for _, r := range all {
		by[r.ID] = r
	}
	return by, err
}

// withUngranted adds the registered credentials that a registration covers and nobody has authorised.
func (s *Server) withUngranted(ctx context.Context, grants []oauth.Grant) ([]oauth.Grant, error) {
	rows := slices.Clone(grants)
	known, err := s.knownMailboxes(ctx)
	if err != nil {
		return nil, err
	}
	for _, address := range known {
		if slices.ContainsFunc(grants, func(g oauth.Grant) bool { return g.Address == address }) {
			continue
		}
		found, err := s.OAuth.Lookup(ctx, address)
		if errors.Is(err, problem.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, oauth.Grant{Address: address, RegistrationID: found.ID, State: oauth.None})
	}
	return rows, nil
}

func grantsReport(rows []oauth.Grant, patterns map[int64]oauth.Registration, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: proxyTitle, Path: grantsPath, CanCSV: true, RowsNoun: "mailboxes",
		About: "What each mailbox has: its permission from the provider, when its token ends, and what went wrong last. " +
			"A token goes only to the provider's own servers, to this machine, and to servers that were named when the mailbox was authorised: those are listed with it.",
		Filters: []ui.Field{
			{Name: "address", Label: "Mailbox"},
			{Name: "state", Label: "State", Options: []ui.Option{
				{Label: "All"}, {Value: string(oauth.Active), Label: page.GrantWord(oauth.Active)}, {Value: string(oauth.Waiting), Label: page.GrantWord(oauth.Waiting)},
				{Value: string(oauth.Failed), Label: page.GrantWord(oauth.Failed)}, {Value: string(oauth.None), Label: page.GrantWord(oauth.None)},
			}},
		},
		Columns: []ui.Column{
			{Key: "address", Label: "Mailbox"}, {Key: "state", Label: "State"}, {Label: "Last error", Wide: true}, {Key: "expires", Label: "Token ends"},
			{Label: "Registration"},
		},
		Empty: ui.EmptyView{
			Icon: "lock-open", Title: "No mailbox yet",
			Text: "A mailbox appears here when it is authorised, or when its credential is registered and a registration covers it.",
		},
	}
	if role.CanChange() && len(patterns) > 0 {
		v.New = &ui.Link{Label: "Authorise", Href: authorisePath}
		v.Empty.New = &ui.Link{Label: "Authorise a mailbox", Href: authorisePath}
	}
	for _, g := range rows {
		v.Rows = append(v.Rows, grantRow(g, patterns[g.RegistrationID], role, clock))
	}
	return v
}

func grantRow(g oauth.Grant, registration oauth.Registration, role identity.Role, clock ui.Clock) ui.Row {
	row := ui.Row{
		ID: "grant-" + strconv.FormatInt(g.ID, 10), Name: g.Address, Muted: g.State == oauth.None,
		Cells: []templ.Component{
			ui.TextCell(g.Address), page.GrantCell(g, clock), page.GrantFault(g, grantPage(g.ID)+"/error", clock), page.TokenCell(g, clock),
			ui.NameCell(registration.Pattern, page.RegistrationPath(registration.ID)),
		},
	}
	row.Menu = grantMenu(g, registration, role)
	return row
}

func grantMenu(g oauth.Grant, registration oauth.Registration, role identity.Role) []ui.MenuItem {
	query := "?" + url.Values{"address": {g.Address}}.Encode()
	var items []ui.MenuItem
	if role.CanChange() {
		items = append(items, ui.MenuItem{Label: "Authorise", Icon: "lock-open", Href: authorisePath + query, Window: true})
	}
	if g.State != oauth.None && role.CanTest() {
		items = append(items, ui.MenuItem{Label: "Try at the mail server", Icon: "shield-check", Href: grantsPath + "/try" + query, Window: true})
	}
	items = append(items, ui.MenuItem{Label: "Steps at the provider", Icon: "checklist", Href: page.RegistrationPath(registration.ID) + "/steps?" + url.Values{"mailbox": {g.Address}}.Encode()})
	if g.ID != 0 && role.CanChange() {
		items = append(items, ui.MenuItem{
			Label: "Revoke", Icon: "ban", Href: grantPage(g.ID) + "/revoke", Window: true, Danger: true, Divider: true,
		})
	}
	return items
}

var grantCSVColumns = []string{
	"Mailbox", "State", "Registration", "Signed in as", "Accepted by", "Token ends (UTC)", "Authorised (UTC)", "Authorised by", "Token also goes to", "Last error",
}

func grantCSV(rows []oauth.Grant, patterns map[int64]oauth.Registration) [][]string {
	lines := make([][]string, len(rows))
	for i, g := range rows {
		cause := ""
		if g.Fault != nil {
			cause = g.Fault.Cause
		}
		servers, _ := g.Approved()
		lines[i] = []string{
			g.Address, page.GrantWord(g.State), patterns[g.RegistrationID].Pattern, g.SignedInAs, g.ProvenBy, utc(g.ExpiresAt), utc(g.AuthorisedAt),
			g.AuthorisedBy, servers, cause,
		}
	}
	return lines
}

// askTryGrant says what a try does, tryGrant does it: a token now, and what the mail server says to it.
func (s *Server) askTryGrant(w http.ResponseWriter, r *http.Request) error {
	address := oauth.Normal(r.URL.Query().Get("address"))
	v := ui.ConfirmView{
		Text:   "Orbit gets a token for " + address + " and shows it to the mail server.",
		Action: grantsPath + "/try", Submit: "Try", Back: grantsPath, Values: map[string]string{"address": address},
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Try " + address, Back: grantsPath}, ui.Confirm(v))
}

func (s *Server) tryGrant(w http.ResponseWriter, r *http.Request) error {
	outcome, err := s.OAuth.Prove(r.Context(), r.FormValue("address"))
	if err != nil {
		return err
	}
	return s.showOutcome(w, r, outcome)
}

func (s *Server) askRevokeGrant(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathGrant(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Revoke the permission of " + g.Address + "?", Action: r.URL.Path, Submit: "Revoke", Danger: true,
		Text: "Orbit destroys its tokens and cannot sign in as this mailbox until it is authorised again. At the provider the permission stays listed until somebody withdraws it there.",
		Back: grantsPath, Password: s.mustConfirm(r),
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) revokeGrant(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathGrant(r)
	if err != nil {
		return err
	}
	if err := s.OAuth.Forget(r.Context(), g.Address); err != nil {
		return err
	}
	return s.redirect(w, r, grantsPath, ui.Said("The tokens of "+g.Address+" are destroyed."))
}

// showGrantError is the last error of a grant in full: who must do what.
func (s *Server) showGrantError(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathGrant(r)
	if err != nil {
		return err
	}
	if g.Fault == nil {
		return problem.Refuse("%s has no error any more.", g.Address)
	}
	again := ""
	if identity.UserFrom(r.Context()).Role.CanChange() {
		again = authorisePath + "?" + url.Values{"address": {g.Address}}.Encode()
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Last error of " + g.Address, Back: grantsPath}, page.GrantFaultWindow(g, again, grantsPath))
}

func (s *Server) pathGrant(r *http.Request) (oauth.Grant, error) {
	id, err := pathID(r)
	if err != nil {
		return oauth.Grant{}, err
	}
	all, err := s.OAuth.Grants(r.Context(), 0)
	if err != nil {
		return oauth.Grant{}, err
	}
	i := slices.IndexFunc(all, func(g oauth.Grant) bool { return g.ID == id })
	if i < 0 {
		return oauth.Grant{}, problem.ErrNotFound
	}
	return all[i], nil
}

// faultOf is the explained fault of an error that has one.
func faultOf(err error) *ladder.Fault {
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return &explained.Fault
	}
	return nil
}
