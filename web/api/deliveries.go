package api

import (
	"net/http"
	"time"

	"orbit/internal/identity"
	"orbit/internal/notify"
)

func (a *api) deliveries() {
	register(a, operation{"list-deliveries", http.MethodGet, "/deliveries", "List messages, the newest first", notifyTag, identity.Auditor, 0}, a.listDeliveries)
	register(a, operation{"show-delivery", http.MethodGet, "/deliveries/{id}", "Follow a message from its event to its end", notifyTag, identity.Auditor, 0}, a.showDelivery)
	for _, action := range []struct {
		name    notify.Action
		summary string
	}{
		{notify.Pause, "Hold messages back"}, {notify.Resume, "Let messages go on that were held back"},
		{notify.Retry, "Send messages now, also those that were given up"}, {notify.Cancel, "Cancel messages that wait"},
	} {
		register(a, operation{string(action.name) + "-deliveries", http.MethodPost, "/deliveries/" + string(action.name), action.summary, notifyTag, identity.Operator, 0},
			func(c *call, i *actInput) (*actOutput, error) { return a.act(c, action.name, i) })
	}
	register(a, operation{"list-sender-budgets", http.MethodGet, "/sender-budgets", "Say what each account may send and has sent", notifyTag, identity.Auditor, 0}, a.listBudgets)
}

type listDeliveriesInput struct {
	Cursor    string    `query:"cursor" doc:"The next of the page before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
	From      time.Time `query:"from" doc:"Accepted at this time or later"`
	Until     time.Time `query:"until" doc:"Accepted before this time"`
	Type      string    `query:"type" doc:"Type of the text"`
	Recipient string    `query:"recipient" doc:"An address, or how it begins"`
	State     string    `query:"state" enum:"queued,sending,retrying,paused,sent,uncertain,failed,cancelled,expired"`
	Account   int64     `query:"smtp_account_id"`
	MessageID string    `query:"message_id"`
	Event     int64     `query:"event_id"`
	Request   int64     `query:"access_request_id"`
}

func (i listDeliveriesInput) filter() notify.Filter {
	return notify.Filter{
		From: i.From, Until: i.Until, Type: i.Type, Recipient: i.Recipient, State: notify.State(i.State), AccountID: i.Account,
		MessageID: i.MessageID, EventID: i.Event, RequestID: i.Request, After: i.Cursor, PerPage: i.Limit,
	}
}

type listDeliveriesOutput struct {
	Body struct {
		Items []notify.Delivery `json:"items" nullable:"false"`
		Next  string            `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listDeliveries(c *call, i *listDeliveriesInput) (*listDeliveriesOutput, error) {
	page, next, err := a.Notify.List(c, i.filter())
	output := &listDeliveriesOutput{}
	output.Body.Items, output.Body.Next = append([]notify.Delivery{}, page...), next
	return output, err
}

type deliveryOutput struct{ Body notify.Timeline }

func (a *api) showDelivery(c *call, i *IDInput) (*deliveryOutput, error) {
	found, err := a.Notify.Timeline(c, i.ID)
	return &deliveryOutput{found}, err
}

type actInput struct {
	Body struct {
		IDs []int64 `json:"ids" minItems:"1" maxItems:"10000" doc:"The messages"`
	}
}

type actOutput struct {
	Body struct {
		Changed int `json:"changed" doc:"With how many it was possible"`
	}
}

func (a *api) act(c *call, action notify.Action, i *actInput) (*actOutput, error) {
	n, err := a.Notify.Act(c, action, i.Body.IDs)
	output := &actOutput{}
	output.Body.Changed = n
	return output, err
}

type budgetsOutput struct {
	Body struct {
		Items []notify.Budget `json:"items" nullable:"false"`
	}
}

func (a *api) listBudgets(c *call, _ *struct{}) (*budgetsOutput, error) {
	all, err := a.Notify.Budgets(c)
	output := &budgetsOutput{}
	output.Body.Items = append([]notify.Budget{}, all...)
	return output, err
}
