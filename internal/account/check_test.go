package account

import (
	"errors"
	"slices"
	"testing"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// wrongFields are the fields that err complains of, in order of their names.
func wrongFields(t *testing.T, err error) []string {
	t.Helper()
	var invalid problem.Invalid
	if !errors.As(err, &invalid) {
		t.Fatalf("want problems with fields, got %v", err)
	}
	var names []string
	for _, field := range invalid {
		names = append(names, field.Name)
	}
	slices.Sort(names)
	return names
}

func TestWhatOnlyTheDatabaseKnowsIsSaidWithTheRest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stored := h.create(h.change("Office365"))

	smtp := h.change("office365")
	smtp.SenderEmail, smtp.NewCredential, smtp.Secret = "nobody", NewCredential{Name: "OFFICE365 credential"}, vault.Secret{}
	smtp.ReplyToEmail, smtp.ReturnPathEmail, smtp.ConfirmationEmail = "", "", ""
	smtp.UseNetworkConnector, smtp.NetworkConnectorID = true, 4711
	_, err := h.CreateSMTP(h.ctx, smtp)
	want := []string{"account_name", "network_connector_id", "new_credential_name", "new_credential_username", "secret", "sender_email"}
	if got := wrongFields(t, err); !slices.Equal(got, want) {
		t.Errorf("a new SMTP account: %v, want %v", got, want)
	}

	moved := SMTPChange{SMTPSettings: stored.SMTPSettings, Version: stored.Version}
	moved.SMTPHost, moved.MaxConnections = "mail.example.net", -1
	_, err = h.SaveSMTP(h.ctx, stored.ID, moved)
	if got := wrongFields(t, err); !slices.Equal(got, []string{"max_connections", "secret"}) {
		t.Errorf("another server and a wrong limit: %v", got)
	}
	moved.SMTPHost, moved.CredentialID = "not a host", stored.CredentialID
	_, err = h.SaveSMTP(h.ctx, stored.ID, moved)
	if got := wrongFields(t, err); !slices.Equal(got, []string{"max_connections", "smtp_host"}) {
		t.Errorf("nobody can tell whether a secret may go to a server that is none: %v", got)
	}

	mailbox := MailboxChange{MailboxSettings: NewMailboxSettings()}
	mailbox.CredentialID = NewCredentialID
	_, err = h.CreateMailbox(h.ctx, mailbox)
	want = []string{"account_name", "address", "new_credential_name", "new_credential_username", "secret"}
	if got := wrongFields(t, err); !slices.Equal(got, want) {
		t.Errorf("a new mailbox account: %v, want %v", got, want)
	}
}

func TestSwitchingOffNeedsNoSecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("Office365"))
	stored, err := h.credentials.Find(h.ctx, a.CredentialID)
	if err != nil {
		t.Fatal(err)
	}
	stored.Username = "other@example.com" // each destination has to be entered again
	if _, err := h.credentials.Update(h.ctx, stored, vault.NewSecret("correct horse")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetSMTPActive(h.ctx, a.ID, false, false); err != nil {
		t.Errorf("switching off: %v", err)
	}
	moved := SMTPChange{SMTPSettings: a.SMTPSettings}
	moved.Active, moved.SMTPHost = false, "mail.attacker.example"
	_, err = h.SaveSMTP(h.ctx, a.ID, moved)
	wantInvalid(t, err, "secret")
	_, err = h.SetSMTPActive(h.ctx, a.ID, true, false)
	wantInvalid(t, err, "secret")
}
