package app_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"orbit/internal/approval"
	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

// defaultAccount registers the account through which everything is sent, to a sink.
func (h *house) defaultAccount(p program, port int) {
	p.t.Helper()
	p.want(201, "POST", "/smtp-accounts", fields{
		"account_name": "Relay", "sender_email": "orbit@example.com", "smtp_host": "127.0.0.1", "port": port,
		"use_secure_connection": false, "use_authentication": false, "default_account": true,
	})
}

// approver registers somebody who decides.
func (h *house) approver(t *testing.T, name string) identity.User {
	t.Helper()
	u, err := h.Identity.CreateUser(t.Context(), identity.User{
		Username: name, FullName: strings.ToUpper(name[:1]) + name[1:], Email: name + "@example.com", Role: identity.Member, TimeZone: "UTC", Language: "en",
	}, vault.NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// An application asks, the approver is told by mail and opens its link, the requester is told, the application reads the state.
func TestARequestIsDecidedByItsMail(t *testing.T) {
	t.Parallel()
	sink := mailtest.Sink(t)
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	h.defaultAccount(p, sink.Port)
	ana := h.approver(t, "ana")
	p.want(201, "POST", "/approver-groups", fields{"name": "Databases", "members": []fields{{"user_id": ana.ID, "level": 1}}})

	application := h.program(t, identity.Member)
	wish := fields{
		"requester": fields{"name": "Rita", "email": "rita@example.com"}, "approver_group": "databases", "device_hostname": "db-01",
		"device_ip": "192.0.2.10", "credential_username": "root", "action": "Start session", "reason": "Maintenance",
		"end": time.Now().Add(2 * time.Hour).Format(time.RFC3339), "idempotency_key": "change-1",
	}
	made := application.want(201, "POST", "/access-requests", wish)
	at := "/access-requests/" + strconv.Itoa(int(made["id"].(float64)))
	if made["status"] != "pending" || !regexp.MustCompile(`^S\d{6}$`).MatchString(made["code"].(string)) {
		t.Errorf("%v", made)
	}
	if again := application.want(201, "POST", "/access-requests", wish); again["id"] != made["id"] {
		t.Errorf("the same key made another request: %v", again)
	}
	mails := map[string]string{}
	for range 2 {
		mail := sink.Next(t)
		mails[mail.To[0]] = string(mail.Data)
	}
	asked := mails["ana@example.com"]
	for _, says := range []string{"Subject: Access request - db-01 (192.0.2.10)", "Auto-Submitted: auto-generated", "Rita", "text/html"} {
		if !strings.Contains(asked, says) {
			t.Errorf("the approver's mail lacks %q:\n%s", says, asked)
		}
	}
	if strings.Contains(asked, "as its first line") {
		t.Error("the mail asks for an answer that nobody reads")
	}
	link := regexp.MustCompile(`/decide/([A-Za-z0-9_-]{32})`).FindStringSubmatch(unfolded(asked))
	if link == nil {
		t.Fatalf("no link in\n%s", asked)
	}
	whole, err := h.Approvals.DecideByLink(t.Context(), vault.NewSecret(link[1]), ana.ID, approval.Decide{Answer: approval.Approve})
	if err != nil || whole.Status != approval.Approved {
		t.Fatal(whole, err)
	}
	if told := sink.Next(t); told.To[0] != "rita@example.com" || !strings.Contains(string(told.Data), "approved") {
		t.Errorf("%v", told.To)
	}
	state := application.want(200, "GET", at, nil)
	if state["status"] != "approved" || len(state["decisions"].([]any)) != 1 {
		t.Errorf("%v", state)
	}
	application.want(409, "POST", at+"/cancel", fields{})
	application.want(403, "POST", at+"/revoke", fields{"justification": "x"})
	revoked := p.want(200, "POST", at+"/revoke", fields{"justification": "leak"})
	if revoked["status"] != "revoked" {
		t.Errorf("%v", revoked)
	}
	if listed := p.want(200, "GET", "/access-requests?status=revoked&search="+url.QueryEscape(made["code"].(string)), nil); len(listed["items"].([]any)) != 1 {
		t.Errorf("%v", listed)
	}
	p.want(422, "POST", "/access-requests", fields{"requester": fields{"name": "", "email": "x"}, "action": "", "end": time.Now().Format(time.RFC3339)})
}

// unfolded undoes quoted-printable line ends.
func unfolded(mail string) string {
	return strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(mail)
}

// The approver answers the mail from a mailbox that Orbit reads.
func TestARequestIsDecidedByAnAnswer(t *testing.T) {
	t.Parallel()
	sink := mailtest.Sink(t)
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	p := h.program(t, identity.Administrator)
	h.defaultAccount(p, sink.Port)
	owner := d.Sandbox.Identity.Mailboxes()[0]
	credential := p.want(201, "POST", "/credentials", fields{"name": "Answers", "username": owner.Address, "secret": owner.Password})
	box := mailboxFields(d, "imap", credential["id"])
	box["secret"], box["authserv_id"] = owner.Password, "mx.example.com"
	p.want(201, "POST", "/imap-pop3-accounts", box)
	smtp := p.want(200, "GET", "/smtp-accounts?account_name=Relay", nil)["items"].([]any)[0].(map[string]any)
	p.want(200, "PATCH", fmt.Sprintf("/smtp-accounts/%v", smtp["id"]), fields{"reply_to_email": owner.Address, "default_account": true})

	ana := h.approver(t, "ana")
	p.want(201, "POST", "/approver-groups", fields{"name": "Databases", "members": []fields{{"user_id": ana.ID, "level": 1}}})
	made := p.want(201, "POST", "/access-requests", fields{
		"requester": fields{"name": "Rita", "email": "rita@example.com"}, "approver_group": "Databases", "action": "Start session",
		"end": time.Now().Add(2 * time.Hour).Format(time.RFC3339),
	})
	var asked string
	for range 2 {
		if mail := sink.Next(t); mail.To[0] == "ana@example.com" {
			asked = string(mail.Data)
		}
	}
	if !strings.Contains(unfolded(asked), "answer this mail with APPROVE or REJECT as its first line") {
		t.Errorf("the mail does not say that it can be answered:\n%s", asked)
	}
	if err := d.Sandbox.Deliver(owner.Address, approves(asked, owner.Address)); err != nil {
		t.Fatal(err)
	}
	if told := sink.Next(t); told.To[0] != "rita@example.com" || !strings.Contains(string(told.Data), "approved") {
		t.Errorf("%v\n%s", told.To, told.Data)
	}
	state := p.want(200, "GET", fmt.Sprintf("/access-requests/%v", made["id"]), nil)
	decision := state["decisions"].([]any)[0].(map[string]any)
	if state["status"] != "approved" || decision["way"] != "reply" || decision["justification"] != "as agreed" {
		t.Errorf("%v", state)
	}
}

// approves is Ana's answer to a mail that asked her, as her mail program writes it and the server of the mailbox stores it.
func approves(asked, to string) []byte {
	return []byte(strings.Join([]string{
		"Authentication-Results: mx.example.com; dmarc=pass header.from=example.com",
		"From: Ana <ana@example.com>", "To: " + to, "Subject: Re: " + header(asked, "Subject"), "Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <answer@example.com>", "In-Reply-To: " + header(asked, "Message-ID"),
		"References: " + header(asked, "References") + " " + header(asked, "Message-ID"), "", "APPROVE", "", "as agreed", "",
	}, "\r\n"))
}

// header is the value of a header field, unfolded.
func header(mail, name string) string {
	m := regexp.MustCompile(`(?mi)^` + name + `: ((?:.*\r\n)(?:[ \t].*\r\n)*)`).FindStringSubmatch(mail)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(regexp.MustCompile(`\r\n[ \t]+`).ReplaceAllString(m[1], " "))
}
