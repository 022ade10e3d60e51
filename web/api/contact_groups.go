package api

import (
	"errors"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/problem"
)

func (a *api) contactGroups() {
	register(a, operation{"list-contact-groups", http.MethodGet, "/contact-groups", "List groups of contacts", contactTag, identity.Auditor, 0}, a.listContactGroups)
	register(a, operation{"create-contact-group", http.MethodPost, "/contact-groups", "Make a group of contacts", contactTag, identity.Administrator, http.StatusCreated}, a.createContactGroup)
	register(a, operation{"show-contact-group", http.MethodGet, "/contact-groups/{id}", "Show a group of contacts", contactTag, identity.Auditor, 0}, a.showContactGroup)
	register(a, operation{"change-contact-group", http.MethodPatch, "/contact-groups/{id}", "Change a group of contacts", contactTag, identity.Administrator, 0}, a.changeContactGroup)
	register(a, operation{"delete-contact-group", http.MethodDelete, "/contact-groups/{id}", "Delete a group; its contacts stay", contactTag, identity.Administrator, http.StatusNoContent}, a.deleteContactGroup)
}

// contactGroupBody is a group of contacts as programs write it.
type contactGroupBody struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	ContactIDs  []int64 `json:"contact_ids,omitempty"`
	Version     int     `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

func (b contactGroupBody) detail() notify.GroupDetail {
	return notify.GroupDetail{Group: notify.Group{Name: b.Name, Description: b.Description, Version: b.Version}, ContactIDs: b.ContactIDs}
}

type contactGroupOutput struct{ Body notify.GroupDetail }

type listContactGroupsOutput struct {
	Body struct {
		Items []notify.Group `json:"items" nullable:"false"`
	}
}

func (a *api) listContactGroups(c *call, _ *struct{}) (*listContactGroupsOutput, error) {
	groups, err := a.Notify.ListGroups(c)
	output := &listContactGroupsOutput{}
	output.Body.Items = append([]notify.Group{}, groups...)
	return output, err
}

type createContactGroupInput struct{ Body partial[contactGroupBody] }

func (a *api) createContactGroup(c *call, i *createContactGroupInput) (*contactGroupOutput, error) {
	var body contactGroupBody
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Notify.CreateGroup(c, body.detail())
	if err != nil {
		return nil, byIDs(err)
	}
	return a.showContactGroup(c, &IDInput{stored.ID})
}

func (a *api) showContactGroup(c *call, i *IDInput) (*contactGroupOutput, error) {
	found, err := a.Notify.FindGroup(c, i.ID)
	return &contactGroupOutput{found}, err
}

type changeContactGroupInput struct {
	IDInput
	Body partial[contactGroupBody]
}

func (a *api) changeContactGroup(c *call, i *changeContactGroupInput) (*contactGroupOutput, error) {
	found, err := a.Notify.FindGroup(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := contactGroupBody{Name: found.Name, Description: found.Description, ContactIDs: found.ContactIDs, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	if _, err := a.Notify.SaveGroup(c, i.ID, body.detail()); err != nil {
		return nil, byIDs(err)
	}
	return a.showContactGroup(c, &i.IDInput)
}

func (a *api) deleteContactGroup(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Notify.DeleteGroup(c, i.ID)
}

// byIDs puts problems of what a form lists beside the members of the body: programs send ids.
func byIDs(err error) error {
	var invalid problem.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	members := map[string]string{"contacts": "contact_ids", "groups": "group_ids", "webhooks": "webhook_ids"}
	for i, field := range invalid {
		if member := members[field.Name]; member != "" {
			invalid[i].Name = member
		}
	}
	return invalid
}
