package api

import (
	"net/http"
	"strings"
	"time"

	"orbit/internal/approval"
	"orbit/internal/identity"
)

// approvers are the people who decide, and who stands in for them. Approver groups name them by user_id.
func (a *api) approvers() {
	register(a, operation{"list-approvers", http.MethodGet, "/approvers", "List who can be in an approver group", requestTag, identity.Auditor, 0}, a.listApprovers)
	register(a, operation{"import-approver", http.MethodPost, "/approvers", "Add an approver and invite them by mail; a known address is returned as it is", requestTag, identity.Administrator, 0}, a.importApprover)

	register(a, operation{"list-deputies", http.MethodGet, "/deputies", "List who decides for somebody who is away", requestTag, identity.Auditor, 0}, a.listDeputies)
	register(a, operation{"add-deputy", http.MethodPost, "/deputies", "Let somebody decide for somebody else between two times", requestTag, identity.Administrator, http.StatusCreated}, a.addDeputy)
	register(a, operation{"remove-deputy", http.MethodDelete, "/deputies/{id}", "End a deputy's time", requestTag, identity.Administrator, http.StatusNoContent}, a.removeDeputy)
}

// approverItem is a user as those see them who set up approvals.
type approverItem struct {
	UserID int64         `json:"user_id"`
	Name   string        `json:"name"`
	Email  string        `json:"email"`
	Role   identity.Role `json:"role"`
}

func newApproverItem(u identity.User) approverItem {
	return approverItem{UserID: u.ID, Name: u.DisplayName(), Email: u.Email, Role: u.Role}
}

type listApproversInput struct {
	Page
	Search string `query:"search" doc:"In name, username and e-mail"`
}

type listApproversOutput struct {
	Body struct {
		Items []approverItem `json:"items" nullable:"false"`
		Next  string         `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listApprovers(c *call, i *listApproversInput) (*listApproversOutput, error) {
	active := true
	users, total, err := a.Identity.Users(c, identity.UserFilter{Search: i.Search, Active: &active, Sort: "id", Limit: i.Limit, Offset: (i.number() - 1) * i.Limit})
	output := &listApproversOutput{}
	output.Body.Items, output.Body.Next = make([]approverItem, len(users)), i.next(total)
	for n, u := range users {
		output.Body.Items[n] = newApproverItem(u)
	}
	return output, err
}

type importApproverInput struct{ Body approval.NameEmail }

type approverOutput struct{ Body approverItem }

func (a *api) importApprover(c *call, i *importApproverInput) (*approverOutput, error) {
	member, err := a.Identity.MemberByEmail(c, strings.TrimSpace(i.Body.Name), strings.TrimSpace(i.Body.Email))
	return &approverOutput{newApproverItem(member)}, err
}

type listDeputiesOutput struct {
	Body struct {
		Items []approval.Deputy `json:"items" nullable:"false"`
	}
}

func (a *api) listDeputies(c *call, _ *struct{}) (*listDeputiesOutput, error) {
	all, err := a.Approvals.Deputies(c)
	output := &listDeputiesOutput{}
	output.Body.Items = append([]approval.Deputy{}, all...)
	return output, err
}

type addDeputyInput struct {
	Body struct {
		UserID   int64     `json:"user_id" doc:"Who is away"`
		DeputyID int64     `json:"deputy_id" doc:"The user who decides instead"`
		From     time.Time `json:"from" doc:"RFC 3339"`
		Until    time.Time `json:"until" doc:"RFC 3339"`
	}
}

type deputyOutput struct{ Body approval.Deputy }

func (a *api) addDeputy(c *call, i *addDeputyInput) (*deputyOutput, error) {
	stored, err := a.Approvals.AddDeputy(c, approval.Deputy{UserID: i.Body.UserID, DeputyID: i.Body.DeputyID, From: i.Body.From, Until: i.Body.Until})
	return &deputyOutput{stored}, err
}

func (a *api) removeDeputy(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Approvals.RemoveDeputy(c, i.ID)
}
