package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"orbit/internal/account"
	"orbit/internal/app"
	"orbit/internal/inbox"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

func TestMailboxesAreListedAndTested(t *testing.T) {
	on(t)
	t.Setenv("ORBIT_ALLOWED_DESTINATIONS", "127.0.0.0/8")
	provider := sandboxtest.New(t, sandbox.Options{})
	owner := provider.Identity.Mailboxes()[0]
	registerMailboxes(t, provider, owner)
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

// registerMailboxes makes an account that opens and one that does not.
func registerMailboxes(t *testing.T, provider *sandbox.Sandbox, owner idp.Mailbox) {
	t.Helper()
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
}

func TestAMailboxIsChecked(t *testing.T) {
	on(t)
	t.Setenv("ORBIT_ALLOWED_DESTINATIONS", "127.0.0.0/8")
	provider := sandboxtest.New(t, sandbox.Options{})
	owner := provider.Identity.Mailboxes()[0]
	registerMailboxes(t, provider, owner)
	if err := provider.Deliver(owner.Address, []byte("From: Ann <ann@example.net>\r\nSubject: An answer\r\n\r\nThe text of it.\r\n")); err != nil {
		t.Fatal(err)
	}
	wants(t, must(t, "imap", "check", "inbox"), "Inbox: 1 in the mailbox, 1 new, 1 stored, 0 known already, 0 deleted on the server")
	var visit inbox.Visit
	if err := json.Unmarshal([]byte(must(t, "imap", "check", "Inbox", "--json")), &visit); err != nil || visit.Messages != 1 || visit.Stored != 0 || visit.Fault != nil {
		t.Errorf("%v %+v", err, visit)
	}
	status, out, _ := shell(t.Context(), "imap", "check", "Wrong")
	wants(t, out, "The check ended early.", "Who must act: you", "What to do:", "The server said:")
	if status != exitFailed || strings.Contains(out, "guess") {
		t.Errorf("status %d: %s", status, out)
	}
	if status, out, _ = shell(t.Context(), "imap", "check", "Wrong", "--json"); status != exitFailed || !strings.Contains(out, `"fault"`) {
		t.Errorf("status %d: %s", status, out)
	}
	wantFailure(t, "orbit imap list", "imap", "check", "Nobody")
}
