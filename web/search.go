package web

import (
	"context"
	"net/http"
	"strings"

	"orbit/internal/identity"
	"orbit/web/page"
	"orbit/web/ui"
)

// maxFound is how many results are enough to choose from.
const maxFound = 12

// Finder looks for records by words: accounts, credentials. It is asked only for people who may read settings.
type Finder func(ctx context.Context, words string) ([]page.Found, error)

// search looks through the pages of the menus and the records of the finders. search.js asks for JSON while
// somebody types; without it, the field leads to a page of results.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	words := strings.TrimSpace(r.URL.Query().Get("q"))
	found, err := s.find(r.Context(), words)
	if err != nil {
		return err
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return s.answerJSON(w, struct {
			Items []page.Found `json:"items"`
		}{found})
	}
	return s.show(w, r, http.StatusOK, "Search", page.Search(page.SearchView{Words: words, Found: found}))
}

func (s *Server) find(ctx context.Context, words string) ([]page.Found, error) {
	found := []page.Found{}
	if words == "" {
		return found, nil
	}
	role := identity.UserFrom(ctx).Role
	found = append(found, matching(s.visible(gridMenu, role, ""), "Page", words)...)
	for _, group := range s.settingsFor(role, "") {
		where := strings.TrimSpace("Settings " + group.Label)
		found = append(found, matching(group.Links, where, words)...)
	}
	found = append(found, matching(s.visible(personMenu, role, ""), "Page", words)...)
	if role.CanView() {
		for _, ask := range s.Finders {
			records, err := ask(ctx, words)
			if err != nil {
				return nil, err
			}
			found = append(found, records...)
		}
	}
	return found[:min(len(found), maxFound)], nil
}

// matching keeps the links whose label has every word.
func matching(links []ui.Link, where, words string) []page.Found {
	var found []page.Found
	for _, l := range links {
		if hasAll(l.Label+" "+where, words) {
			found = append(found, page.Found{Title: l.Label, Where: where, Href: l.Href, Icon: l.Icon})
		}
	}
	return found
}

func hasAll(text, words string) bool {
	text = strings.ToLower(text)
	for word := range strings.FieldsSeq(strings.ToLower(words)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
