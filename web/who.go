package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"orbit/internal/notify"
	"orbit/internal/problem"
	"orbit/web/page"
	"orbit/web/ui"
)

// whoWouldReceive says for an event that somebody makes up who would be told of it. Nothing is stored or sent, so it is
// asked by an address that can be passed on.
func (s *Server) whoWouldReceive(w http.ResponseWriter, r *http.Request) error {
	types, err := s.Notify.EventTypes(r.Context())
	if err != nil {
		return err
	}
	query := r.URL.Query()
	v := page.WhoView{Path: rulesPath + "/who", Types: types, Access: query.Get("access"), Clock: s.clock(r), Form: &ui.FormView{Quiet: true}}
	i := slices.IndexFunc(types, func(t notify.EventType) bool { return t.Name == query.Get("type") })
	if i < 0 {
		return s.show(w, r, http.StatusOK, "Who would receive this?", page.Who(v))
	}
	v.Type = types[i]
	v.Values = eventValues(v.Type, query)
	v.Told, err = s.Notify.Simulate(r.Context(), notify.Event{Type: v.Type.Name, Data: eventData(v.Type, v.Values), Access: namesIn(v.Access)})
	if errors.As(err, &v.Form.Problems) {
		v.Form.Problems = barely(v.Form.Problems)
		err = nil
	}
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "Who would receive this?", page.Who(v))
}

// eventValues are the fields of an event as they were typed; at first they are samples.
func eventValues(kind notify.EventType, query url.Values) map[string]string {
	values := map[string]string{}
	for _, f := range kind.Fields {
		values[f.Name] = f.Sample
		if query.Has("data." + f.Name) {
			values[f.Name] = strings.TrimSpace(query.Get("data." + f.Name))
		}
	}
	return values
}

// eventData makes an event's data of what was typed; a blank field is left out.
func eventData(kind notify.EventType, values map[string]string) map[string]any {
	data := map[string]any{}
	for _, f := range kind.Fields {
		text := values[f.Name]
		if text == "" {
			continue
		}
		switch f.Kind {
		case notify.NumberField:
			data[f.Name] = json.Number(text)
		case notify.ListField:
			data[f.Name] = commaList(text)
		case notify.TextField, notify.TimeField:
			data[f.Name] = text
		}
	}
	return data
}

// commaList splits what stands between commas.
func commaList(text string) []any {
	var list []any
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// barely calls the fields of an event as the form does: a number that is none makes the data no JSON.
func barely(wrong problem.Invalid) problem.Invalid {
	for i := range wrong {
		if wrong[i].Name == "data" {
			wrong[i].Text = "A number holds something else than digits."
		}
	}
	return wrong
}
