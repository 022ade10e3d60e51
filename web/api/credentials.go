package api

import (
	"net/http"

	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/vault"
)

const credentialTag = "Credentials"

func (a *api) credentials() {
	register(a, operation{"list-credentials", http.MethodGet, "/credentials", "List credentials", credentialTag, identity.Auditor, 0}, a.listCredentials)
	register(a, operation{"create-credential", http.MethodPost, "/credentials", "Register a credential", credentialTag, identity.Administrator, http.StatusCreated}, a.createCredential)
	register(a, operation{"show-credential", http.MethodGet, "/credentials/{id}", "Show a credential", credentialTag, identity.Auditor, 0}, a.showCredential)
	register(a, operation{"change-credential", http.MethodPatch, "/credentials/{id}", "Change a credential", credentialTag, identity.Administrator, 0}, a.changeCredential)
	register(a, operation{"delete-credential", http.MethodDelete, "/credentials/{id}", "Delete a credential", credentialTag, identity.Administrator, http.StatusNoContent}, a.deleteCredential)
}

// credentialBody is a credential as programs write it.
type credentialBody struct {
	Name     string       `json:"name" doc:"How people find it"`
	Username string       `json:"username" doc:"What is sent to the server, usually an address"`
	Secret   vault.Secret `json:"secret,omitzero" writeOnly:"true" doc:"Password; never returned"`
	Version  int          `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

// credentialItem is a credential as programs read it: without its secret.
type credentialItem struct {
	ID       int64   `json:"id"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Version  int     `json:"version"`
	UsedBy   []usage `json:"used_by" nullable:"false"`
}

type usage struct {
	What string `json:"what"`
	Name string `json:"name"`
}

func newCredentialItem(c credential.Credential) credentialItem {
	item := credentialItem{ID: c.ID, Name: c.Name, Username: c.Username, Version: c.Version, UsedBy: []usage{}}
	for _, use := range c.UsedBy {
		item.UsedBy = append(item.UsedBy, usage{use.What, use.Name})
	}
	return item
}

type credentialOutput struct{ Body credentialItem }

type listCredentialsOutput struct {
	Body struct {
		Items []credentialItem `json:"items" nullable:"false"`
		Next  string           `json:"next,omitempty"`
	}
}

func (a *api) listCredentials(c *call, i *Page) (*listCredentialsOutput, error) {
	stored, err := a.Credentials.List(c)
	if err != nil {
		return nil, err
	}
	output := &listCredentialsOutput{}
	output.Body.Next = i.next(len(stored))
	output.Body.Items = []credentialItem{}
	first := min((i.number()-1)*i.Limit, len(stored))
	for _, found := range stored[first:min(first+i.Limit, len(stored))] {
		output.Body.Items = append(output.Body.Items, newCredentialItem(found))
	}
	return output, nil
}

type createCredentialInput struct{ Body credentialBody }

func (a *api) createCredential(c *call, i *createCredentialInput) (*credentialOutput, error) {
	stored, err := a.Credentials.Create(c, i.Body.Name, i.Body.Username, i.Body.Secret)
	return &credentialOutput{newCredentialItem(stored)}, err
}

func (a *api) showCredential(c *call, i *IDInput) (*credentialOutput, error) {
	found, err := a.Credentials.Find(c, i.ID)
	return &credentialOutput{newCredentialItem(found)}, err
}

type changeCredentialInput struct {
	IDInput
	Body partial[credentialBody]
}

func (a *api) changeCredential(c *call, i *changeCredentialInput) (*credentialOutput, error) {
	found, err := a.Credentials.Find(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := credentialBody{Name: found.Name, Username: found.Username, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	found.Name, found.Username, found.Version = body.Name, body.Username, body.Version
	stored, err := a.Credentials.Update(c, found, body.Secret)
	return &credentialOutput{newCredentialItem(stored)}, err
}

func (a *api) deleteCredential(c *call, i *IDInput) (*struct{}, error) {
	found, err := a.Credentials.Find(c, i.ID)
	if err != nil {
		return nil, err
	}
	return nil, a.Credentials.Delete(c, i.ID, found.Version)
}
