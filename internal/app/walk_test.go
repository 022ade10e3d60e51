package app_test

import (
	"strconv"
	"strings"
	"testing"

	"orbit/internal/account"
	"orbit/internal/mail/mailtest"
)

// The walk of the document: Grid Menu > Settings > Notifications > SMTP Configuration > New, fill in, Send, Test
// configuration, success. The server is a real Postfix with STARTTLS and a sign-in.
func TestTheWalkOfTheDocument(t *testing.T) {
	t.Parallel()
	postfix := mailtest.Postfix(t, mailtest.PostfixOptions{
		SASL: mailtest.Dovecot(t, mailtest.DovecotOptions{Users: map[string]string{"alerts@example.com": "tr0ub4dor"}}),
	})
	h := newHouse(t)
	tab := h.enter(t)
	tab.Check("home")

	tab.Click(`[aria-label="Grid Menu"]`)
	tab.Follow(`#grid-menu a[href="/settings"]`)
	tab.Follow(`#side-menu a[href="/settings/notifications/smtp"]`)
	tab.Check("smtp-empty")
	tab.Follow(`a[href="/settings/notifications/smtp/new"]`)
	tab.Check("smtp-new")

	tab.Follow(submit) // nothing filled in: everything wrong is said at once
	tab.SeeText(".error-summary", "SMTP host is required")
	tab.SeeText(".error-summary", "Sender e-mail is required")
	tab.Check("smtp-new-problems")

	fill(tab, "account_name", "Office365", "sender_email", "alerts@example.com", "sender_name", "Access alerts")
	choose(tab, "default_account", "yes")
	choose(tab, "send_read_confirmation", "yes")
	fill(tab, "smtp_host", "localhost", "port", strconv.Itoa(postfix.Submission))
	tab.Choose(`[name="credential_id"]`, "-1")
	fill(tab, "new_credential_name", "Alert mailbox", "new_credential_username", "alerts@example.com", "secret", "tr0ub4dor")
	choose(tab, "certificate_rule", "custom_ca")
	tab.Eval(`document.querySelector('[name="certificate_ca"]').value = ` + strconv.Quote(postfix.Cert.CA))
	tab.SeeText("#summary", "Access alerts <alerts@example.com>")
	tab.Check("smtp-new-filled")
	tab.Follow(submit)
	tab.SeeText("main", "Office365 is saved")
	tab.Check("smtp-report")

	tab.Click(`#smtp-1 .dots`)
	tab.Screenshot("smtp-row-menu")
	tab.Click(`#smtp-1 .menu a[href="/settings/notifications/smtp/1/test"]`)
	tab.SeeText("dialog", "Test e-mail - Account Office365")
	tab.Check("smtp-test-window")
	fill(tab, "to", "bob@example.com")
	tab.Click(submitWindow)
	tab.SeeText("dialog", "Test message sent. Accepted by localhost: 250 2.0.0")
	tab.Check("smtp-test")

	mail := postfix.Sink.Next(t)
	if mail.From != "alerts@example.com" || !strings.Contains(string(mail.Data), "ATTENTION: THIS IS A TEST MESSAGE!") {
		t.Errorf("the mail that arrived: %+v\n%s", mail, mail.Data)
	}
	tab.Open("/settings/notifications/smtp/1/tests")
	tab.Check("smtp-tests")
	tab.Open("/settings/notifications/smtp/tests/1")
	tab.Check("smtp-test-page")
	tab.Open("/settings/notifications/smtp/1")
	tab.Check("smtp-edit")
}

// A test that fails says what happened, who must act and what to do.
func TestTheWalkWithTheWrongPassword(t *testing.T) {
	t.Parallel()
	postfix := mailtest.Postfix(t, mailtest.PostfixOptions{
		SASL: mailtest.Dovecot(t, mailtest.DovecotOptions{Users: map[string]string{"alerts@example.com": "tr0ub4dor"}}),
	})
	h := newHouse(t)
	tab := h.enter(t)
	tab.Open("/settings/notifications/smtp/new")
	fill(tab, "account_name", "Relay", "sender_email", "alerts@example.com", "smtp_host", "127.0.0.1", "port", strconv.Itoa(postfix.Submission))
	tab.Choose(`[name="credential_id"]`, "-1")
	fill(tab, "new_credential_name", "Alert mailbox", "new_credential_username", "alerts@example.com", "secret", "wrong")
	choose(tab, "ignore_certificate_error", "yes")

	tab.Click(`main .form-foot a.btn`) // Test configuration, before anything is saved
	tab.SeeText("dialog", "nothing is saved")
	fill(tab, "to", "bob@example.com")
	tab.Click(submitWindow)
	tab.SeeText("dialog", "The test message was not sent")
	tab.SeeText("dialog", "535")
	tab.Check("smtp-test-failed")
	rows, _, err := h.Accounts.ListSMTP(t.Context(), account.SMTPFilter{})
	if err != nil || len(rows) != 0 {
		t.Errorf("testing values stores nothing: %d accounts, %v", len(rows), err)
	}
}

// A server whose certificate nobody vouches for is pinned from the test that found it.
func TestACertificateIsPinnedFromAFailedTest(t *testing.T) {
	t.Parallel()
	postfix := mailtest.Postfix(t, mailtest.PostfixOptions{
		SASL: mailtest.Dovecot(t, mailtest.DovecotOptions{Users: map[string]string{"alerts@example.com": "tr0ub4dor"}}),
	})
	h := newHouse(t)
	tab := h.enter(t)
	tab.Open("/settings/notifications/smtp/new")
	fill(tab, "account_name", "Relay", "sender_email", "alerts@example.com", "smtp_host", "127.0.0.1", "port", strconv.Itoa(postfix.Submission))
	tab.Choose(`[name="credential_id"]`, "-1")
	fill(tab, "new_credential_name", "Alert mailbox", "new_credential_username", "alerts@example.com", "secret", "tr0ub4dor")
	fingerprint := func() string { return tab.Value(`[name="certificate_fingerprint"]`) }

	tab.Click(`main .form-foot a.btn`) // before anything is saved: the form behind the window is filled in
	fill(tab, "to", "bob@example.com")
	tab.Click(submitWindow)
	tab.SeeText("dialog", "Pin this certificate")
	tab.Click(`dialog [data-fill]`)
	tab.SeeText("#hints-certificate_fingerprint", "Compare it")
	if len(fingerprint()) != 64 {
		t.Errorf("the form holds %q", fingerprint())
	}

	choose(tab, "certificate_rule", "verify") // saved: the link leads to the form, filled in
	tab.Follow(submit)
	tab.Open("/settings/notifications/smtp/1/test")
	fill(tab, "to", "bob@example.com")
	tab.Click(submit)
	tab.SeeText("main", "The test message was not sent")
	tab.Check("smtp-test-certificate")
	tab.Follow(`main a[href*="?pin="]`)
	if len(fingerprint()) != 64 {
		t.Errorf("the form holds %q", fingerprint())
	}
	tab.Follow(submit)
	tab.SeeText(".error-summary", "Enter it once to allow that") // another certificate is another destination
	fill(tab, "secret", "tr0ub4dor")
	tab.Follow(submit)
	tab.SeeText("main", "Relay is saved")
	tab.Open("/settings/notifications/smtp/1/test")
	fill(tab, "to", "bob@example.com")
	tab.Click(submit)
	tab.SeeText("main", "Accepted by 127.0.0.1: 250 2.0.0")
}
