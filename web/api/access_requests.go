package api

import (
	"net/http"
	"strconv"
	"time"

	"orbit/internal/approval"
	"orbit/internal/identity"
)

const requestTag = "Access requests"

func (a *api) accessRequests() {
	if a.Approvals == nil {
		return
	}
	register(a, operation{"list-access-requests", http.MethodGet, "/access-requests", "List access requests", requestTag, identity.Auditor, 0}, a.listRequests)
	register(a, operation{"create-access-request", http.MethodPost, "/access-requests", "Ask for an access", requestTag, identity.Member, http.StatusCreated}, a.createRequest)
	register(a, operation{"show-access-request", http.MethodGet, "/access-requests/{id}", "Show an access request", requestTag, identity.Member, 0}, a.showRequest)
	register(a, operation{"cancel-access-request", http.MethodPost, "/access-requests/{id}/cancel", "Withdraw a request that is not decided", requestTag, identity.Member, 0}, a.cancelRequest)
	register(a, operation{"revoke-access-request", http.MethodPost, "/access-requests/{id}/revoke", "Take an approved access back", requestTag, identity.Operator, 0}, a.revokeRequest)

	register(a, operation{"list-approver-groups", http.MethodGet, "/approver-groups", "List approver groups", requestTag, identity.Auditor, 0}, a.listApproverGroups)
	register(a, operation{"create-approver-group", http.MethodPost, "/approver-groups", "Make an approver group", requestTag, identity.Administrator, http.StatusCreated}, a.createApproverGroup)
	register(a, operation{"show-approver-group", http.MethodGet, "/approver-groups/{id}", "Show an approver group", requestTag, identity.Auditor, 0}, a.showApproverGroup)
	register(a, operation{"change-approver-group", http.MethodPatch, "/approver-groups/{id}", "Change an approver group", requestTag, identity.Administrator, 0}, a.changeApproverGroup)
	register(a, operation{"delete-approver-group", http.MethodDelete, "/approver-groups/{id}", "Delete an approver group", requestTag, identity.Administrator, http.StatusNoContent}, a.deleteApproverGroup)
	a.approvers()
}

// requestItem is a request as programs read it.
type requestItem struct {
	approval.Request
	Code      string              `json:"code" doc:"S000001"`
	Requester approval.NameEmail  `json:"requester"`
	Approvers []approval.Approver `json:"approvers,omitempty"`
	Decisions []approval.Decision `json:"decisions,omitempty"`
}

func newRequestItem(w approval.Whole) requestItem {
	return requestItem{
		Request: w.Request, Code: w.Code(), Requester: approval.NameEmail{Name: w.RequesterName, Email: w.RequesterEmail},
		Approvers: w.Approvers, Decisions: w.Decisions,
	}
}

type requestOutput struct{ Body requestItem }

type listRequestsInput struct {
	Page
	Status string    `query:"status" enum:",pending,approved,rejected,cancelled,revoked,expired"`
	Search string    `query:"search" doc:"In code, requester, device, credential and governance ID"`
	From   time.Time `query:"from" doc:"RFC 3339"`
	Until  time.Time `query:"until" doc:"RFC 3339"`
}

type listRequestsOutput struct {
	Body struct {
		Items []requestItem `json:"items" nullable:"false"`
		Next  string        `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listRequests(c *call, i *listRequestsInput) (*listRequestsOutput, error) {
	before, _ := strconv.ParseInt(i.Cursor, 10, 64) // what is no cursor of ours begins at the first page
	rows, next, err := a.Approvals.List(c, approval.Filter{
		Status: approval.Status(i.Status), Search: i.Search, From: i.From, Until: i.Until, Before: before, Rows: i.Limit,
	})
	if err != nil {
		return nil, err
	}
	output := &listRequestsOutput{}
	output.Body.Items = make([]requestItem, len(rows))
	for n, row := range rows {
		output.Body.Items[n] = newRequestItem(approval.Whole{Request: row.Request})
	}
	if next != 0 {
		output.Body.Next = strconv.FormatInt(next, 10)
	}
	return output, nil
}

type createRequestInput struct{ Body approval.New }

func (a *api) createRequest(c *call, i *createRequestInput) (*requestOutput, error) {
	whole, err := a.Approvals.Create(c, i.Body)
	return &requestOutput{newRequestItem(whole)}, err
}

func (a *api) showRequest(c *call, i *IDInput) (*requestOutput, error) {
	whole, err := a.Approvals.Find(c, i.ID)
	return &requestOutput{newRequestItem(whole)}, err
}

type withdrawInput struct {
	IDInput
	Body struct {
		Justification string `json:"justification,omitempty" doc:"The requester reads it; revoking needs one"`
	}
}

func (a *api) cancelRequest(c *call, i *withdrawInput) (*requestOutput, error) {
	whole, err := a.Approvals.Cancel(c, i.ID, i.Body.Justification)
	return &requestOutput{newRequestItem(whole)}, err
}

func (a *api) revokeRequest(c *call, i *withdrawInput) (*requestOutput, error) {
	whole, err := a.Approvals.Revoke(c, i.ID, i.Body.Justification)
	return &requestOutput{newRequestItem(whole)}, err
}

// groupBody is an approver group as programs write it. Defaults are those of the form.
type groupBody struct {
	approval.GroupSettings
	Members []approval.Member `json:"members" nullable:"false" doc:"Users with their level: 1 to 3, or 0 for those to whom requests are escalated"`
	Version int               `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

func (b groupBody) change() approval.GroupChange {
	return approval.GroupChange{GroupSettings: b.GroupSettings, Members: b.Members, Version: b.Version}
}

type groupOutput struct{ Body approval.Group }

type listGroupsOutput struct {
	Body struct {
		Items []approval.Group `json:"items" nullable:"false"`
	}
}

func (a *api) listApproverGroups(c *call, _ *struct{}) (*listGroupsOutput, error) {
	groups, err := a.Approvals.Groups(c)
	output := &listGroupsOutput{}
	output.Body.Items = append([]approval.Group{}, groups...)
	return output, err
}

type createGroupInput struct{ Body partial[groupBody] }

func (a *api) createApproverGroup(c *call, i *createGroupInput) (*groupOutput, error) {
	body := groupBody{GroupSettings: approval.NewGroup()}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Approvals.CreateGroup(c, body.change())
	return &groupOutput{stored}, err
}

func (a *api) showApproverGroup(c *call, i *IDInput) (*groupOutput, error) {
	found, err := a.Approvals.Group(c, i.ID)
	return &groupOutput{found}, err
}

type changeGroupInput struct {
	IDInput
	Body partial[groupBody]
}

func (a *api) changeApproverGroup(c *call, i *changeGroupInput) (*groupOutput, error) {
	found, err := a.Approvals.Group(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := groupBody{GroupSettings: found.GroupSettings, Members: found.Members, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Approvals.SaveGroup(c, i.ID, body.change())
	return &groupOutput{stored}, err
}

func (a *api) deleteApproverGroup(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Approvals.DeleteGroup(c, i.ID)
}
