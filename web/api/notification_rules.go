package api

import (
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/notify"
)

func (a *api) notificationRules() {
	register(a, operation{"list-notification-rules", http.MethodGet, "/notification-rules", "List the rules that say who is told of what", notifyTag, identity.Auditor, 0}, a.listRules)
	register(a, operation{"create-notification-rule", http.MethodPost, "/notification-rules", "Make a rule", notifyTag, identity.Administrator, http.StatusCreated}, a.createRule)
	register(a, operation{"show-notification-rule", http.MethodGet, "/notification-rules/{id}", "Show a rule", notifyTag, identity.Auditor, 0}, a.showRule)
	register(a, operation{"change-notification-rule", http.MethodPatch, "/notification-rules/{id}", "Change a rule", notifyTag, identity.Administrator, 0}, a.changeRule)
	register(a, operation{"delete-notification-rule", http.MethodDelete, "/notification-rules/{id}", "Delete a rule", notifyTag, identity.Administrator, http.StatusNoContent}, a.deleteRule)
}

// ruleBody is a rule as programs write it. Defaults are those of the form.
type ruleBody struct {
	notify.RuleSettings
	EventTypes []string `json:"event_types" nullable:"false" doc:"Of GET /event-types"`
	ContactIDs []int64  `json:"contact_ids,omitempty"`
	GroupIDs   []int64  `json:"group_ids,omitempty" doc:"Of GET /contact-groups"`
	WebhookIDs []int64  `json:"webhook_ids,omitempty"`
	Version    int      `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

func newRuleBody(d notify.RuleDetail) ruleBody {
	body := ruleBody{
		RuleSettings: d.RuleSettings, ContactIDs: ids(d.Contacts), GroupIDs: ids(d.Groups), WebhookIDs: ids(d.Webhooks), Version: d.Version,
	}
	for _, kind := range d.EventTypes {
		body.EventTypes = append(body.EventTypes, kind.Key)
	}
	return body
}

func ids(all []notify.Named) []int64 {
	found := make([]int64, len(all))
	for i, one := range all {
		found[i] = one.ID
	}
	return found
}

func (b ruleBody) change() notify.RuleChange {
	return notify.RuleChange{
		RuleSettings: b.RuleSettings, Version: b.Version, EventTypes: b.EventTypes, ContactIDs: b.ContactIDs, GroupIDs: b.GroupIDs, WebhookIDs: b.WebhookIDs,
	}
}

type ruleOutput struct{ Body notify.RuleDetail }

type listRulesInput struct {
	Page
	Name      string `query:"name" doc:"A part of it"`
	EventType string `query:"event_type"`
	Active    string `query:"active" enum:",true,false"`
	Sort      string `query:"sort" doc:"name, changed_at, created_at, active ...; -name descends"`
}

type listRulesOutput struct {
	Body struct {
		Items []notify.Rule `json:"items" nullable:"false"`
		Next  string        `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listRules(c *call, i *listRulesInput) (*listRulesOutput, error) {
	found, total, err := a.Notify.ListRules(c, notify.RuleFilter{
		Name: i.Name, EventType: i.EventType, Active: either(i.Active), Sort: i.Sort, Page: i.number(), PerPage: i.Limit,
	})
	output := &listRulesOutput{}
	output.Body.Items = append([]notify.Rule{}, found...)
	output.Body.Next = i.next(total)
	return output, err
}

type createRuleInput struct{ Body partial[ruleBody] }

func (a *api) createRule(c *call, i *createRuleInput) (*ruleOutput, error) {
	body := ruleBody{RuleSettings: notify.NewRuleSettings()}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Notify.CreateRule(c, body.change())
	if err != nil {
		return nil, byIDs(err)
	}
	return a.showRule(c, &IDInput{stored.ID})
}

func (a *api) showRule(c *call, i *IDInput) (*ruleOutput, error) {
	found, err := a.Notify.FindRule(c, i.ID)
	return &ruleOutput{found}, err
}

type changeRuleInput struct {
	IDInput
	Body partial[ruleBody]
}

func (a *api) changeRule(c *call, i *changeRuleInput) (*ruleOutput, error) {
	found, err := a.Notify.FindRule(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := newRuleBody(found)
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	if _, err := a.Notify.SaveRule(c, i.ID, body.change()); err != nil {
		return nil, byIDs(err)
	}
	return a.showRule(c, &i.IDInput)
}

func (a *api) deleteRule(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Notify.DeleteRule(c, i.ID)
}
