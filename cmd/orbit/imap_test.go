package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"orbit/internal/account"
	"orbit/internal/app"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

func TestMailboxesAreListedAndTested(t *testing.T) {
	on(t)
	t.Setenv("ORBIT_ALLOWED_DESTINATIONS", "127.0.0.0/8")
	provider := sandboxtest.New(t, sandbox.Options{})
	owner := provider.Identity.Mailboxes()[0]
	attached(t, func(ctx context.Context, o *app.Orbit) {
		for name, password := range map[string]string{"Inbox": owner.Password, "Wrong": "guess"} {
			s := account.NewMailboxSettings()
			s.AccountName, s.Address, s.Port = name, sandbox.Host, provider.Ports.PasswordIMAP
			s.UseSecureConnection, s.CredentialID = false, account.NewCredentialID
			_, err := o.Accounts.CreateMailbox(ctx, account.MailboxChange{
				MailboxSettings: s, Secret: vault.NewSecret(password),
				NewCredential: account.NewCredential{Name: name, Username: owner.Address},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	wants(t, must(t, "imap", "list"), "ID", "AUTOMATIC CHECK", "Inbox", "IMAP", "127.0.0.1:")
	wants(t, must(t, "imap", "list", "--json"), `"keep_copy_on_server": true`)
	wants(t, must(t, "imap", "test", "inbox"), "Greeting of the server", "Signed in at 127.0.0.1: INBOX has")
	wants(t, must(t, "imap", "test", "inbox", "--verbose"), "orbit  ", "server ")

	var test account.MailboxTest
	if err := json.Unmarshal([]byte(must(t, "imap", "test", "inbox", "--json")), &test); err != nil || test.State != account.TestOpened || len(test.Steps) == 0 {
		t.Errorf("%v %+v", err, test)
	}
	status, out, _ := shell(t.Context(), "imap", "test", "Wrong")
	wants(t, out, "FAILED", "Not opened.", "Who must act: you", "What to do:", "The server said:")
	if status != exitFailed || strings.Contains(out, "guess") {
		t.Errorf("status %d: %s", status, out)
	}
	if status, out, _ = shell(t.Context(), "imap", "test", "Wrong", "--json"); status != exitFailed || !strings.Contains(out, `"state": "failed"`) {
		t.Errorf("status %d: %s", status, out)
	}
	wantFailure(t, "orbit imap list", "imap", "test", "Nobody")
}
