package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

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
	tried := p.want(http.StatusAccepted, http.MethodPost, "/webhooks/1/test", nil)
	message := fmt.Sprint("/webhooks/1/messages/", tried["id"])
	if shown := p.want(http.StatusOK, http.MethodGet, message, nil); shown["type"] != "orbit.test" || shown["log"] == nil {
		t.Errorf("%v", shown)
	}
	p.want(http.StatusConflict, http.MethodPost, message+"/retry", nil)
	p.want(http.StatusNotFound, http.MethodPost, "/webhooks/2/test", nil)
	p.want(http.StatusNotFound, http.MethodGet, "/webhooks/2/messages/1", nil)

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
		"/contacts?search=ann": 1, "/contacts?bounced=true": 0, "/contact-groups": 1, "/webhooks": 1, "/webhooks/1/messages": 1,
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
	sample := p.want(http.StatusAccepted, http.MethodPost, at+"/sample", fields{"to": "ana@example.com", "subject": "Uma amostra"})
	if sent := p.want(http.StatusOK, http.MethodGet, fmt.Sprint("/deliveries/", sample["delivery_id"]), nil); sent["recipient"] != "ana@example.com" {
		t.Errorf("%v", sent)
	}
	p.want(http.StatusUnprocessableEntity, http.MethodPost, at+"/sample", fields{"to": "ana"})
	p.want(http.StatusNoContent, http.MethodDelete, at, nil)
	if again := p.want(http.StatusOK, http.MethodGet, at, nil); again["subject"] != builtin["subject"] {
		t.Errorf("%v", again)
	}
	p.want(http.StatusNotFound, http.MethodGet, "/notification-texts/no.such/en", nil)
	p.want(http.StatusUnprocessableEntity, http.MethodGet, "/notification-texts/password.viewed/xx", nil)
}

// wantCSV posts a file.
func (p program) wantCSV(status int, path, file string) map[string]any {
	p.t.Helper()
	got, answer := p.send(http.MethodPost, path, "text/csv", strings.NewReader(file))
	if got != status {
		p.t.Fatalf("POST %s: want %d, got %d: %v", path, status, got, answer)
	}
	return answer
}

func TestAProgramImportsPeople(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	file := "name,email,group\nAnn,ann@example.net,Night shift\nBob,bob@example.net,\n"
	p.wantCSV(http.StatusOK, "/contacts/import?dry_run=true", file)
	if none := p.want(http.StatusOK, http.MethodGet, "/contacts", nil)["items"].([]any); len(none) != 0 {
		t.Errorf("a dry run stores %v", none)
	}
	if done := p.wantCSV(http.StatusOK, "/contacts/import", file); done["added"] != 2.0 || done["changed"] != 0.0 {
		t.Errorf("%v", done)
	}
	if done := p.wantCSV(http.StatusOK, "/contacts/import", file); done["added"] != 0.0 || done["changed"] != 2.0 {
		t.Errorf("%v", done)
	}
	wrong := p.wantCSV(http.StatusUnprocessableEntity, "/contacts/import", "name,email\nAnn,ann@\n")
	if !strings.Contains(fmt.Sprint(wrong["errors"]), "Line 2, email") {
		t.Errorf("%v", wrong)
	}

	eva := p.want(http.StatusOK, http.MethodPost, "/approvers", fields{"name": "Eva", "email": "eva@example.com"})
	if again := p.want(http.StatusOK, http.MethodPost, "/approvers", fields{"name": "Eva", "email": "EVA@example.com"}); again["user_id"] != eva["user_id"] || again["role"] != "member" {
		t.Errorf("%v, %v", eva, again)
	}
	invited := p.want(http.StatusOK, http.MethodGet, "/deliveries?recipient=eva@example.com&type=approver.invited", nil)["items"].([]any)
	if len(invited) != 1 {
		t.Errorf("%d invitations", len(invited))
	}
	p.want(http.StatusUnprocessableEntity, http.MethodPost, "/approvers", fields{"name": "Nobody", "email": "nobody@"})
	zoe := p.want(http.StatusOK, http.MethodPost, "/approvers", fields{"name": "Zoe", "email": "zoe@example.com"})
	if found := p.want(http.StatusOK, http.MethodGet, "/approvers?search=zoe", nil)["items"].([]any); len(found) != 1 {
		t.Errorf("%v", found)
	}
	now := time.Now()
	holiday := fields{"user_id": eva["user_id"], "deputy_id": zoe["user_id"], "from": now.Format(time.RFC3339), "until": now.Add(24 * time.Hour).Format(time.RFC3339)}
	deputy := p.want(http.StatusCreated, http.MethodPost, "/deputies", holiday)
	if all := p.want(http.StatusOK, http.MethodGet, "/deputies", nil)["items"].([]any); len(all) != 1 {
		t.Errorf("%v", all)
	}
	holiday["deputy_id"] = eva["user_id"]
	p.want(http.StatusUnprocessableEntity, http.MethodPost, "/deputies", holiday)
	p.want(http.StatusNoContent, http.MethodDelete, fmt.Sprint("/deputies/", deputy["id"]), nil)
}
