package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/approval"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const deputiesPath = "/settings/approver-groups/deputies"

// listDeputies shows who decides for whom.
func (s *Server) listDeputies(w http.ResponseWriter, r *http.Request) error {
	return s.showDeputies(w, r, http.StatusOK, &ui.FormView{})
}

func (s *Server) showDeputies(w http.ResponseWriter, r *http.Request, status int, f *ui.FormView) error {
	deputies, err := s.Approvals.Deputies(r.Context())
	if err != nil {
		return err
	}
	clock := s.clock(r)
	f.Action, f.Submit, f.Quiet = deputiesPath, "Add deputy", true
	f.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	report := ui.ReportView{
		Title: "Deputies", Path: deputiesPath, RowsNoun: "deputies", Naming: 0, Page: 1, PerPage: max(1, len(deputies)), Total: len(deputies),
		About:   "Who decides for somebody who is away. New requests go to the deputy instead; requests that wait stay where they are.",
		Columns: []ui.Column{{Label: "Away"}, {Label: "Deputy"}, {Label: "From"}, {Label: "Until"}},
		Empty:   ui.EmptyView{Icon: "users", Title: "Nobody is away", Text: "Name a deputy before somebody goes on holiday, and no request waits in vain."},
	}
	for _, d := range deputies {
		row := ui.Row{
			ID: "deputy-" + strconv.FormatInt(d.ID, 10), Name: d.UserName,
			Cells: []templ.Component{ui.TextCell(d.UserName), ui.TextCell(d.DeputyName), ui.ExactTime(clock.At(d.From)), ui.ExactTime(clock.At(d.Until))},
		}
		if !f.ReadOnly {
			row.Menu = []ui.MenuItem{{Label: "Remove", Icon: "trash", Href: deputiesPath + "/" + strconv.FormatInt(d.ID, 10) + "/remove", Post: true, Danger: true}}
		}
		report.Rows = append(report.Rows, row)
	}
	return s.show(w, r, status, report.Title, page.Deputies(page.DeputiesView{Report: report, Form: f, From: page.LocalTime(clock.Now, clock.Zone)}))
}

func (s *Server) addDeputy(w http.ResponseWriter, r *http.Request) error {
	var f struct {
		User   string `form:"user" label:"Who is away"`
		Deputy string `form:"deputy" label:"Deputy"`
		From   string `form:"from" label:"From"`
		Until  string `form:"until" label:"Until"`
	}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	users, err := s.Identity.UsersNamed(r.Context(), []string{f.User, f.Deputy})
	if err != nil {
		return err
	}
	zone := s.clock(r).Zone
	d := approval.Deputy{UserID: named(&wrong, users, "user", f.User), DeputyID: named(&wrong, users, "deputy", f.Deputy)}
	d.From, d.Until = localTime(&wrong, "from", f.From, zone), localTime(&wrong, "until", f.Until, zone)
	if err = wrong.Err(); err == nil {
		d, err = s.Approvals.AddDeputy(r.Context(), d)
	}
	if err == nil {
		return s.redirect(w, r, deputiesPath, ui.Said(d.DeputyName+" decides for "+d.UserName+"."))
	}
	if v := returned(typed, err); v != nil {
		return s.showDeputies(w, r, http.StatusUnprocessableEntity, v)
	}
	return err
}

// named is the user that a field names.
func named(wrong *problem.Invalid, users []identity.User, field, name string) int64 {
	i := slices.IndexFunc(users, func(u identity.User) bool {
		return strings.EqualFold(u.Username, strings.TrimSpace(name)) || strings.EqualFold(u.Email, strings.TrimSpace(name))
	})
	switch {
	case strings.TrimSpace(name) == "":
		wrong.Add(field, "Enter a username or an e-mail address.")
	case i < 0:
		wrong.Add(field, "There is no user “%s”.", name)
	default:
		return users[i].ID
	}
	return 0
}

// localTime is the moment that a field of a day and time names.
func localTime(wrong *problem.Invalid, field, text string, zone *time.Location) time.Time {
	at, err := time.ParseInLocation(page.LocalTimeLayout, text, zone)
	if err != nil {
		wrong.Add(field, "Enter a day and a time.")
	}
	return at
}

func (s *Server) removeDeputy(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := s.Approvals.RemoveDeputy(r.Context(), id); err != nil {
		return err
	}
	return s.redirect(w, r, deputiesPath, ui.Said("The deputy is removed."))
}
