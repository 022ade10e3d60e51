package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/identity"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const tokensPath = "/settings/api-tokens"

func tokenPage(id int64) string { return tokensPath + "/" + strconv.FormatInt(id, 10) }

// listTokens shows every token on one page: an installation has a few, not thousands.
func (s *Server) listTokens(w http.ResponseWriter, r *http.Request) error {
	tokens, err := s.Identity.Tokens(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "api-tokens", tokenCSVColumns, tokenCSV(tokens))
	}
	v := tokensReport(tokens, identity.UserFrom(r.Context()).Role, s.clock(r))
	v.Page, v.PerPage, v.Total = 1, max(1, len(tokens)), len(tokens)
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

func tokensReport(tokens []identity.Token, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "API tokens", Path: tokensPath, CanCSV: true, RowsNoun: "tokens", Naming: 1,
		About: "How programs come in: each sends its token with every request.",
		Columns: []ui.Column{
			{Label: "ID", Right: true}, {Label: "Name"}, {Label: "Role"}, {Label: "State"}, {Label: "Expires"}, {Label: "Last used"},
			{Label: "Created"}, {Label: "Created by"},
		},
		Empty: ui.EmptyView{
			Icon: "api", Title: "No API token yet",
			Text: "A program that posts events or manages accounts needs a token of its own, so that it can be revoked alone.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: tokensPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New API token", Href: tokensPath + "/new"}
	}
	for _, t := range tokens {
		v.Rows = append(v.Rows, tokenRow(t, role, clock))
	}
	return v
}

func tokenRow(t identity.Token, role identity.Role, clock ui.Clock) ui.Row {
	row := ui.Row{
		ID: "token-" + strconv.FormatInt(t.ID, 10), Name: t.Name, Muted: t.Expired(clock.Now),
		Cells: []templ.Component{
			ui.TextCell(strconv.FormatInt(t.ID, 10)), ui.NameCell(t.Name, ""), ui.TextCell(t.Role.Label()),
			page.TokenState(t.Expired(clock.Now)), ui.RelativeTime(clock.Moment(t.ExpiresAt)), ui.RelativeTime(clock.Moment(t.LastUsedAt)),
			ui.RelativeTime(clock.At(t.CreatedAt)), ui.TextCell(t.CreatedBy),
		},
	}
	if role.CanChange() {
		row.Menu = []ui.MenuItem{{Label: "Revoke", Icon: "ban", Href: tokenPage(t.ID) + "/revoke", Window: true, Danger: true}}
	}
	return row
}

var tokenCSVColumns = []string{"ID", "Name", "Role", "Expires (UTC)", "Last used (UTC)", "Created (UTC)", "Created by"}

func tokenCSV(tokens []identity.Token) [][]string {
	lines := make([][]string, len(tokens))
	for i, t := range tokens {
		lines[i] = []string{
			strconv.FormatInt(t.ID, 10), t.Name, t.Role.Label(), utc(t.ExpiresAt), utc(t.LastUsedAt), utc(&t.CreatedAt), t.CreatedBy,
		}
	}
	return lines
}

// tokenForm is what the form of a new token posts.
type tokenForm struct {
	Name string `form:"name" label:"Name" maxlength:"100"`
	Role string `form:"role" label:"Role"`
	Days int    `form:"expires_in_days" label:"Expires" min:"0" max:"3650"` // 0: never
}

func (f tokenForm) token(now time.Time) identity.Token {
	t := identity.Token{Name: f.Name, Role: identity.Role(f.Role)}
	if f.Days > 0 {
		end := now.AddDate(0, 0, f.Days)
		t.ExpiresAt = &end
	}
	return t
}

func (s *Server) newToken(w http.ResponseWriter, r *http.Request) error {
	return s.showNewToken(w, r, http.StatusOK, &ui.FormView{})
}

// createToken answers with the token itself. It is the only page that ever shows it, so there is no redirect.
func (s *Server) createToken(w http.ResponseWriter, r *http.Request) error {
	var f tokenForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	wanted := f.token(s.Clock())
	if err := together(wrong, wanted.Validate(s.Clock()), s.confirmOnce(w, r)); err != nil {
		return s.returnToken(w, r, typed, err)
	}
	token, text, err := s.Identity.CreateToken(r.Context(), wanted)
	if err != nil {
		return s.returnToken(w, r, typed, err)
	}
	return s.show(w, r, http.StatusOK, token.Name, page.NewToken(page.TokenView{
		Token: token, Text: text, Address: s.BaseURL.String(), Back: tokensPath, Clock: s.clock(r),
	}))
}

func (s *Server) returnToken(w http.ResponseWriter, r *http.Request, typed form.Typed, why error) error {
	v := &ui.FormView{Typed: typed}
	if errors.As(asProblem(why), &v.Problems) {
		return s.showNewToken(w, r, http.StatusUnprocessableEntity, v)
	}
	return why
}

func (s *Server) showNewToken(w http.ResponseWriter, r *http.Request, status int, v *ui.FormView) error {
	v.Action, v.Submit, v.Cancel, v.Hint = tokensPath, "Create token", tokensPath, "Shows the token once."
	return s.show(w, r, status, "New API token", page.TokenForm(page.TokenFormView{Form: v, AskPassword: s.mustConfirm(r)}))
}

// askRevokeToken names the consequence first.
func (s *Server) askRevokeToken(w http.ResponseWriter, r *http.Request) error {
	t, err := s.pathToken(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Revoke API token " + t.Name + "?", Action: tokenPage(t.ID) + "/revoke", Submit: "Revoke token", Danger: true,
		Text: "Programs that use it are refused at once. A token cannot be restored; make a new one instead.",
		Back: tokensPath, Password: s.mustConfirm(r),
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	t, err := s.pathToken(r)
	if err != nil {
		return err
	}
	if err := s.Identity.RevokeToken(r.Context(), t.ID); err != nil {
		return err
	}
	return s.redirect(w, r, tokensPath, ui.Said("API token "+t.Name+" is revoked."))
}

func (s *Server) pathToken(r *http.Request) (identity.Token, error) {
	id, err := pathID(r)
	if err != nil {
		return identity.Token{}, err
	}
	return s.Identity.Token(r.Context(), id)
}
