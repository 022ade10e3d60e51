package api

import (
	"bytes"
	"errors"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/problem"
)

const contactTag = "Contacts"

func (a *api) contacts() {
	register(a, operation{"list-contacts", http.MethodGet, "/contacts", "List contacts", contactTag, identity.Auditor, 0}, a.listContacts)
	register(a, operation{"create-contact", http.MethodPost, "/contacts", "Add a contact", contactTag, identity.Administrator, http.StatusCreated}, a.createContact)
	register(a, operation{"import-contacts", http.MethodPost, "/contacts/import", "Add and change contacts by CSV", contactTag, identity.Administrator, 0}, a.importContacts)
	register(a, operation{"show-contact", http.MethodGet, "/contacts/{id}", "Show a contact", contactTag, identity.Auditor, 0}, a.showContact)
	register(a, operation{"change-contact", http.MethodPatch, "/contacts/{id}", "Change a contact, and write again to an address whose mail came back", contactTag, identity.Administrator, 0}, a.changeContact)
	register(a, operation{"delete-contact", http.MethodDelete, "/contacts/{id}", "Delete a contact", contactTag, identity.Administrator, http.StatusNoContent}, a.deleteContact)
}

// contactBody is a contact as programs write it. Defaults are those of the form.
type contactBody struct {
	Name       string `json:"name"`
	Email      string `json:"email,omitempty" doc:"May be absent when user_id is given: then only the screen is left"`
	Username   string `json:"username,omitempty" doc:"As events name those who have access"`
	Department string `json:"department,omitempty"`
	Language   string `json:"language,omitempty" enum:"en,pt,es" default:"en"`
	TimeZone   string `json:"time_zone,omitempty" default:"UTC" example:"Europe/Lisbon"`
	UserID     int64  `json:"user_id,omitempty" doc:"The user of Orbit on whose screen notifications are shown"`
	Active     bool   `json:"active" default:"true"`
	Version    int    `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

func newContactBody(c notify.Contact) contactBody {
	return contactBody{
		Name: c.Name, Email: c.Email, Username: c.Username, Department: c.Department, Language: c.Language, TimeZone: c.TimeZone,
		UserID: c.UserID, Active: c.Active, Version: c.Version,
	}
}

func (b contactBody) contact() notify.Contact {
	return notify.Contact{
		Name: b.Name, Email: b.Email, Username: b.Username, Department: b.Department, Language: b.Language, TimeZone: b.TimeZone,
		UserID: b.UserID, Active: b.Active, Version: b.Version,
	}
}

type contactOutput struct{ Body notify.Contact }

type listContactsInput struct {
	Page
	Search  string `query:"search" doc:"In name, e-mail, username and department"`
	Email   string `query:"email" doc:"A part of the address"`
	GroupID int64  `query:"group_id"`
	Active  string `query:"active" enum:",true,false"`
	Bounced bool   `query:"bounced" doc:"Only those whose mail came back"`
	Sort    string `query:"sort" doc:"name, email, username, department ...; -name descends"`
}

type listContactsOutput struct {
	Body struct {
		Items []notify.Contact `json:"items" nullable:"false"`
		Next  string           `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listContacts(c *call, i *listContactsInput) (*listContactsOutput, error) {
	found, total, err := a.Notify.ListContacts(c, notify.ContactFilter{
		Search: i.Search, Email: i.Email, GroupID: i.GroupID, Active: either(i.Active), Bounced: i.Bounced, Sort: i.Sort,
		Page: i.number(), PerPage: i.Limit,
	})
	output := &listContactsOutput{}
	output.Body.Items = append([]notify.Contact{}, found...)
	output.Body.Next = i.next(total)
	return output, err
}

type createContactInput struct{ Body partial[contactBody] }

func (a *api) createContact(c *call, i *createContactInput) (*contactOutput, error) {
	body := newContactBody(notify.NewContact())
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Notify.CreateContact(c, body.contact())
	return &contactOutput{stored}, err
}

func (a *api) showContact(c *call, i *IDInput) (*contactOutput, error) {
	found, err := a.Notify.FindContact(c, i.ID)
	return &contactOutput{found}, err
}

type changeContactInput struct {
	IDInput
	Body partial[contactBody]
}

func (a *api) changeContact(c *call, i *changeContactInput) (*contactOutput, error) {
	found, err := a.Notify.FindContact(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := newContactBody(found)
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Notify.SaveContact(c, i.ID, body.contact())
	return &contactOutput{stored}, err
}

func (a *api) deleteContact(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Notify.DeleteContact(c, i.ID)
}

type importContactsInput struct {
	DryRun  bool   `query:"dry_run" doc:"Say what the file would do and store nothing"`
	RawBody []byte `contentType:"text/csv" doc:"The first line names the columns: name, email, username, department, language, time_zone, group. A known address changes its contact"`
}

type importContactsOutput struct {
	Body struct {
		Added   int `json:"added"`
		Changed int `json:"changed"`
	}
}

// importContacts stores all lines or none.
func (a *api) importContacts(c *call, i *importContactsInput) (*importContactsOutput, error) {
	done, err := a.importOrPreview(c, i)
	var wrong problem.Invalid
	if errors.As(err, &wrong) { // the file is the whole body
		for n := range wrong {
			wrong[n].Name = ""
		}
	}
	output := &importContactsOutput{}
	output.Body.Added, output.Body.Changed = done.Added, done.Changed
	return output, err
}

func (a *api) importOrPreview(c *call, i *importContactsInput) (notify.Imported, error) {
	if !i.DryRun {
		return a.Notify.ImportContacts(c, bytes.NewReader(i.RawBody))
	}
	preview, err := a.Notify.PreviewContacts(c, bytes.NewReader(i.RawBody))
	if err == nil {
		err = preview.Mistakes.Err()
	}
	return preview.Imported, err
}
