package ui

import "github.com/a-h/templ"

// SummaryView is the live summary right of a form: in sentences, what the values mean together. While somebody
// types, the form is posted to URL without its secrets, and the answer takes the place of Content.
type SummaryView struct {
	URL     string
	Form    string // id of the form; "form" when empty
	Title   string
	Without string // comma-separated field names that are never sent: secrets
	Content templ.Component
}

// SummaryID is the element whose content the address of a SummaryView answers.
const SummaryID = "summary"

func orForm(id string) string {
	if id == "" {
		return "form"
	}
	return id
}
