package api

import (
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/notify"
)

const webhookTag = "Webhooks"

func (a *api) webhooks() {
	register(a, operation{"list-webhooks", http.MethodGet, "/webhooks", "List webhooks", webhookTag, identity.Auditor, 0}, a.listWebhooks)
	register(a, operation{"create-webhook", http.MethodPost, "/webhooks", "Add a webhook; the answer has its secret", webhookTag, identity.Administrator, http.StatusCreated}, a.createWebhook)
	register(a, operation{"show-webhook", http.MethodGet, "/webhooks/{id}", "Show a webhook", webhookTag, identity.Auditor, 0}, a.showWebhook)
	register(a, operation{"change-webhook", http.MethodPatch, "/webhooks/{id}", "Change a webhook; its secret stays", webhookTag, identity.Administrator, 0}, a.changeWebhook)
	register(a, operation{"delete-webhook", http.MethodDelete, "/webhooks/{id}", "Delete a webhook with the log of its messages", webhookTag, identity.Administrator, http.StatusNoContent}, a.deleteWebhook)
	register(a, operation{"renew-webhook-secret", http.MethodPost, "/webhooks/{id}/secret", "Give a webhook a new secret", webhookTag, identity.Administrator, 0}, a.renewWebhookSecret)
	register(a, operation{"list-webhook-messages", http.MethodGet, "/webhooks/{id}/messages", "List the newest messages to a webhook", webhookTag, identity.Auditor, 0}, a.listWebhookMessages)
	register(a, operation{"show-webhook-message", http.MethodGet, "/webhooks/{id}/messages/{message}", "Show a message to a webhook with each of its attempts", webhookTag, identity.Auditor, 0}, a.showWebhookMessage)
	register(a, operation{"retry-webhook-message", http.MethodPost, "/webhooks/{id}/messages/{message}/retry", "Send a message to a webhook again", webhookTag, identity.Operator, http.StatusAccepted}, a.retryWebhookMessage)
	register(a, operation{"test-webhook", http.MethodPost, "/webhooks/{id}/test", "Send a webhook a test; follow it by its id among the messages", webhookTag, identity.Operator, http.StatusAccepted}, a.testWebhook)
}

// webhookBody is a webhook as programs write it.
type webhookBody struct {
	notify.WebhookSettings
	Version int `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

type webhookOutput struct{ Body notify.Webhook }

type listWebhooksOutput struct {
	Body struct {
		Items []notify.Webhook `json:"items" nullable:"false"`
	}
}

func (a *api) listWebhooks(c *call, _ *struct{}) (*listWebhooksOutput, error) {
	all, err := a.Notify.ListWebhooks(c)
	output := &listWebhooksOutput{}
	output.Body.Items = append([]notify.Webhook{}, all...)
	return output, err
}

type createWebhookInput struct{ Body partial[webhookBody] }

// newWebhook is a webhook with the secret that receivers check signatures with.
type newWebhook struct {
	notify.Webhook
	Secret string `json:"secret" doc:"Shown this once: whsec_ and base64, as Standard Webhooks has it"`
}

type newWebhookOutput struct{ Body newWebhook }

func (a *api) createWebhook(c *call, i *createWebhookInput) (*newWebhookOutput, error) {
	body := webhookBody{WebhookSettings: notify.WebhookSettings{Active: true}}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, secret, err := a.Notify.CreateWebhook(c, body.WebhookSettings)
	return &newWebhookOutput{newWebhook{stored, secret.Reveal()}}, err
}

func (a *api) showWebhook(c *call, i *IDInput) (*webhookOutput, error) {
	found, err := a.Notify.FindWebhook(c, i.ID)
	return &webhookOutput{found}, err
}

type changeWebhookInput struct {
	IDInput
	Body partial[webhookBody]
}

func (a *api) changeWebhook(c *call, i *changeWebhookInput) (*webhookOutput, error) {
	found, err := a.Notify.FindWebhook(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := webhookBody{found.WebhookSettings, found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Notify.SaveWebhook(c, i.ID, body.Version, body.WebhookSettings)
	return &webhookOutput{stored}, err
}

func (a *api) deleteWebhook(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Notify.DeleteWebhook(c, i.ID)
}

type webhookSecretOutput struct {
	Body struct {
		Secret string `json:"secret" doc:"Shown this once; the one before signs nothing any more"`
	}
}

func (a *api) renewWebhookSecret(c *call, i *IDInput) (*webhookSecretOutput, error) {
	secret, err := a.Notify.RenewWebhookSecret(c, i.ID)
	output := &webhookSecretOutput{}
	output.Body.Secret = secret.Reveal()
	return output, err
}

type webhookMessagesInput struct {
	IDInput
	Before int64 `query:"before" doc:"The id of the last message of the page before"`
	Limit  int   `query:"limit" minimum:"1" maximum:"100" default:"30"`
}

type webhookMessagesOutput struct {
	Body struct {
		Items []notify.WebhookMessage `json:"items" nullable:"false"`
	}
}

func (a *api) listWebhookMessages(c *call, i *webhookMessagesInput) (*webhookMessagesOutput, error) {
	if _, err := a.Notify.FindWebhook(c, i.ID); err != nil {
		return nil, err
	}
	found, err := a.Notify.WebhookMessages(c, i.ID, i.Before, i.Limit)
	output := &webhookMessagesOutput{}
	output.Body.Items = append([]notify.WebhookMessage{}, found...)
	return output, err
}

// WebhookMessageInput names a message in the path. It is exported because huma reads embedded structs only then.
type WebhookMessageInput struct {
	IDInput
	Message int64 `path:"message" minimum:"1"`
}

type webhookMessageOutput struct {
	Body struct {
		notify.WebhookMessage
		Log []notify.WebhookAttempt `json:"log" nullable:"false" doc:"Every attempt, the first one first"`
	}
}

func (a *api) showWebhookMessage(c *call, i *WebhookMessageInput) (*webhookMessageOutput, error) {
	found, err := a.Notify.FindWebhookMessage(c, i.ID, i.Message)
	if err != nil {
		return nil, err
	}
	attempts, err := a.Notify.WebhookAttempts(c, found.ID)
	output := &webhookMessageOutput{}
	output.Body.WebhookMessage, output.Body.Log = found, append([]notify.WebhookAttempt{}, attempts...)
	return output, err
}

func (a *api) retryWebhookMessage(c *call, i *WebhookMessageInput) (*webhookMessageOutput, error) {
	found, err := a.Notify.FindWebhookMessage(c, i.ID, i.Message)
	if err != nil {
		return nil, err
	}
	if err := a.Notify.RetryWebhook(c, found.ID); err != nil {
		return nil, err
	}
	return a.showWebhookMessage(c, i)
}

func (a *api) testWebhook(c *call, i *IDInput) (*webhookMessageOutput, error) {
	message, err := a.Notify.TestWebhook(c, i.ID)
	if err != nil {
		return nil, err
	}
	return a.showWebhookMessage(c, &WebhookMessageInput{IDInput: *i, Message: message})
}
