package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// ruleForm is what the form of a notification posts.
type ruleForm struct {
	notify.RuleSettings
	When       string   `form:"digest" label:"When"` // see page.RuleNow
	Quiet      bool     `form:"quiet" label:"Quiet hours"`
	EventTypes []string `form:"event_types" label:"Events"`
	ContactIDs []int64  `form:"contacts" label:"Contacts"`
	GroupIDs   []int64  `form:"groups" label:"Groups"`
	WebhookIDs []int64  `form:"webhooks" label:"Webhooks"`
	Version    int      `form:"version"`
}

// formOf is the form that a stored notification begins with.
func formOf(rule notify.RuleDetail) ruleForm {
	f := ruleForm{RuleSettings: rule.RuleSettings, When: page.RuleWhen(rule.RuleSettings), Quiet: rule.QuietFrom != "", Version: rule.Version}
	for _, t := range rule.EventTypes {
		f.EventTypes = append(f.EventTypes, t.Key)
	}
	f.ContactIDs, f.GroupIDs, f.WebhookIDs = idsOf(rule.Contacts), idsOf(rule.Groups), idsOf(rule.Webhooks)
	return f
}

func idsOf(named []notify.Named) []int64 {
	ids := make([]int64, len(named))
	for i, n := range named {
		ids[i] = n.ID
	}
	return ids
}

// change is what the form asks for: what a choice hides does not count.
func (f ruleForm) change() notify.RuleChange {
	switch f.When {
	case page.RuleNow:
		f.DigestMinutes = 0
	case page.RuleDaily:
		f.DigestMinutes = notify.Daily
	}
	if !f.Quiet {
		f.QuietFrom, f.QuietUntil = "", ""
	}
	return notify.RuleChange{
		RuleSettings: f.RuleSettings, Version: f.Version, EventTypes: f.EventTypes, ContactIDs: f.ContactIDs, GroupIDs: f.GroupIDs, WebhookIDs: f.WebhookIDs,
	}
}

func (s *Server) newRule(w http.ResponseWriter, r *http.Request) error {
	f := formOf(notify.RuleDetail{Rule: notify.Rule{RuleSettings: notify.NewRuleSettings()}})
	if kind := r.URL.Query().Get("event_type"); kind != "" {
		f.EventTypes = []string{kind}
	}
	return s.showRule(w, r, http.StatusOK, 0, f, &ui.FormView{})
}

func (s *Server) editRule(w http.ResponseWriter, r *http.Request) error {
	rule, err := s.pathRule(r)
	if err != nil {
		return err
	}
	return s.showRule(w, r, http.StatusOK, rule.ID, formOf(rule), &ui.FormView{})
}

func (s *Server) createRule(w http.ResponseWriter, r *http.Request) error {
	return s.submitRule(w, r, 0, notify.NewRuleSettings(), s.Notify.CreateRule)
}

func (s *Server) saveRule(w http.ResponseWriter, r *http.Request) error {
	rule, err := s.pathRule(r)
	if err != nil {
		return err
	}
	return s.submitRule(w, r, rule.ID, rule.RuleSettings, func(ctx context.Context, c notify.RuleChange) (notify.Rule, error) {
		return s.Notify.SaveRule(ctx, rule.ID, c)
	})
}

// submitRule reads the form over present, since fields that a choice hides are not posted, and stores it.
func (s *Server) submitRule(w http.ResponseWriter, r *http.Request, id int64, present notify.RuleSettings, store func(context.Context, notify.RuleChange) (notify.Rule, error)) error {
	f := ruleForm{RuleSettings: present}
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	if err = wrong.Err(); err == nil {
		var stored notify.Rule
		if stored, err = store(r.Context(), f.change()); err == nil {
			return s.redirect(w, r, rulesPath, ui.FlashView{
				Tone: ui.Good, Text: "The notification " + stored.Name + " is saved.", Link: &ui.Link{Label: "Who would receive it?", Href: rulesPath + "/who?type=" + f.EventTypes[0]},
			})
		}
	}
	v := &ui.FormView{Typed: typed}
	status, err := refill(v, err)
	if err != nil {
		return err
	}
	if v.Conflict != nil { // saving again is a decision now
		found, err := s.Notify.FindRule(r.Context(), id)
		if err != nil {
			return err
		}
		f.Version = found.Version
	}
	return s.showRule(w, r, status, id, f, v)
}

func (s *Server) showRule(w http.ResponseWriter, r *http.Request, status int, id int64, f ruleForm, v *ui.FormView) error {
	view, err := s.ruleView(r, f, v)
	if err != nil {
		return err
	}
	view.Title = "New notification"
	v.Action, v.Submit, v.Cancel, v.Version = rulesPath, "Save", rulesPath, f.Version
	if id != 0 {
		view.Title, v.Action = f.Name, rulePage(id)
	}
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	v.Aside = ui.LiveSummary(ui.SummaryView{URL: rulesPath + "/summary", Title: "In short", Content: page.RuleSummary(view)})
	return s.show(w, r, status, view.Title, page.RuleForm(view))
}

// ruleSummary answers the form while somebody chooses.
func (s *Server) ruleSummary(w http.ResponseWriter, r *http.Request) error {
	var f ruleForm
	if _, _, err := form.Read(r, &f); err != nil {
		return err
	}
	view, err := s.ruleView(r, f, &ui.FormView{})
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.RuleSummary(view))
}

// ruleView gathers what the form offers, with what is chosen.
func (s *Server) ruleView(r *http.Request, f ruleForm, v *ui.FormView) (page.RuleView, error) {
	ctx := r.Context()
	view := page.RuleView{Form: v, Values: f.RuleSettings, When: f.When, Quiet: f.Quiet, Choose: rulesPath + "/contacts"}
	types, err := s.Notify.EventTypes(ctx)
	if err != nil {
		return view, err
	}
	view.Types = typeGroups(types, f.EventTypes)
	if view.Contacts, view.More, err = s.contactChecks(ctx, "", f.ContactIDs); err != nil {
		return view, err
	}
	groups, err := s.Notify.ListGroups(ctx)
	if err != nil {
		return view, err
	}
	for _, g := range groups {
		view.Groups.Checks = append(view.Groups.Checks, ui.Check{
			Value: strconv.FormatInt(g.ID, 10), Label: g.Name, About: ui.Count(g.Members, "contact", "contacts"), Checked: slices.Contains(f.GroupIDs, g.ID),
		})
	}
	webhooks, err := s.Notify.ListWebhooks(ctx)
	if err != nil {
		return view, err
	}
	for _, h := range webhooks {
		view.Webhooks.Checks = append(view.Webhooks.Checks, ui.Check{
			Value: strconv.FormatInt(h.ID, 10), Label: h.Name, About: h.URL, Checked: slices.Contains(f.WebhookIDs, h.ID),
		})
	}
	view.Accounts, err = s.accountOptions(ctx, "The default account")
	return view, err
}

// typeGroups puts the event types into boxes by category.
func typeGroups(types []notify.EventType, chosen []string) []ui.CheckGroup {
	var groups []ui.CheckGroup
	for _, t := range types {
		i := slices.IndexFunc(groups, func(g ui.CheckGroup) bool { return g.Label == string(t.Category) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, ui.CheckGroup{Label: string(t.Category)})
		}
		groups[i].Checks = append(groups[i].Checks, ui.Check{Value: t.Name, Label: t.Title, Checked: slices.Contains(chosen, t.Name)})
	}
	return groups
}

// accountOptions lists the SMTP accounts under the choice that none is.
func (s *Server) accountOptions(ctx context.Context, none string) ([]ui.Option, error) {
	rows, _, err := s.Accounts.ListSMTP(ctx, account.SMTPFilter{})
	if err != nil {
		return nil, err
	}
	options := []ui.Option{{Label: none}}
	for _, a := range rows {
		options = append(options, ui.Option{Value: strconv.FormatInt(a.ID, 10), Label: a.AccountName + " (" + a.SenderEmail + ")"})
	}
	return options, nil
}

// mostChoices is how many contacts a form offers besides those that are chosen; the search finds the others.
const mostChoices = 60

// contactChecks are the contacts that are chosen, and after them those that the words find.
func (s *Server) contactChecks(ctx context.Context, words string, chosen []int64) (checks []ui.Check, more int, err error) {
	for _, id := range chosen {
		c, err := s.Notify.FindContact(ctx, id)
		if err != nil {
			continue // deleted meanwhile
		}
		checks = append(checks, contactCheck(c, true))
	}
	found, total, err := s.Notify.ListContacts(ctx, notify.ContactFilter{Search: words, PerPage: mostChoices})
	for _, c := range found {
		if !slices.Contains(chosen, c.ID) {
			checks = append(checks, contactCheck(c, false))
		}
	}
	return checks, total - len(found), err
}

func contactCheck(c notify.Contact, checked bool) ui.Check {
	check := ui.Check{Value: strconv.FormatInt(c.ID, 10), Label: c.Name, About: c.Email, Checked: checked}
	if c.Email == "" {
		check.About = "only on screen"
	}
	if !c.Active {
		check.About += ", disabled"
	}
	return check
}

// chooseContacts answers the search among the contacts of a form: those that are chosen stay.
func (s *Server) chooseContacts(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Find   string  `form:"find"`
		Chosen []int64 `form:"contacts"`
	}
	_, _ = form.Decode(r.URL.Query(), &in)
	checks, more, err := s.contactChecks(r.Context(), in.Find, in.Chosen)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.ContactChoices(checks, more, in.Find))
}
