package account

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// mailbox is a valid account with a credential of its own; nothing listens at its port.
func (h *house) mailbox(name string) MailboxChange {
	settings := office365Mailbox()
	settings.AccountName, settings.Address, settings.Port = name, "imap.example.com", 993
	settings.UseSecureConnection, settings.SecureConnectionType = true, dial.Implicit
	settings.CredentialID = NewCredentialID
	return MailboxChange{
		MailboxSettings: settings, Secret: vault.NewSecret("correct horse"),
		NewCredential: NewCredential{Name: name + " credential", Username: "alerts@example.com"},
	}
}

func (h *house) createMailbox(c MailboxChange) Mailbox {
	h.t.Helper()
	stored, err := h.CreateMailbox(h.ctx, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return stored
}

func TestAMailboxIsStoredAsItWasTyped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	change := h.mailbox("inbox")
	change.Folder, change.AuthservID = "Answers", "mx.example.com"
	a := h.createMailbox(change)
	want := change.Normalise()
	want.CredentialID = a.CredentialID
	if a.MailboxSettings != want || a.CreatedBy != "alice" || a.Version != 1 {
		t.Errorf("got %+v, want %+v", a, want)
	}
	byID, err := h.FindMailbox(h.ctx, a.ID)
	if err != nil || byID != a {
		t.Errorf("by id: %+v, %v", byID, err)
	}
	if byName, err := h.FindMailboxByName(h.ctx, "INBOX"); err != nil || byName != a {
		t.Errorf("by name: %+v, %v", byName, err)
	}
	clone, err := h.CloneMailbox(h.ctx, a.ID)
	if err != nil || clone.AccountName != "Copy of inbox" || clone.CredentialID != a.CredentialID || clone.Folder != "Answers" {
		t.Errorf("clone: %+v, %v", clone, err)
	}
	if err := h.DeleteMailbox(h.ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	for _, find := range []func() error{
		func() error { _, err := h.FindMailbox(h.ctx, a.ID); return err },
		func() error { _, err := h.FindMailboxByName(h.ctx, "inbox"); return err },
		func() error { _, err := h.SetMailboxActive(h.ctx, a.ID, true); return err },
		func() error { _, err := h.CloneMailbox(h.ctx, a.ID); return err },
		func() error { return h.DeleteMailbox(h.ctx, a.ID) },
	} {
		if err := find(); !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("after it was deleted: %v", err)
		}
	}
}

func TestTheSecondAdministratorOfAMailboxIsToldWhatChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.createMailbox(h.mailbox("shared"))
	bobs, alices := MailboxChange{MailboxSettings: a.MailboxSettings, Version: a.Version}, MailboxChange{MailboxSettings: a.MailboxSettings, Version: a.Version}
	bobs.KeepCopyOnServer = false
	if _, err := h.SaveMailbox(h.as("bob"), a.ID, bobs); err != nil {
		t.Fatal(err)
	}
	alices.Folder = "Answers"
	_, err := h.SaveMailbox(h.ctx, a.ID, alices)
	var conflict *problem.Conflict
	if !errors.As(err, &conflict) || conflict.Who != "bob" || conflict.What != "IMAP/POP3 account shared" || len(conflict.Changed) != 2 {
		t.Fatalf("want a conflict by bob with both differences, got %+v, %v", conflict, err)
	}
	if c := conflict.Changed[0]; c != (problem.Change{Field: "keep_copy_on_server", Label: "Keep copy on server", Stored: "No", Yours: "Yes"}) {
		t.Errorf("the first difference: %+v", c)
	}
}

func TestChangingTheServerOfAMailboxAsksForTheSecretAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.createMailbox(h.mailbox("bound"))
	for name, change := range map[string]func(*MailboxChange){
		"address":     func(c *MailboxChange) { c.Address = "imap.attacker.example" },
		"port":        func(c *MailboxChange) { c.Port = 994 },
		"TLS":         func(c *MailboxChange) { c.SecureConnectionType = dial.STARTTLS },
		"plain":       func(c *MailboxChange) { c.UseSecureConnection = false },
		"certificate": func(c *MailboxChange) { c.IgnoreCertificate = false },
		"connector":   func(c *MailboxChange) { c.UseNetworkConnector = true }, // any certificate is accepted, so the way counts
	} {
		moved := MailboxChange{MailboxSettings: a.MailboxSettings}
		change(&moved)
		_, err := h.SaveMailbox(h.ctx, a.ID, moved)
		var invalid problem.Invalid
		if !errors.As(err, &invalid) || invalid.For("secret") == "" {
			t.Errorf("%s: %v", name, err)
		}
		test, err := h.TestMailbox(h.ctx, MailboxTestRequest{Unsaved: &moved}, nil)
		if fault := test.Fault(); err != nil || fault == nil || fault.Code != "credential_not_approved" {
			t.Errorf("%s: the test must not send the stored secret elsewhere: %+v, %v", name, test, err)
		}
	}
	same := MailboxChange{MailboxSettings: a.MailboxSettings}
	same.Folder, same.Protocol = "Answers", fetch.POP3
	if _, err := h.SaveMailbox(h.ctx, a.ID, same); err != nil {
		t.Errorf("another folder is no other destination: %v", err)
	}
	moved := MailboxChange{MailboxSettings: a.MailboxSettings, Secret: vault.NewSecret("correct horse")}
	moved.Address = "imap2.example.com"
	if _, err := h.SaveMailbox(h.ctx, a.ID, moved); err != nil {
		t.Errorf("with the secret: %v", err)
	}
}

func TestTheOwnProxyNeedsNoSecret(t *testing.T) {
	t.Parallel()
	h := newHouseWith(t, Options{Own: func(host string, port int) bool { return host == "127.0.0.1" && port == 2993 }})
	stored, err := h.credentials.Create(h.ctx, "Office365", "alerts@example.com", vault.NewSecret("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	settings := office365Mailbox()
	settings.CredentialID = stored.ID
	if _, err := h.CreateMailbox(h.ctx, MailboxChange{MailboxSettings: settings}); err != nil {
		t.Fatal(err)
	}
	settings.AccountName, settings.Port = "elsewhere", 2994
	_, err = h.CreateMailbox(h.ctx, MailboxChange{MailboxSettings: settings})
	wantInvalid(t, err, "secret")
}

// A token needs no secret, and a credential without one must not let anybody in at Orbit's own listeners.
func TestACredentialForATokenHasASecretThatNobodyKnows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	change := h.mailbox("token")
	change.AuthenticationType, change.Secret = OAuth2, vault.Secret{}
	a := h.createMailbox(change)
	_, secret, err := h.credentials.Open(h.ctx, a.CredentialID, credential.Self)
	if err != nil || len(secret.Reveal()) < 20 {
		t.Errorf("a secret of %d letters, %v", len(secret.Reveal()), err)
	}
}

func TestMailboxNamesAreUniqueAndMissingRecordsAreNamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.createMailbox(h.mailbox("Office365"))
	again := h.mailbox("office365")
	again.NewCredential.Name = "another"
	_, err := h.CreateMailbox(h.ctx, again)
	wantInvalid(t, err, "account_name")

	gone := h.mailbox("gone")
	gone.CredentialID = 4711
	_, err = h.CreateMailbox(h.ctx, gone)
	wantInvalid(t, err, "credential_id")
	gone.AuthenticationType = OAuth2
	_, err = h.CreateMailbox(h.ctx, gone)
	wantInvalid(t, err, "credential_id")

	nameless := h.mailbox("nameless")
	nameless.NewCredential = NewCredential{}
	_, err = h.CreateMailbox(h.ctx, nameless)
	wantInvalid(t, err, "new_credential_name")

	unknown := h.mailbox("unknown connector")
	unknown.UseNetworkConnector, unknown.NetworkConnectorID = true, 4711
	_, err = h.CreateMailbox(h.ctx, unknown)
	wantInvalid(t, err, "network_connector_id")
	_, err = h.CreateMailbox(h.ctx, MailboxChange{})
	wantInvalid(t, err, "address")
}

func TestTheReportOfMailboxesFiltersSortsAndPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, name := range []string{"Berta", "anton", "100% Caesar", "Dora"} {
		change := h.mailbox(name)
		change.Port = 1000 - i
		change.KeepCopyOnServer, change.AutomaticCheck = name != "Dora", name != "Berta"
		if name == "anton" {
			change.Protocol, change.UseSecureConnection, change.Active = fetch.POP3, false, false
		}
		h.createMailbox(change)
	}
	yes, no := true, false
	for name, c := range map[string]struct {
		filter MailboxFilter
		want   string
		total  int
	}{
		"by name":          {MailboxFilter{Sort: "name"}, "100% Caesar anton Berta Dora", 4},
		"by port":          {MailboxFilter{Sort: "-port"}, "Berta anton 100% Caesar Dora", 4},
		"by protocol":      {MailboxFilter{Sort: "-protocol"}, "anton Dora 100% Caesar Berta", 4},
		"unknown order":    {MailboxFilter{Sort: "; drop table"}, "100% Caesar anton Berta Dora", 4},
		"part of the name": {MailboxFilter{Name: "ER"}, "Berta", 1},
		"a percent sign":   {MailboxFilter{Name: "%"}, "100% Caesar", 1},
		"protocol":         {MailboxFilter{Protocol: fetch.POP3}, "anton", 1},
		"secure":           {MailboxFilter{Secure: &no}, "anton", 1},
		"automatic":        {MailboxFilter{AutomaticCheck: &no}, "Berta", 1},
		"keep":             {MailboxFilter{KeepCopy: &no}, "Dora", 1},
		"enabled":          {MailboxFilter{Active: &yes, KeepCopy: &yes, AutomaticCheck: &yes}, "100% Caesar", 1},
		"id":               {MailboxFilter{ID: 2}, "anton", 1},
		"second page":      {MailboxFilter{Sort: "name", Page: 2, PerPage: 3}, "Dora", 4},
		"behind the last":  {MailboxFilter{Sort: "name", Page: 3, PerPage: 3}, "", 4},
	} {
		rows, total, err := h.ListMailboxes(h.ctx, c.filter)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var names []string
		for _, row := range rows {
			names = append(names, row.AccountName)
		}
		if strings.Join(names, " ") != c.want || total != c.total {
			t.Errorf("%s: got %q of %d, want %q of %d", name, names, total, c.want, c.total)
		}
	}
	for column := range mailboxOrder {
		if _, _, err := h.ListMailboxes(h.ctx, MailboxFilter{Sort: column}); err != nil {
			t.Errorf("by %s: %v", column, err)
		}
	}
	watched, err := h.WatchedMailboxes(h.ctx)
	if err != nil || len(watched) != 3 {
		t.Errorf("the active ones: %+v, %v", watched, err)
	}
}

func TestEveryChangeOfAMailboxIsAuditedAndTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	conn, err := h.pool.Acquire(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(h.ctx, "listen "+MailboxChannel); err != nil {
		t.Fatal(err)
	}
	a := h.createMailbox(h.mailbox("audited"))
	if _, err := h.SetMailboxActive(h.ctx, a.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteMailbox(h.ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		told, err := conn.Conn().WaitForNotification(h.ctx)
		if err != nil || told.Payload != strconv.FormatInt(a.ID, 10) {
			t.Fatalf("%+v, %v", told, err)
		}
	}
	rows, _, err := audit.List(h.ctx, h.pool, audit.Filter{Object: "mailbox_account", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, row := range rows {
		actions = append(actions, row.Action)
	}
	if got := strings.Join(actions, " "); got != "mailbox_account.deleted mailbox_account.changed mailbox_account.created" {
		t.Errorf("newest first: %s", got)
	}
}

func TestCredentialsKnowTheirMailboxes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	both := h.create(h.change("sender"))
	reader := h.mailbox("reader")
	reader.CredentialID = both.CredentialID
	a := h.createMailbox(reader)
	found, err := h.credentials.Find(h.ctx, both.CredentialID)
	if err != nil || len(found.UsedBy) != 2 || found.UsedBy[0].What != "SMTP account" ||
		found.UsedBy[1] != (credential.Use{What: "IMAP/POP3 account", Name: "reader", URL: "/settings/notifications/imap-pop3/" + strconv.FormatInt(a.ID, 10)}) {
		t.Errorf("used by: %+v, %v", found.UsedBy, err)
	}
	if err := h.DeleteSMTP(h.ctx, both.ID); err != nil {
		t.Fatal(err)
	}
	var refused *problem.Refused
	if err := h.credentials.Delete(h.ctx, both.CredentialID, 0); !errors.As(err, &refused) || !strings.Contains(refused.Text, "reader") {
		t.Errorf("a credential in use names its accounts: %v", err)
	}
}
