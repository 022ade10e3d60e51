package account

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestSavingKeepsOnlyOneDefault(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.change("first")
	first.DefaultAccount = true
	a := h.create(first)
	b := h.create(h.change("second"))

	if _, err := h.MakeSMTPDefault(h.ctx, b.ID); err != nil {
		t.Fatal(err)
	}
	was, err := h.FindSMTP(h.ctx, a.ID)
	if err != nil || was.DefaultAccount {
		t.Errorf("choosing another default must take it from the first: %v, %v", was.DefaultAccount, err)
	}
	if was.Version == a.Version {
		t.Error("losing the default is a change: somebody who edits the account must be told")
	}
}

func TestManyAdministratorsChoosingADefaultNeverDeadlock(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var ids []int64
	for _, name := range []string{"a", "b", "c", "d"} {
		ids = append(ids, h.create(h.change(name)).ID)
	}
	var everybody sync.WaitGroup
	for round := range 5 {
		for _, id := range ids {
			everybody.Go(func() {
				var conflict *problem.Conflict
				if _, err := h.MakeSMTPDefault(h.ctx, id); err != nil && !errors.As(err, &conflict) {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
	}
	everybody.Wait()
	rows, _, err := h.ListSMTP(h.ctx, SMTPFilter{})
	if err != nil {
		t.Fatal(err)
	}
	defaults := 0
	for _, row := range rows {
		if row.DefaultAccount {
			defaults++
		}
	}
	if defaults != 1 {
		t.Errorf("want exactly one default, got %d", defaults)
	}
}

func TestTheLastDefaultIsNotDisabledWithoutAWarning(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	change := h.change("only")
	change.DefaultAccount = true
	a := h.create(change)

	var confirm *problem.Confirm
	if _, err := h.SetSMTPActive(h.ctx, a.ID, false, false); !errors.As(err, &confirm) || !strings.Contains(confirm.Text, "no notification will be sent") {
		t.Fatalf("want a question, got %v", err)
	}
	if err := h.DeleteSMTP(h.ctx, a.ID); err == nil {
		t.Error("the default account in use must not be deleted")
	}
	if _, err := h.SetSMTPActive(h.ctx, a.ID, false, true); err != nil {
		t.Fatalf("accepted: %v", err)
	}
	if found, err := h.HasDefault(h.ctx); found || err != nil {
		t.Errorf("a disabled default sends nothing: %v, %v", found, err)
	}
	if err := h.DeleteSMTP(h.ctx, a.ID); err != nil {
		t.Errorf("a disabled default can be deleted: %v", err)
	}
}

func TestTheSecondAdministratorIsToldWhatChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("shared"))
	bobs, alices := SMTPChange{SMTPSettings: a.SMTPSettings, Version: a.Version}, SMTPChange{SMTPSettings: a.SMTPSettings, Version: a.Version}

	bobs.SenderName = "Bob's choice"
	if _, err := h.SaveSMTP(h.as("bob"), a.ID, bobs); err != nil {
		t.Fatal(err)
	}
	alices.EnableFooter = true
	_, err := h.SaveSMTP(h.ctx, a.ID, alices)
	var conflict *problem.Conflict
	if !errors.As(err, &conflict) || conflict.Who != "bob" || len(conflict.Changed) != 2 {
		t.Fatalf("want a conflict by bob with both differences, got %+v, %v", conflict, err)
	}
	if c := conflict.Changed[0]; c.Label != "Sender name" || c.Stored != "Bob's choice" || c.Yours != "" {
		t.Errorf("the first difference: %+v", c)
	}
	now, err := h.FindSMTP(h.ctx, a.ID)
	if err != nil || now.EnableFooter {
		t.Errorf("nothing of a conflict is stored: %v, %v", now.EnableFooter, err)
	}
}

func TestChangingTheServerAsksForTheSecretAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("bound"))
	moved := SMTPChange{SMTPSettings: a.SMTPSettings, Version: a.Version}
	moved.SMTPHost = "mail.attacker.example"

	_, err := h.SaveSMTP(h.ctx, a.ID, moved)
	wantInvalid(t, err, "secret")

	moved.Secret = vault.NewSecret("a guess")
	_, err = h.SaveSMTP(h.ctx, a.ID, moved)
	wantInvalid(t, err, "secret")

	moved.Secret = vault.NewSecret("correct horse")
	if _, err = h.SaveSMTP(h.ctx, a.ID, moved); err != nil {
		t.Fatalf("with the secret: %v", err)
	}
}

func TestTestingUnsavedValuesDoesNotLeakAStoredSecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("bound"))
	other := newSink(t)
	moved := SMTPChange{SMTPSettings: a.SMTPSettings}
	moved.Port = other.port

	test, err := h.TestSMTP(h.ctx, SMTPTestRequest{Unsaved: &moved, To: "bob@example.com"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fault := test.Fault(); fault == nil || fault.Code != "credential_not_approved" {
		t.Errorf("want the secret withheld from another destination, got %+v", test)
	}
}

func TestNamesAreUniqueAndMissingRecordsAreNamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(h.change("Office365"))
	again := h.change("office365")
	again.NewCredential.Name = "another"
	_, err := h.CreateSMTP(h.ctx, again)
	wantInvalid(t, err, "account_name")

	gone := h.change("gone")
	gone.CredentialID = 4711
	_, err = h.CreateSMTP(h.ctx, gone)
	wantInvalid(t, err, "credential_id")

	nameless := h.change("nameless")
	nameless.NewCredential = NewCredential{}
	_, err = h.CreateSMTP(h.ctx, nameless)
	wantInvalid(t, err, "new_credential_name")

	unknown := h.change("unknown connector")
	unknown.UseNetworkConnector, unknown.NetworkConnectorID = true, 4711
	_, err = h.CreateSMTP(h.ctx, unknown)
	wantInvalid(t, err, "network_connector_id")
	if stored, err := h.credentials.List(h.ctx); err != nil || len(stored) != 1 {
		t.Errorf("a refused account leaves no credential behind: %d, %v", len(stored), err)
	}
}

func TestTheReportFiltersSortsAndPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, name := range []string{"Berta", "anton", "100% Caesar", "Dora"} {
		change := h.change(name)
		change.SenderEmail = strings.ToLower(strings.Trim(name, "10% ")) + "@example.com"
		change.ReplyToEmail, change.ReturnPathEmail, change.ConfirmationEmail = "", "", ""
		h.create(change)
	}
	no := false
	for name, c := range map[string]struct {
		filter SMTPFilter
		want   string
		total  int
	}{
		"by name":          {SMTPFilter{Sort: "name"}, "100% Caesar anton Berta Dora", 4},
		"descending":       {SMTPFilter{Sort: "-name"}, "Dora Berta anton 100% Caesar", 4},
		"unknown order":    {SMTPFilter{Sort: "; drop table"}, "100% Caesar anton Berta Dora", 4},
		"part of the name": {SMTPFilter{Name: "ER"}, "Berta", 1},
		"a percent sign":   {SMTPFilter{Name: "%"}, "100% Caesar", 1},
		"a NUL":            {SMTPFilter{Name: "a\x00"}, "", 0},
		"no UTF-8":         {SMTPFilter{Name: "a\xff"}, "", 0},
		"sender":           {SMTPFilter{Sender: "anton@"}, "anton", 1},
		"disabled":         {SMTPFilter{Active: &no}, "", 0},
		"second page":      {SMTPFilter{Sort: "name", Page: 2, PerPage: 3}, "Dora", 4},
		"behind the last":  {SMTPFilter{Sort: "name", Page: 3, PerPage: 3}, "", 4},
	} {
		rows, total, err := h.ListSMTP(h.ctx, c.filter)
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
}

func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("audited"))
	if _, err := h.SetSMTPActive(h.ctx, a.ID, false, false); err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteSMTP(h.ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	rows, _, err := audit.List(h.ctx, h.pool, audit.Filter{Object: "smtp_account", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, row := range rows {
		actions = append(actions, row.Action)
	}
	if got := strings.Join(actions, " "); got != "smtp_account.deleted smtp_account.changed smtp_account.created" {
		t.Errorf("newest first: %s", got)
	}
}

func TestCredentialsKnowTheirAccounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("user"))
	err := h.credentials.Delete(h.ctx, a.CredentialID, 0)
	var refused *problem.Refused
	if !errors.As(err, &refused) || !strings.Contains(refused.Text, "user") {
		t.Errorf("a credential in use names its accounts: %v", err)
	}
	found, err := h.credentials.Find(h.ctx, a.CredentialID)
	if err != nil || len(found.UsedBy) != 1 || found.UsedBy[0] != (credential.Use{What: "SMTP account", Name: "user", URL: "/settings/notifications/smtp/1"}) {
		t.Errorf("used by: %+v, %v", found.UsedBy, err)
	}
}

func TestHintsSayWhatWorksAndNeedsAttention(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	settings := h.change("hinted").Normalise()
	settings.SMTPHost, settings.UseSecureConnection, settings.SecureConnectionType = "smtp.office365.com", true, dial.STARTTLS
	settings.DefaultAccount, settings.Active = true, false
	hints, err := h.SMTPHints(h.ctx, settings)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, hint := range hints {
		found[hint.Field] = true
	}
	for _, field := range []string{"reply_to_email", "smtp_host", "ignore_certificate_error", "active"} {
		if !found[field] {
			t.Errorf("want a hint about %s, got %+v", field, hints)
		}
	}
}
