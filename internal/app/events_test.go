package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
	"orbit/internal/notify"
)

// tell makes an account, a contact and a rule, so that an event of the type becomes a mail.
func (h *house) tell(t testing.TB, p program, port int, kind string) {
	t.Helper()
	p.want(http.StatusCreated, http.MethodPost, "/smtp-accounts", map[string]any{
		"account_name": "info", "sender_email": "info@example.com", "smtp_host": "127.0.0.1", "port": port, "use_secure_connection": false,
		"use_authentication": false, "default_account": true,
	})
	ann, err := h.Notify.CreateContact(t.Context(), notify.Contact{Name: "Ann", Email: "ann@example.net", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	change := notify.RuleChange{RuleSettings: notify.NewRuleSettings(), EventTypes: []string{kind}, ContactIDs: []int64{ann.ID}}
	change.Name = "All of " + kind
	if _, err := h.Notify.CreateRule(t.Context(), change); err != nil {
		t.Fatal(err)
	}
}

func TestProgramsPostEventsAndFollowTheirMessages(t *testing.T) {
	t.Parallel()
	h, sink := newHouse(t), mailtest.Sink(t)
	p := h.program(t, identity.Administrator)
	p.want(http.StatusNoContent, http.MethodPut, "/event-types/backup.failed", map[string]any{
		"title": "Backup failed", "category": "Backups", "fields": []map[string]any{{"name": "host", "kind": "text", "required": true}},
	})
	h.tell(t, p, sink.Port, "backup.failed")
	event := map[string]any{"type": "backup.failed", "idempotency_key": "k1", "data": map[string]any{"host": "db-1"}}
	told := p.want(http.StatusOK, http.MethodPost, "/events/simulate", event)
	if first := told["items"].([]any)[0].(map[string]any); first["told"] != true || first["account_name"] != "info" {
		t.Errorf("%v", first)
	}
	accepted := p.want(http.StatusAccepted, http.MethodPost, "/events", event)
	again := p.want(http.StatusAccepted, http.MethodPost, "/events", event)
	if accepted["deliveries"] != 1.0 || again["duplicate"] != true || again["id"] != accepted["id"] {
		t.Errorf("%v, again %v", accepted, again)
	}
	if mail := string(sink.Next(t).Data); !strings.Contains(mail, "db-1") || !strings.Contains(mail, "Backup failed") {
		t.Errorf("the mail is\n%s", mail)
	}
	list := p.want(http.StatusOK, http.MethodGet, "/deliveries?recipient=ann@example.net", nil)
	id := int(list["items"].([]any)[0].(map[string]any)["id"].(float64))
	waitUntil(t, "the message is sent", func() bool {
		return p.want(http.StatusOK, http.MethodGet, fmt.Sprint("/deliveries/", id), nil)["state"] == "sent"
	})
	line := p.want(http.StatusOK, http.MethodGet, fmt.Sprint("/deliveries/", id), nil)
	if len(line["steps"].([]any)) != 5 || len(line["attempt_list"].([]any)) != 1 {
		t.Errorf("%v", line)
	}
	if changed := p.want(http.StatusOK, http.MethodPost, "/deliveries/cancel", map[string]any{"ids": []int{id}}); changed["changed"] != 0.0 {
		t.Errorf("a sent message was cancelled: %v", changed)
	}
	budgets := p.want(http.StatusOK, http.MethodGet, "/sender-budgets", nil)["items"].([]any)
	if b := budgets[0].(map[string]any); b["max_connections"] != 4.0 {
		t.Errorf("%v", b)
	}
	wrong := p.want(http.StatusUnprocessableEntity, http.MethodPost, "/events", map[string]any{"type": "backup.failed"})
	if !strings.Contains(fmt.Sprint(wrong["errors"]), "body.data.host") {
		t.Errorf("%v", wrong)
	}
	h.program(t, identity.Auditor).want(http.StatusForbidden, http.MethodPost, "/events", event)
}

func waitUntil(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it did not happen: %s", what)
		}
	}
}
