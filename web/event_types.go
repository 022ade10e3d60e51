package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const eventTypesPath = "/settings/notifications/event-types"

// listEventTypes shows what can be told of: the types that Orbit knows, and those that were added.
func (s *Server) listEventTypes(w http.ResponseWriter, r *http.Request) error {
	var f struct {
		Search   string `form:"search"`
		Category string `form:"category"`
		Own      string `form:"own"`
	}
	listing := readListing(r, "category", &f)
	all, err := s.Notify.EventTypes(r.Context())
	if err != nil {
		return err
	}
	types := slices.DeleteFunc(slices.Clone(all), func(t notify.EventType) bool {
		own := optionalYes(f.Own)
		return !holds(t.Name+" "+t.Title, f.Search) || f.Category != "" && string(t.Category) != f.Category || own != nil && t.Own != *own
	})
	slices.SortStableFunc(types, typeOrders.by(listing.Sort, "category"))
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "event-types", []string{"Name", "Title", "Category", "Own", "Fields"}, typeCSV(types))
	}
	shown := pageOf(&listing, types, rowsPerPage)
	v := typesReport(shown, all, identity.UserFrom(r.Context()).Role)
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(listing.report(v, rowsPerPage, len(types))))
}

var typeOrders = orders[notify.EventType]{
	"name":     func(a, b notify.EventType) int { return cmp.Compare(a.Name, b.Name) },
	"title":    func(a, b notify.EventType) int { return compareText(a.Title, b.Title) },
	"category": func(notify.EventType, notify.EventType) int { return 0 }, // the catalogue's own order
}

func typesReport(types, all []notify.EventType, role identity.Role) ui.ReportView {
	category := ui.Field{Name: "category", Label: "Category", Options: []ui.Option{{Label: "All"}}}
	for _, g := range typeGroups(all, nil) {
		category.Options = append(category.Options, ui.Option{Value: g.Label, Label: g.Label})
	}
	v := ui.ReportView{
		Title: "Event types", Path: eventTypesPath, CanCSV: true, RowsNoun: "types", Naming: 0,
		About:   "What can happen. Applications post events of these types; add your own for what Orbit does not know.",
		Filters: []ui.Field{{Name: "search", Label: "Name or title"}, category, yesNoFilter("own", "Own")},
		Columns: []ui.Column{{Key: "title", Label: "Title"}, {Key: "name", Label: "Name"}, {Key: "category", Label: "Category"}, {Label: "Fields", Wide: true}},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: eventTypesPath + "/new"}
	}
	for _, t := range types {
		at := eventTypesPath + "/" + url.PathEscape(t.Name)
		menu := []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}, {Label: "Who would receive it?", Icon: "help-circle", Href: rulesPath + "/who?type=" + url.QueryEscape(t.Name)}}
		if t.Own && role.CanChange() {
			menu[0] = ui.MenuItem{Label: "Edit", Icon: "edit", Href: at}
			menu = append(menu, ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})
		}
		v.Rows = append(v.Rows, ui.Row{
			ID: "type-" + strings.ReplaceAll(t.Name, ".", "-"), Name: t.Title, Menu: menu,
			Cells: []templ.Component{page.TypeTitle(t, at), page.Mono(t.Name), ui.TextCell(string(t.Category)), ui.TextCell(page.FieldNames(t))},
		})
	}
	return v
}

func typeCSV(types []notify.EventType) [][]string {
	lines := make([][]string, len(types))
	for i, t := range types {
		lines[i] = []string{t.Name, t.Title, string(t.Category), yesNo(t.Own), page.FieldNames(t)}
	}
	return lines
}

func (s *Server) pathEventType(r *http.Request) (notify.EventType, error) {
	name, err := url.PathUnescape(chi.URLParam(r, "name"))
	if err != nil {
		return notify.EventType{}, problem.ErrNotFound
	}
	types, err := s.Notify.EventTypes(r.Context())
	if err != nil {
		return notify.EventType{}, err
	}
	i := slices.IndexFunc(types, func(t notify.EventType) bool { return t.Name == name })
	if i < 0 {
		return notify.EventType{}, problem.ErrNotFound
	}
	return types[i], nil
}

func (s *Server) newEventType(w http.ResponseWriter, r *http.Request) error {
	return s.showEventType(w, r, http.StatusOK, notify.EventType{Own: true}, true, &ui.FormView{})
}

func (s *Server) editEventType(w http.ResponseWriter, r *http.Request) error {
	t, err := s.pathEventType(r)
	if err != nil {
		return err
	}
	return s.showEventType(w, r, http.StatusOK, t, false, &ui.FormView{})
}

// typeForm is what the form of an event type posts; its fields stand in numbered rows, see typeFields.
type typeForm struct {
	Name     string `form:"name" label:"Name"`
	Title    string `form:"title" label:"Title"`
	Category string `form:"category" label:"Category"`
}

// typeFields reads the rows of the form; one without a name is no field.
func typeFields(posted url.Values) []notify.Field {
	var fields []notify.Field
	for i := range page.MostFields {
		at := func(what string) string {
			return strings.TrimSpace(posted.Get("field_" + strconv.Itoa(i) + "_" + what))
		}
		if at("name") != "" {
			fields = append(fields, notify.Field{
				Name: at("name"), Kind: notify.Kind(at("kind")), Required: at("required") == "yes", Doc: at("doc"), Sample: at("sample"),
			})
		}
	}
	return fields
}

func (s *Server) createEventType(w http.ResponseWriter, r *http.Request) error {
	types, err := s.Notify.EventTypes(r.Context())
	if err != nil {
		return err
	}
	return s.submitEventType(w, r, "", func(name string) error {
		if slices.ContainsFunc(types, func(t notify.EventType) bool { return t.Own && t.Name == name }) {
			return problem.Invalid{{Name: "name", Text: "There is an event type of this name already."}}
		}
		return nil
	})
}

func (s *Server) saveEventType(w http.ResponseWriter, r *http.Request) error {
	t, err := s.pathEventType(r)
	if err != nil {
		return err
	}
	if !t.Own {
		return problem.Refuse("This type belongs to Orbit.")
	}
	return s.submitEventType(w, r, t.Name, func(string) error { return nil })
}

func (s *Server) submitEventType(w http.ResponseWriter, r *http.Request, name string, free func(name string) error) error {
	var f typeForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	isNew := name == ""
	if isNew {
		name = f.Name
	}
	t := notify.EventType{Name: name, Title: f.Title, Category: notify.Category(f.Category), Fields: typeFields(r.PostForm), Own: true}
	if err = together(wrong, free(name)); err == nil {
		if err = s.Notify.SaveEventType(r.Context(), t); err == nil {
			return s.redirect(w, r, eventTypesPath, ui.Said("The event type "+t.Title+" is saved."))
		}
	}
	v := &ui.FormView{Typed: typed}
	status, err := refill(v, err)
	if err != nil {
		return err
	}
	return s.showEventType(w, r, status, t, isNew, v)
}

func (s *Server) showEventType(w http.ResponseWriter, r *http.Request, status int, t notify.EventType, isNew bool, v *ui.FormView) error {
	view := page.TypeView{Title: "New event type", Form: v, Type: t, New: isNew, Categories: []string{}}
	v.Action, v.Submit, v.Cancel = eventTypesPath, "Save", eventTypesPath
	if !isNew {
		view.Title, v.Action = t.Title, eventTypesPath+"/"+url.PathEscape(t.Name)
	}
	v.ReadOnly = !t.Own || !identity.UserFrom(r.Context()).Role.CanChange()
	types, err := s.Notify.EventTypes(r.Context())
	if err != nil {
		return err
	}
	for _, g := range typeGroups(types, nil) {
		view.Categories = append(view.Categories, g.Label)
	}
	return s.show(w, r, status, view.Title, page.TypeForm(view))
}

func (s *Server) askDeleteEventType(w http.ResponseWriter, r *http.Request) error {
	t, err := s.pathEventType(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete event type " + t.Title + "?", Action: eventTypesPath + "/" + url.PathEscape(t.Name) + "/delete", Submit: "Delete event type", Danger: true,
		Text: "Applications that post it are refused from then on, and notifications no longer name it. Events that came already stay.", Back: eventTypesPath,
	}
	if !t.Own {
		v.Refused = "This type belongs to Orbit."
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) deleteEventType(w http.ResponseWriter, r *http.Request) error {
	t, err := s.pathEventType(r)
	if err != nil {
		return err
	}
	if err := s.Notify.DeleteEventType(r.Context(), t.Name); err != nil {
		return err
	}
	return s.redirect(w, r, eventTypesPath, ui.Said("The event type "+t.Title+" is deleted."))
}
