package app_test

import (
	"strings"
	"testing"
	"time"

	"orbit/internal/identity"
)

// What arrives in a mailbox is there for programs, without anybody asking for it.
func TestAProgramReadsWhatArrives(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	p := h.program(t, identity.Administrator)
	owner := d.Sandbox.Identity.Mailboxes()[0]
	credential := p.want(201, "POST", "/credentials", fields{"name": "Mailbox", "username": owner.Address, "secret": owner.Password})
	values := mailboxFields(d, "imap", credential["id"])
	values["secret"] = owner.Password
	p.want(201, "POST", "/imap-pop3-accounts", values)
	at := "/imap-pop3-accounts/1"
	if err := d.Sandbox.Deliver(owner.Address, []byte("From: Ann <ann@example.net>\r\nSubject: An answer\r\n\r\nThe text of it.\r\n")); err != nil {
		t.Fatal(err)
	}
	var found map[string]any
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for found == nil {
		select {
		case <-tick.C:
			if items := p.want(200, "GET", at+"/messages?search=answer+text", nil)["items"].([]any); len(items) == 1 {
				found = items[0].(map[string]any)
			}
		case <-deadline:
			t.Fatalf("nothing has arrived: %v", p.want(200, "GET", at+"/health", nil))
		}
	}
	if found["from"] != "ann@example.net" || found["class"] != "other" || found["complete"] != true {
		t.Errorf("%v", found)
	}
	if one := p.want(200, "GET", at+"/messages/1", nil); !strings.Contains(one["body"].(string), "The text of it.") || one["header"].([]any)[0].(map[string]any)["name"] != "From" {
		t.Errorf("%v", one)
	}
	if visit := p.want(200, "POST", at+"/check", nil); visit["fault"] != nil || visit["messages"] != 1.0 {
		t.Errorf("%v", visit)
	}
	if health := p.want(200, "GET", at+"/health", nil); health["state"] != "watching" || health["stored"] != 1.0 {
		t.Errorf("%v", health)
	}
	p.want(404, "GET", "/imap-pop3-accounts/2/messages/1", nil)
	p.want(422, "POST", at+"/loop-tests", fields{"smtp_account_id": 99})
	repeatsLoopTests(t, p, at)
}

// repeatsLoopTests saves, lists and ends a schedule. Its SMTP account leads nowhere, which a schedule endures.
func repeatsLoopTests(t *testing.T, p program, at string) {
	t.Helper()
	p.want(201, "POST", "/smtp-accounts", fields{
		"account_name": "Relay", "sender_email": "alerts@example.com", "smtp_host": "127.0.0.1", "port": 1,
		"use_secure_connection": false, "use_authentication": false, "default_account": true,
	})
	p.want(422, "PUT", at+"/loop-schedules/1", fields{"every_minutes": 4})
	p.want(422, "PUT", at+"/loop-schedules/99", fields{"every_minutes": 60})
	p.want(404, "PUT", "/imap-pop3-accounts/99/loop-schedules/1", fields{"every_minutes": 60})
	if saved := p.want(200, "PUT", at+"/loop-schedules/1", fields{"every_minutes": 60}); saved["every_minutes"] != 60.0 || saved["next_at"] == nil {
		t.Errorf("%v", saved)
	}
	p.want(200, "PUT", at+"/loop-schedules/1", fields{"every_minutes": 1440, "address": "inbox@example.com"})
	all := p.want(200, "GET", at+"/loop-schedules", nil)["items"].([]any)
	if len(all) != 1 || all[0].(map[string]any)["address"] != "inbox@example.com" {
		t.Errorf("%v", all)
	}
	for range 2 {
		p.want(204, "DELETE", at+"/loop-schedules/1", nil)
	}
	if all := p.want(200, "GET", at+"/loop-schedules", nil)["items"].([]any); len(all) != 0 {
		t.Errorf("%v", all)
	}
}
