package web

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/problem"
	"orbit/web/page"
	"orbit/web/ui"
)

const webhooksPath = "/settings/notifications/webhooks"

func webhookPage(id int64) string { return webhooksPath + "/" + strconv.FormatInt(id, 10) }

// listWebhooks shows them all on one page: an installation has a few.
func (s *Server) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	hooks, err := s.Notify.ListWebhooks(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "webhooks", []string{"ID", "Name", "URL", "Active", "Changed (UTC)", "Changed by"}, webhookCSV(hooks))
	}
	v := webhooksReport(hooks, identity.UserFrom(r.Context()).Role, s.clock(r))
	v.Page, v.PerPage, v.Total = 1, max(1, len(hooks)), len(hooks)
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

func webhooksReport(hooks []notify.Webhook, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Webhooks", Path: webhooksPath, CanCSV: true, RowsNoun: "webhooks", Naming: 1,
		About:   "Applications that are told of events by HTTP. Every message is signed, tried again for five days, and logged.",
		Columns: []ui.Column{{Label: "ID", Right: true}, {Label: "Name"}, {Label: "Address", Wide: true}, {Label: "Active"}, {Label: "Changed"}, {Label: "Changed by"}},
		Empty: ui.EmptyView{
			Icon: "api", Title: "No webhook yet", Text: "An application that wants to know at once gets a POST when something happens. It verifies the signature with a secret that you give it.",
		},
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: webhooksPath + "/new"}
		v.Empty.New = &ui.Link{Label: "New webhook", Href: webhooksPath + "/new"}
	}
	for _, h := range hooks {
		v.Rows = append(v.Rows, ui.Row{
			ID: "webhook-" + strconv.FormatInt(h.ID, 10), Name: h.Name, Muted: !h.Active, Menu: webhookMenu(h.ID, role),
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(h.ID, 10)), ui.NameCell(h.Name, webhookPage(h.ID)), page.Mono(h.URL), page.Enabled(h.Active),
				ui.RelativeTime(clock.At(h.ChangedAt)), ui.TextCell(h.ChangedBy),
			},
		})
	}
	return v
}

func webhookMenu(id int64, role identity.Role) []ui.MenuItem {
	at := webhookPage(id)
	items := []ui.MenuItem{{Label: "View", Icon: "eye", Href: at}, {Label: "Messages", Icon: "history", Href: at + "/messages"}}
	if role.CanTest() {
		items = append(items, ui.MenuItem{Label: "Send a test", Icon: "send", Href: at + "/test", Post: true})
	}
	if role.CanChange() {
		items[0] = ui.MenuItem{Label: "Edit", Icon: "edit", Href: at}
		items = append(items,
			ui.MenuItem{Label: "New secret", Icon: "key", Href: at + "/secret", Window: true},
			ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})
	}
	return items
}

func webhookCSV(hooks []notify.Webhook) [][]string {
	lines := make([][]string, len(hooks))
	for i, h := range hooks {
		lines[i] = []string{strconv.FormatInt(h.ID, 10), h.Name, h.URL, yesNo(h.Active), utc(&h.ChangedAt), h.ChangedBy}
	}
	return lines
}

func (s *Server) pathWebhook(r *http.Request) (notify.Webhook, error) {
	id, err := pathID(r)
	if err != nil {
		return notify.Webhook{}, err
	}
	return s.Notify.FindWebhook(r.Context(), id)
}

// listWebhookMessages is the log of a webhook, the newest message first.
func (s *Server) listWebhookMessages(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	var f struct {
		Before int64 `form:"before"`
	}
	listing := readListing(r, "", &f)
	most, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	messages, err := s.Notify.WebhookMessages(r.Context(), hook.ID, f.Before, most)
	if err != nil {
		return err
	}
	listing.Query.Del("before")
	v := listing.report(webhookLog(hook, messages, identity.UserFrom(r.Context()).Role, s.clock(r)), max(1, len(messages)), len(messages))
	if len(messages) == most {
		v.Older = v.Path + "?before=" + strconv.FormatInt(messages[most-1].ID, 10)
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

func webhookLog(hook notify.Webhook, messages []notify.WebhookMessage, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Messages to " + hook.Name, Path: webhookPage(hook.ID) + "/messages", RowsNoun: "messages", Naming: 1,
		About:   "What " + hook.URL + " was told, and what it answered.",
		Columns: []ui.Column{{Label: "Time"}, {Label: "Type"}, {Label: "State"}, {Label: "Attempts", Right: true}, {Label: "Ended"}, {Label: "Message"}},
		Empty:   ui.EmptyView{Icon: "history", Title: "Nothing was sent yet", Text: "Send a test: the receiver should answer with a status from 200 to 299 within 15 seconds."},
	}
	if role.CanTest() {
		v.Beside = page.TestWebhookButton(webhookPage(hook.ID) + "/test")
	}
	for _, m := range messages {
		at := v.Path + "/" + strconv.FormatInt(m.ID, 10)
		menu := []ui.MenuItem{{Label: "Open", Icon: "eye", Href: at}}
		if role.CanTest() && page.MayRetryWebhook(m) {
			menu = append(menu, ui.MenuItem{Label: "Send again", Icon: "refresh", Href: at + "/retry", Post: true})
		}
		v.Rows = append(v.Rows, ui.Row{
			ID: "webhook-message-" + strconv.FormatInt(m.ID, 10), Name: m.Type, Menu: menu,
			Cells: []templ.Component{
				ui.ExactTime(clock.At(m.CreatedAt)), ui.NameCell(m.Type, at), page.WebhookState(m), ui.TextCell(strconv.Itoa(m.Attempts)),
				ui.RelativeTime(clock.Moment(m.EndedAt)), page.Mono(m.MessageID),
			},
		})
	}
	return v
}

// pathWebhookMessage is the message that the path names, of the webhook that it names.
func (s *Server) pathWebhookMessage(r *http.Request) (notify.Webhook, notify.WebhookMessage, error) {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return hook, notify.WebhookMessage{}, err
	}
	id, err := strconv.ParseInt(chi.URLParam(r, "message"), 10, 64)
	if err != nil || id < 1 {
		return hook, notify.WebhookMessage{}, problem.ErrNotFound
	}
	message, err := s.Notify.FindWebhookMessage(r.Context(), hook.ID, id)
	return hook, message, err
}

// showWebhookMessage shows a message with each of its attempts.
func (s *Server) showWebhookMessage(w http.ResponseWriter, r *http.Request) error {
	hook, message, err := s.pathWebhookMessage(r)
	if err != nil {
		return err
	}
	attempts, err := s.Notify.WebhookAttempts(r.Context(), message.ID)
	if err != nil {
		return err
	}
	v := page.WebhookMessageView{Webhook: hook, Message: message, Attempts: attempts, Clock: s.clock(r), List: webhookPage(hook.ID) + "/messages"}
	v.CanRetry = identity.UserFrom(r.Context()).Role.CanTest() && page.MayRetryWebhook(message)
	return s.show(w, r, http.StatusOK, message.Type, page.WebhookMessage(v))
}

func (s *Server) retryWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, message, err := s.pathWebhookMessage(r)
	if err != nil {
		return err
	}
	if err := s.Notify.RetryWebhook(r.Context(), message.ID); err != nil {
		return err
	}
	return s.redirect(w, r, webhookPage(hook.ID)+"/messages/"+strconv.FormatInt(message.ID, 10), ui.Said("The message is sent again."))
}

func (s *Server) testWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	id, err := s.Notify.TestWebhook(r.Context(), hook.ID)
	if err != nil {
		return err
	}
	return s.redirect(w, r, webhookPage(hook.ID)+"/messages/"+strconv.FormatInt(id, 10), ui.Said("A test is on its way to "+hook.Name+". Load this page again to see the answer."))
}
