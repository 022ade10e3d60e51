package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/postgres"
	"orbit/internal/vault"
)

// secret is what every credential of these tests holds.
var secret = vault.NewSecret("correct horse battery staple")

// credential stores a credential whose secret may go to some servers.
func (s *site) credential(name, username string, to ...credential.Destination) credential.Credential {
	s.t.Helper()
	ctx := context.Background()
	c, err := s.credentials.Create(ctx, name, username, secret)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range to {
		err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error { return s.credentials.Approve(ctx, tx, c.ID, d, secret) })
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return c
}

func office() credential.Destination {
	return credential.Destination{Host: "smtp.office365.com", Port: 587, TLS: "tls"}
}

// used says that one credential is used by accounts.
func (s *site) used(id int64, names ...string) {
	s.credentials.UsedBy = func(context.Context, []int64) (map[int64][]credential.Use, error) {
		var uses []credential.Use
		for _, name := range names {
			uses = append(uses, credential.Use{What: "SMTP account", Name: name, URL: "/settings/notifications/smtp/1"})
		}
		return map[int64][]credential.Use{id: uses}, nil
	}
}

func TestCredentialsFromTheFirstToTheLast(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	tab := s.tab(t, "ana")
	tab.Open("/settings/credentials")
	tab.Check("credentials-empty")
	tab.Follow(".nothing a.btn-primary")
	tab.Follow(submit)
	tab.SeeText(".error-summary", "3 things need your attention")
	tab.Check("credential-new-problems")
	fill(tab, "name", "Office365 alerts", "username", "alerts@example.com", "secret", "app password")
	tab.Follow(submit)
	tab.SeeText("main", "Credential Office365 alerts is stored")

	office := s.credential("Old relay", "relay-user", office(), credential.Destination{Host: "relay.example.com", Port: 25}).ID
	if _, _, err := s.credentials.Open(t.Context(), office, credential.Destination{Host: "relay.example.com", Port: 25}); err != nil {
		t.Fatal(err)
	}
	s.credential("Notices", "notices@example.com", credential.Destination{Host: "smtp.gmail.com", Port: 465, TLS: "ssl"})
	s.used(office, "Invoices", "Alerts of the night shift", "Newsletter")
	tab.Open("/settings/credentials")
	tab.Check("credentials")
	tab.Follow("#credential-2 .row-name a")
	tab.Check("credential-edit")

	tab.Open("/settings/credentials")
	tab.Click("#credential-2 .dots")
	tab.Click(`#credential-2 .menu a[href$="/delete"]`)
	tab.SeeText("dialog", "is used by SMTP account Invoices")
	tab.Check("credential-delete-refused")
	tab.Open("/settings/credentials")
	tab.Click("#credential-1 .dots")
	tab.Click(`#credential-1 .menu a[href$="/secret"]`)
	tab.See(`dialog[open] [name="secret"]`)
	s.pass(6 * time.Minute)
	fill(tab, "secret", "another password")
	tab.Click(`dialog[open] button[type="submit"]`)
	tab.SeeText("dialog", "Enter your own password")
	tab.Check("credential-secret-problems")
	fill(tab, "secret", "another password", "current_password", goodPassword)
	tab.Follow(`dialog[open] button[type="submit"]`)
	tab.SeeText("main", "The secret of Office365 alerts is replaced")
	tab.Click("#credential-1 .dots")
	tab.Click(`#credential-1 .menu a[href$="/delete"]`)
	tab.SeeText("dialog", "The secret is destroyed")
	tab.Follow(`dialog[open] button[type="submit"]`)
	tab.SeeText("main", "Credential Office365 alerts is deleted")
}

func TestParametersFollowWhatIsTyped(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	tab := s.tab(t, "ana")
	tab.Open("/settings/system-parameters/application")
	fill(tab, "report_rows", "50", "footer_text", "Sent by Orbit for Example Ltd.\rDo not answer; write to it@example.com.")
	tab.SeeText("#summary", "Lists show 50 rows")
	tab.SeeText("#summary", "write to it@example.com")
	fill(tab, "report_rows", "501", "sent_retention_days", "0")
	tab.Follow(submit)
	tab.SeeText(".error-summary", "2 things need your attention")
	tab.Check("parameters-problems")
	fill(tab, "report_rows", "50", "sent_retention_days", "365")
	tab.Follow(submit)
	tab.SeeText("main", "The application parameters are saved")
	tab.Check("parameters-saved")
}
