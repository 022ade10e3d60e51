package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

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
