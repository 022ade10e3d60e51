package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"orbit/internal/identity"
)

func TestAProgramSaysWhoIsToldOfWhat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	ann := p.want(http.StatusCreated, http.MethodPost, "/contacts", fields{"name": "Ann", "email": "ann@example.net"})
	if ann["active"] != true || ann["time_zone"] != "UTC" {
		t.Errorf("%v", ann)
	}
	at := fmt.Sprint("/contacts/", ann["id"])
	changed := p.want(http.StatusOK, http.MethodPatch, at, fields{"language": "pt", "version": ann["version"]})
	if changed["language"] != "pt" || changed["email"] != "ann@example.net" {
		t.Errorf("%v", changed)
	}
	p.want(http.StatusConflict, http.MethodPatch, at, fields{"name": "Anne", "version": ann["version"]})
	group := p.want(http.StatusCreated, http.MethodPost, "/contact-groups", fields{"name": "Team", "contact_ids": []any{ann["id"]}})
	if group["members"] != 1.0 {
		t.Errorf("%v", group)
	}
	wrong := p.want(http.StatusUnprocessableEntity, http.MethodPost, "/contact-groups", fields{"name": "Others", "contact_ids": []int{99}})
	if !strings.Contains(fmt.Sprint(wrong["errors"]), "body.contact_ids") {
		t.Errorf("%v", wrong)
	}
	hook := p.want(http.StatusCreated, http.MethodPost, "/webhooks", fields{"name": "Hook", "url": "https://hook.example.com/"})
	if !strings.HasPrefix(hook["secret"].(string), "whsec_") {
		t.Errorf("%v", hook)
	}
	if shown := p.want(http.StatusOK, http.MethodGet, "/webhooks/1", nil); shown["secret"] != nil {
		t.Error("the secret is shown twice")
	}
	if renewed := p.want(http.StatusOK, http.MethodPost, "/webhooks/1/secret", nil); renewed["secret"] == hook["secret"] {
		t.Error("the secret is not new")
	}
	p.want(http.StatusOK, http.MethodPatch, "/webhooks/1", fields{"url": "https://hook.example.com/two"})

	rule := p.want(http.StatusCreated, http.MethodPost, "/notification-rules", fields{
		"name": "Views", "event_types": []string{"password.viewed"}, "group_ids": []any{group["id"]}, "by_webhook": true, "webhook_ids": []any{hook["id"]},
	})
	if rule["by_email"] != true || len(rule["groups"].([]any)) != 1 || len(rule["webhooks"].([]any)) != 1 {
		t.Errorf("%v", rule)
	}
	rules := fmt.Sprint("/notification-rules/", rule["id"])
	if kept := p.want(http.StatusOK, http.MethodPatch, rules, fields{"digest_minutes": 30}); kept["digest_minutes"] != 30.0 || len(kept["groups"].([]any)) != 1 {
		t.Errorf("%v", kept)
	}
	missing := p.want(http.StatusUnprocessableEntity, http.MethodPatch, rules, fields{"group_ids": []int{}})
	if !strings.Contains(fmt.Sprint(missing["errors"]), "body.contact_ids") {
		t.Errorf("%v", missing)
	}
	for list, n := range map[string]int{
		"/contacts?search=ann": 1, "/contacts?bounced=true": 0, "/contact-groups": 1, "/webhooks": 1, "/webhooks/1/messages": 0,
		"/notification-rules?event_type=password.viewed": 1, "/notification-rules?active=false": 0,
	} {
		if items := p.want(http.StatusOK, http.MethodGet, list, nil)["items"].([]any); len(items) != n {
			t.Errorf("%s: %v", list, items)
		}
	}
	h.program(t, identity.Operator).want(http.StatusForbidden, http.MethodDelete, rules, nil)
	for _, gone := range []string{rules, "/webhooks/1", fmt.Sprint("/contact-groups/", group["id"]), at} {
		p.want(http.StatusNoContent, http.MethodDelete, gone, nil)
		p.want(http.StatusNotFound, http.MethodGet, gone, nil)
	}
}

func TestAProgramWritesTexts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	const at = "/notification-texts/password.viewed/pt"
	builtin := p.want(http.StatusOK, http.MethodGet, at, nil)
	own := p.want(http.StatusOK, http.MethodPatch, at, fields{"subject": "Senha vista: [#CREDENTIAL_USERNAME#]"})
	if own["message"] != builtin["message"] || own["version"] != 1.0 {
		t.Errorf("%v", own)
	}
	wrong := p.want(http.StatusUnprocessableEntity, http.MethodPatch, at, fields{"subject": "[#NOBODY#]"})
	if !strings.Contains(fmt.Sprint(wrong["errors"]), "body.subject") {
		t.Errorf("%v", wrong)
	}
	written := 0
	for _, item := range p.want(http.StatusOK, http.MethodGet, "/notification-texts", nil)["items"].([]any) {
		if item.(map[string]any)["own"] == true {
			written++
		}
	}
	if written != 1 {
		t.Errorf("%d texts are our own", written)
	}
	p.want(http.StatusNoContent, http.MethodDelete, at, nil)
	if again := p.want(http.StatusOK, http.MethodGet, at, nil); again["subject"] != builtin["subject"] {
		t.Errorf("%v", again)
	}
	p.want(http.StatusNotFound, http.MethodGet, "/notification-texts/no.such/en", nil)
	p.want(http.StatusUnprocessableEntity, http.MethodGet, "/notification-texts/password.viewed/xx", nil)
}
