package web_test

import (
	"net/http"
	"testing"

	"orbit/internal/account"
	"orbit/internal/oauth"
	"orbit/internal/sandbox/sandboxtest"
)

// What the provider said stands at the accounts that need it, and at no others.
func TestAccountsShowWhatTheirProviderSaid(t *testing.T) {
	s := newProxySite(t)
	s.registered(nil)
	stored := s.credential("Alerts", mailbox)
	l := s.listener()
	for name, port := range map[string]int{"Through the proxy": l.LocalPort, "With a password": s.provider.Ports.PasswordSMTP} {
		settings := account.NewSMTPSettings()
		settings.AccountName, settings.SenderEmail, settings.SMTPHost, settings.Port = name, mailbox, "127.0.0.1", port
		settings.UseSecureConnection, settings.SecureConnectionType, settings.CredentialID = false, "", stored.ID
		if _, err := s.accounts.CreateSMTP(t.Context(), account.SMTPChange{SMTPSettings: settings, Secret: secret}); err != nil {
			t.Fatal(err)
		}
	}
	ana := s.ana()
	const report = "/settings/notifications/smtp"
	ana.get(report).is(http.StatusOK, "Through the proxy", "With a password").hides("declined the consent")

	session := []byte("session of ana")
	visit, err := s.oauth.Visit(t.Context(), mailbox, session)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.oauth.Complete(t.Context(), oauth.ReadCallback(sandboxtest.Decline(t, visit).Query(), session)); err != nil {
		t.Fatal(err)
	}
	ana.get(report).is(http.StatusOK, "declined the consent", proxyPage+"/grants/1/error")
	ana.get(report+"?name=password").is(http.StatusOK, "With a password").hides("declined the consent")
	ana.get(proxyPage+"/grants/1/error").is(http.StatusOK, "What to do")
}
