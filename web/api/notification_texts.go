package api

import (
	"cmp"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/notify/text"
)

func (a *api) notificationTexts() {
	register(a, operation{"list-notification-texts", http.MethodGet, "/notification-texts", "List the texts of messages", notifyTag, identity.Auditor, 0}, a.listTexts)
	register(a, operation{"show-notification-text", http.MethodGet, "/notification-texts/{type}/{language}", "Show a text: your own or the built-in one", notifyTag, identity.Auditor, 0}, a.showText)
	register(a, operation{"change-notification-text", http.MethodPatch, "/notification-texts/{type}/{language}", "Write a text of your own", notifyTag, identity.Administrator, 0}, a.changeText)
	register(a, operation{"restore-notification-text", http.MethodDelete, "/notification-texts/{type}/{language}", "Go back to the built-in text", notifyTag, identity.Administrator, http.StatusNoContent}, a.restoreText)
	register(a, operation{"send-notification-text-sample", http.MethodPost, "/notification-texts/{type}/{language}/sample", "Send a text with sample values", notifyTag, identity.Administrator, http.StatusAccepted}, a.sendTextSample)
}

// TextInput names a text in the path. It is exported because huma reads embedded structs only then.
type TextInput struct {
	Type     string `path:"type" maxLength:"200"`
	Language string `path:"language" enum:"en,pt,es"`
}

// textItem is a text as the list has it.
type textItem struct {
	Type     string        `json:"type"`
	Category string        `json:"category"`
	Name     string        `json:"name"`
	Language text.Language `json:"language"`
	Subject  string        `json:"subject"`
	Own      bool          `json:"own" doc:"Written here; false: built in"`
	Active   bool          `json:"active" doc:"false: written here and switched off, so the built-in text is used"`
}

type listTextsOutput struct {
	Body struct {
		Items []textItem `json:"items" nullable:"false"`
	}
}

func (a *api) listTexts(c *call, _ *struct{}) (*listTextsOutput, error) {
	rows, err := a.Notify.ListTexts(c)
	output := &listTextsOutput{}
	output.Body.Items = make([]textItem, len(rows))
	for i, row := range rows {
		output.Body.Items[i] = textItem{row.Type.Key, row.Type.Category, row.Type.Name, row.Language, row.Subject, row.Own, row.Active}
	}
	return output, err
}

// textBody is a text as programs write it.
type textBody struct {
	Subject string `json:"subject" doc:"With tags such as [#EVENT#]"`
	Message string `json:"message" doc:"Markdown with tags"`
	Active  bool   `json:"active"`
	Version int    `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

type textOutput struct{ Body notify.Text }

func (a *api) showText(c *call, i *TextInput) (*textOutput, error) {
	found, err := a.Notify.FindText(c, i.Type, text.Language(i.Language))
	return &textOutput{found}, err
}

type changeTextInput struct {
	TextInput
	Body partial[textBody]
}

func (a *api) changeText(c *call, i *changeTextInput) (*textOutput, error) {
	found, err := a.Notify.FindText(c, i.Type, text.Language(i.Language))
	if err != nil {
		return nil, err
	}
	body := textBody{Subject: found.Subject, Message: found.Message, Active: found.Active, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	found.Subject, found.Message, found.Active, found.Version = body.Subject, body.Message, body.Active, body.Version
	stored, err := a.Notify.SaveText(c, found)
	return &textOutput{stored}, err
}

func (a *api) restoreText(c *call, i *TextInput) (*struct{}, error) {
	return nil, a.Notify.RestoreText(c, i.Type, text.Language(i.Language))
}

// sampleBody is whom to send a sample to, and of which words: those that are stored, unless others come with it.
type sampleBody struct {
	To      string `json:"to" doc:"The address that gets it"`
	Name    string `json:"name,omitempty" doc:"How the message addresses them"`
	Subject string `json:"subject,omitempty" doc:"To try before it is stored; absent: what is stored"`
	Message string `json:"message,omitempty" doc:"Likewise"`
}

type sendSampleInput struct {
	TextInput
	Body sampleBody
}

type sendSampleOutput struct {
	Body struct {
		DeliveryID int64 `json:"delivery_id" doc:"Follow it at /deliveries/{id}"`
	}
}

func (a *api) sendTextSample(c *call, i *sendSampleInput) (*sendSampleOutput, error) {
	words, err := a.Notify.FindText(c, i.Type, text.Language(i.Language))
	if err != nil {
		return nil, err
	}
	words.Subject, words.Message = cmp.Or(i.Body.Subject, words.Subject), cmp.Or(i.Body.Message, words.Message)
	output := &sendSampleOutput{}
	output.Body.DeliveryID, err = a.Notify.SendSample(c, words, i.Body.To, cmp.Or(i.Body.Name, i.Body.To))
	return output, err
}
