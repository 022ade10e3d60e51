package api

import (
	"net/http"
	"time"

	"orbit/internal/identity"
	"orbit/internal/notify"
)

const notifyTag = "Notifications"

func (a *api) notifications() {
	if a.Notify == nil {
		return
	}
	register(a, operation{"post-event", http.MethodPost, "/events", "Tell that something happened", notifyTag, identity.Operator, http.StatusAccepted}, a.postEvent)
	register(a, operation{"simulate-event", http.MethodPost, "/events/simulate", "Say who would receive an event", notifyTag, identity.Auditor, 0}, a.simulateEvent)
	register(a, operation{"list-event-types", http.MethodGet, "/event-types", "List the types of events", notifyTag, identity.Auditor, 0}, a.listEventTypes)
	register(a, operation{"save-event-type", http.MethodPut, "/event-types/{name}", "Add or change an own type of event", notifyTag, identity.Administrator, http.StatusNoContent}, a.saveEventType)
	register(a, operation{"delete-event-type", http.MethodDelete, "/event-types/{name}", "Remove an own type of event", notifyTag, identity.Administrator, http.StatusNoContent}, a.deleteEventType)
	a.deliveries()
	a.contacts()
	a.contactGroups()
	a.notificationRules()
	a.notificationTexts()
	a.webhooks()
}

// eventBody is an event as programs write it.
type eventBody struct {
	Type           string         `json:"type" doc:"One of GET /event-types" example:"password.viewed"`
	Data           map[string]any `json:"data,omitempty" doc:"The fields of the type"`
	IdempotencyKey string         `json:"idempotency_key,omitempty" doc:"The same key again is the same event: it is told once" maxLength:"200"`
	ReplyTo        string         `json:"reply_to,omitempty" doc:"Where answers go, unless the account forces its own"`
	ReturnPath     string         `json:"return_path,omitempty" doc:"Where delivery errors go, unless the account forces its own"`
	Confirmation   string         `json:"confirmation,omitempty" doc:"Where read receipts go, unless the account forces its own"`
	Access         []string       `json:"access,omitempty" doc:"E-mail addresses or usernames of those who have access to what it is about; rules may tell only them"`
	ExpiresAt      time.Time      `json:"expires_at,omitzero" doc:"After this the event is of no use to anybody"`
}

func (b eventBody) event() notify.Event {
	return notify.Event{
		Type: b.Type, Data: b.Data, IdempotencyKey: b.IdempotencyKey, ReplyTo: b.ReplyTo, ReturnPath: b.ReturnPath,
		Confirmation: b.Confirmation, Access: b.Access, Expires: b.ExpiresAt,
	}
}

type eventInput struct{ Body eventBody }

type acceptedOutput struct{ Body notify.Accepted }

func (a *api) postEvent(c *call, i *eventInput) (*acceptedOutput, error) {
	accepted, err := a.Notify.Post(c, i.Body.event())
	return &acceptedOutput{accepted}, err
}

type simulateOutput struct {
	Body struct {
		Items []notify.Told `json:"items" nullable:"false"`
	}
}

func (a *api) simulateEvent(c *call, i *eventInput) (*simulateOutput, error) {
	told, err := a.Notify.Simulate(c, i.Body.event())
	output := &simulateOutput{}
	output.Body.Items = append([]notify.Told{}, told...)
	return output, err
}

type eventTypesOutput struct {
	Body struct {
		Items []notify.EventType `json:"items" nullable:"false"`
	}
}

func (a *api) listEventTypes(c *call, _ *struct{}) (*eventTypesOutput, error) {
	types, err := a.Notify.EventTypes(c)
	output := &eventTypesOutput{}
	output.Body.Items = types
	return output, err
}

// NameInput is the name in the path. It is exported because huma reads embedded structs only then.
type NameInput struct {
	Name string `path:"name" maxLength:"100"`
}

type eventTypeInput struct {
	NameInput
	Body struct {
		Title    string         `json:"title"`
		Category string         `json:"category"`
		Fields   []notify.Field `json:"fields,omitempty" doc:"Absent: whatever the application sends"`
	}
}

func (a *api) saveEventType(c *call, i *eventTypeInput) (*struct{}, error) {
	return nil, a.Notify.SaveEventType(c, notify.EventType{
		Name: i.Name, Title: i.Body.Title, Category: notify.Category(i.Body.Category), Fields: i.Body.Fields,
	})
}

func (a *api) deleteEventType(c *call, i *NameInput) (*struct{}, error) {
	return nil, a.Notify.DeleteEventType(c, i.Name)
}
