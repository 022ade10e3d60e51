package web

import (
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// webhookForm is what the form of a webhook posts.
type webhookForm struct {
	notify.WebhookSettings
	Version int `form:"version"`
}

func (s *Server) newWebhook(w http.ResponseWriter, r *http.Request) error {
	return s.showWebhook(w, r, http.StatusOK, notify.Webhook{WebhookSettings: notify.WebhookSettings{Active: true}}, &ui.FormView{})
}

func (s *Server) editWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	return s.showWebhook(w, r, http.StatusOK, hook, &ui.FormView{})
}

// createWebhook answers with the secret. It is the only page that shows it, so there is no redirect.
func (s *Server) createWebhook(w http.ResponseWriter, r *http.Request) error {
	f, typed, err := readWebhook(r, notify.WebhookSettings{})
	if err == nil {
		err = s.confirmOnce(w, r)
	}
	if err == nil {
		hook, secret, err := s.Notify.CreateWebhook(r.Context(), f.WebhookSettings)
		if err == nil {
			return s.showWebhookSecret(w, r, hook, secret)
		}
		return s.returnWebhook(w, r, notify.Webhook{WebhookSettings: f.WebhookSettings}, typed, err)
	}
	return s.returnWebhook(w, r, notify.Webhook{WebhookSettings: f.WebhookSettings}, typed, err)
}

func (s *Server) saveWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	f, typed, err := readWebhook(r, hook.WebhookSettings)
	if err == nil {
		var saved notify.Webhook
		if saved, err = s.Notify.SaveWebhook(r.Context(), hook.ID, f.Version, f.WebhookSettings); err == nil {
			return s.redirect(w, r, webhooksPath, ui.Said("The webhook "+saved.Name+" is saved."))
		}
	}
	return s.returnWebhook(w, r, hook, typed, err)
}

// readWebhook reads the form over present, since fields that a switch turns off are not posted.
func readWebhook(r *http.Request, present notify.WebhookSettings) (webhookForm, form.Typed, error) {
	f := webhookForm{WebhookSettings: present}
	typed, wrong, err := form.Read(r, &f)
	if err == nil {
		err = wrong.Err()
	}
	return f, typed, err
}

func (s *Server) returnWebhook(w http.ResponseWriter, r *http.Request, hook notify.Webhook, typed form.Typed, why error) error {
	if typed == nil {
		return why
	}
	v := &ui.FormView{Typed: typed}
	status, err := refill(v, why)
	if err != nil {
		return err
	}
	if v.Conflict != nil { // saving again is a decision now
		if hook, err = s.Notify.FindWebhook(r.Context(), hook.ID); err != nil {
			return err
		}
	}
	return s.showWebhook(w, r, status, hook, v)
}

func (s *Server) showWebhook(w http.ResponseWriter, r *http.Request, status int, hook notify.Webhook, v *ui.FormView) error {
	view := page.WebhookView{Title: "New webhook", Form: v, Webhook: hook}
	v.Action, v.Submit, v.Cancel, v.Version = webhooksPath, "Save", webhooksPath, hook.Version
	if hook.ID == 0 {
		v.Hint = "Shows the secret once."
		view.AskPassword = s.mustConfirm(r)
	} else {
		view.Title, v.Action, view.Log = hook.Name, webhookPage(hook.ID), webhookPage(hook.ID)+"/messages"
	}
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	var err error
	if view.Connectors, err = s.connectorOptions(r.Context()); err != nil {
		return err
	}
	return s.show(w, r, status, view.Title, page.WebhookForm(view))
}

func (s *Server) showWebhookSecret(w http.ResponseWriter, r *http.Request, hook notify.Webhook, secret vault.Secret) error {
	return s.show(w, r, http.StatusOK, hook.Name, page.WebhookSecret(page.WebhookSecretView{Webhook: hook, Secret: secret, Back: webhooksPath, Log: webhookPage(hook.ID) + "/messages"}))
}

func (s *Server) askRenewWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "New secret for " + hook.Name + "?", Action: webhookPage(hook.ID) + "/secret", Submit: "Make a new secret", Danger: true, Back: webhooksPath,
		Text: "The receiver refuses messages until it has the new secret; they are tried again meanwhile.", Password: s.mustConfirm(r), WholePage: true,
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

// renewWebhook answers with the new secret, once.
func (s *Server) renewWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	secret, err := s.Notify.RenewWebhookSecret(r.Context(), hook.ID)
	if err != nil {
		return err
	}
	return s.showWebhookSecret(w, r, hook, secret)
}

func (s *Server) askDeleteWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete webhook " + hook.Name + "?", Action: webhookPage(hook.ID) + "/delete", Submit: "Delete webhook", Danger: true, Back: webhooksPath,
		Text: "The application is told nothing any more, and the log of its messages is removed.",
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.pathWebhook(r)
	if err != nil {
		return err
	}
	if err := s.Notify.DeleteWebhook(r.Context(), hook.ID); err != nil {
		return err
	}
	return s.redirect(w, r, webhooksPath, ui.Said("The webhook "+hook.Name+" is deleted."))
}
