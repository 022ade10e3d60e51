package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const smtpPage = "/settings/notifications/smtp"

// relay is the form of an account that signs in nowhere.
func relay(more ...string) []string {
	return append([]string{
		"account_name", "Relay", "sender_email", "alerts@example.com", "smtp_host", "relay.example.com", "port", "25",
		"use_secure_connection", "no", "use_authentication", "no",
	}, more...)
}

func TestTheFirstSMTPAccountIsToBeTheDefault(t *testing.T) {
	s := newProxySite(t)
	ana := s.ana()
	const chosen = `name="default_account" value="yes" checked`
	if body := ana.get(smtpPage + "/new").body; !strings.Contains(body, chosen) {
		t.Error("without a default account nothing is sent: the form offers the new one")
	}
	ana.post(smtpPage, relay("default_account", "yes")...).leads(smtpPage)
	if body := ana.get(smtpPage + "/new").body; strings.Contains(body, chosen) {
		t.Error("a second account does not take the default unasked")
	}
	if _, row, _ := strings.Cut(ana.get(smtpPage).body, `<th scope="row"`); !strings.Contains(row[:min(200, len(row))], "Relay") {
		t.Errorf("a row is called by its name, not by a number: %.200s", row)
	}
	ana.get(smtpPage+"?page=9").is(http.StatusOK, "There is no page 9").hides("No SMTP account yet")
}

func TestTheDefaultAccountIsSwitchedWithThePasswordOnly(t *testing.T) {
	s := newProxySite(t)
	ana := s.ana()
	ana.post(smtpPage, relay("default_account", "yes")...).leads(smtpPage)
	s.pass(6 * time.Minute)
	ana.post(smtpPage+"/1/disable", "accept_no_default", "yes").is(http.StatusUnprocessableEntity, "Confirm that it is you")
	ana.post(smtpPage+"/1", relay("version", "1", "default_account", "yes", "active", "no", "accept_no_default", "yes", "sender_email", "nobody")...).
		is(http.StatusUnprocessableEntity, "Enter your own password", "Sender e-mail must be one address")
	ana.post(smtpPage+"/1", relay("version", "1", "default_account", "yes", "active", "yes", "sender_name", "Orbit")...).leads(smtpPage)
}
