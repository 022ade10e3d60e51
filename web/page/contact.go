package page

import (
	"strings"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/problem"
	"orbit/web/ui"
)

// ContactView is the form of a contact.
type ContactView struct {
	Title   string
	Form    *ui.FormView
	Contact notify.Contact
	Users   []ui.Option
	Clock   ui.Clock
}

// ContactGroupView is the form of a group of contacts.
type ContactGroupView struct {
	Title    string
	Form     *ui.FormView
	Group    notify.Group
	Contacts []ui.Check
	More     int
	Choose   string
}

// ImportView asks for a file of contacts, and shows what it would do.
type ImportView struct {
	Action   string
	Back     string
	Text     string
	Preview  *notify.ImportPreview // nil: no file yet
	Problems problem.Invalid
}

// ready reports whether the file can be stored.
func (v ImportView) ready() bool { return v.Preview != nil && len(v.Problems) == 0 }

// ImportedWords say what a file did.
func ImportedWords(done notify.Imported) string {
	return ui.Count(done.Added, "contact is", "contacts are") + " added, " + ui.Number(done.Changed) + " changed."
}

func wouldDo(p notify.ImportPreview) string {
	return ui.Count(p.Added, "contact", "contacts") + " would be added, " + ui.Number(p.Changed) + " changed"
}

// LanguageName is the name of a language by its key.
func LanguageName(key string) string {
	if name := identity.Language(key).Label(); name != "" {
		return name
	}
	return key
}

// importExample is a file that works.
var importExample = strings.Join([]string{
	"name,email,username,department,language,time_zone,group",
	"Maria Silva,maria@example.com,msilva,Operations,pt,America/Sao_Paulo,Night shift",
	"Ann Example,ann@example.com,,Security,en,Europe/London,",
}, "\n")
