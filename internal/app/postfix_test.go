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

// Postfix takes the mails about an event, after STARTTLS and sign-in. What it sends back for an address that is not
// there arrives in a mailbox of Dovecot that Orbit reads: the contact is marked, the time line says so.
func TestEventsGoThroughPostfixAndBouncesComeBack(t *testing.T) {
	t.Parallel()
	server := mailtest.Postfix(t, mailtest.PostfixOptions{Unknown: []string{"gone@example.net"}})
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	h.signInAt(p, server)
	var contacts []int64
	for _, name := range []string{"ann", "gone"} {
		c, err := h.Notify.CreateContact(t.Context(), notify.Contact{Name: name, Email: name + "@example.net", Active: true})
		if err != nil {
			t.Fatal(err)
		}
		contacts = append(contacts, c.ID)
	}
	p.want(http.StatusCreated, http.MethodPost, "/notification-rules", fields{"name": "Views", "event_types": []string{"password.viewed"}, "contact_ids": contacts})
	p.want(http.StatusAccepted, http.MethodPost, "/events", fields{"type": "password.viewed", "data": fields{"credential": "c", "credential_username": "root-of-db"}})

	arrived := map[string]mailtest.Mail{}
	for range 2 {
		mail := server.Sink.Next(t)
		arrived[mail.To[0]] = mail
	}
	if text := string(arrived["ann@example.net"].Data); !strings.Contains(text, "root-of-db") || !strings.Contains(text, "with ESMTPSA") {
		t.Errorf("Ann's mail did not come after STARTTLS and sign-in:\n%s", text)
	}
	bounce := arrived[mailtest.User]
	if bounce.From != "" || !strings.Contains(string(bounce.Data), "gone@example.net") {
		t.Fatalf("no bounce came back: %v", arrived)
	}
	server.Dovecot.Deliver(t, mailtest.User, bounce.Data)
	waitUntil(t, "the contact is marked", func() bool {
		return p.want(http.StatusOK, http.MethodGet, fmt.Sprint("/contacts/", contacts[1]), nil)["bounced_at"] != nil
	})
	sent := p.want(http.StatusOK, http.MethodGet, "/deliveries?recipient=gone@example.net", nil)["items"].([]any)[0].(map[string]any)
	line := fmt.Sprint(p.want(http.StatusOK, http.MethodGet, fmt.Sprint("/deliveries/", sent["id"]), nil)["steps"])
	if !strings.Contains(line, "5.1.1") || !strings.Contains(line, "The address is not known here") {
		t.Errorf("the time line does not tell of the bounce: %s", line)
	}
	told := p.want(http.StatusOK, http.MethodPost, "/events/simulate", fields{"type": "password.viewed"})["items"].([]any)
	if len(told) != 2 || told[0].(map[string]any)["told"] != true || told[1].(map[string]any)["told"] != false {
		t.Errorf("who is told after the bounce: %v", told)
	}
}

// What Postfix refuses at once needs no bounce: the contact is marked, and somebody else is asked to decide.
func TestARefusalAtOnceIsAsGoodAsABounce(t *testing.T) {
	t.Parallel()
	server := mailtest.Postfix(t, mailtest.PostfixOptions{Main: map[string]string{
		"smtpd_recipient_restrictions": "check_recipient_access inline:{{ben@example.com=550 5.1.1 User unknown}}",
	}})
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	h.signInAt(p, server)
	contact := p.want(http.StatusCreated, http.MethodPost, "/contacts", fields{"name": "Ben", "email": "ben@example.com"})
	ben, zoe := h.approver(t, "ben"), h.approver(t, "zoe")
	p.want(http.StatusCreated, http.MethodPost, "/approver-groups", fields{"name": "Databases", "members": []fields{{"user_id": ben.ID, "level": 1}, {"user_id": zoe.ID, "level": 0}}})
	p.want(http.StatusCreated, http.MethodPost, "/access-requests", fields{
		"requester": fields{"name": "Rita", "email": "rita@example.org"}, "approver_group": "Databases", "action": "Start session",
		"end": time.Now().Add(time.Hour).Format(time.RFC3339),
	})
	for { // Rita hears that her request was sent; then Zoe is asked, for Ben cannot be
		if mail := server.Sink.Next(t); mail.To[0] == "zoe@example.com" {
			break
		}
	}
	request := p.want(http.StatusOK, http.MethodGet, "/access-requests/1", nil)
	if said := fmt.Sprint(request["approvers"]); !strings.Contains(said, "Refused: 550 5.1.1") {
		t.Errorf("the request does not say why Zoe is asked: %s", said)
	}
	if marked := p.want(http.StatusOK, http.MethodGet, fmt.Sprint("/contacts/", contact["id"]), nil); marked["bounced_at"] == nil || !strings.Contains(marked["bounce_text"].(string), "User unknown") {
		t.Errorf("%v", marked)
	}
}

// An approver is asked through Postfix, and the answer lies in a mailbox of Dovecot.
func TestAnAnswerInDovecotDecides(t *testing.T) {
	t.Parallel()
	server := mailtest.Postfix(t, mailtest.PostfixOptions{})
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	h.signInAt(p, server)
	p.want(http.StatusOK, http.MethodPatch, "/imap-pop3-accounts/1", fields{"authserv_id": "mx.example.com"})
	ana := h.approver(t, "ana")
	p.want(http.StatusCreated, http.MethodPost, "/approver-groups", fields{"name": "Databases", "members": []fields{{"user_id": ana.ID, "level": 1}}})
	p.want(http.StatusCreated, http.MethodPost, "/access-requests", fields{
		"requester": fields{"name": "Rita", "email": "rita@example.org"}, "approver_group": "Databases", "action": "Start session",
		"end": time.Now().Add(time.Hour).Format(time.RFC3339),
	})
	mails := map[string]string{}
	for range 2 {
		mail := server.Sink.Next(t)
		mails[mail.To[0]] = string(mail.Data)
	}
	server.Dovecot.Deliver(t, mailtest.User, approves(mails["ana@example.com"], mailtest.User))
	if told := server.Sink.Next(t); told.To[0] != "rita@example.org" || !strings.Contains(string(told.Data), "approved") {
		t.Errorf("%v\n%s", told.To, told.Data)
	}
	if state := p.want(http.StatusOK, http.MethodGet, "/access-requests/1", nil); state["status"] != "approved" || !strings.Contains(fmt.Sprint(state["decisions"]), "way:reply") {
		t.Errorf("%v", state)
	}
}

// signInAt registers the accounts of a mailbox: Postfix, through which everything is sent, and Dovecot, where answers
// arrive.
func (h *house) signInAt(p program, server *mailtest.PostfixServer) {
	p.t.Helper()
	credential := p.want(http.StatusCreated, http.MethodPost, "/credentials", fields{"name": "info", "username": mailtest.User, "secret": mailtest.Password})
	p.want(http.StatusCreated, http.MethodPost, "/smtp-accounts", fields{
		"account_name": "Postfix", "sender_email": mailtest.User, "smtp_host": "127.0.0.1", "port": server.Submission, "secure_connection_type": "tls",
		"certificate_rule": "custom_ca", "certificate_ca": server.Cert.CA, "credential_id": credential["id"], "secret": mailtest.Password, "default_account": true,
	})
	p.want(http.StatusCreated, http.MethodPost, "/imap-pop3-accounts", fields{
		"account_name": "Dovecot", "protocol": "imap", "address": "127.0.0.1", "port": server.Dovecot.IMAPS, "secure_connection_type": "ssl",
		"certificate_rule": "custom_ca", "certificate_ca": server.Dovecot.Cert.CA, "credential_id": credential["id"], "secret": mailtest.Password,
	})
}
