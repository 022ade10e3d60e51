package web_test

import (
	"testing"

	"orbit/internal/identity"
	"orbit/web/browsertest"
)

// server reads what the form says about the server: "smtp.gmail.com 465 yes ssl".
func server(tab *browsertest.Tab) string {
	return tab.Eval(`["smtp_host", "port", "use_secure_connection", "secure_connection_type"]
		.map((n) => new FormData(document.querySelector("main form")).get(n) || "-").join(" ")`)
}

func TestProvidersFillInTheirServers(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	tab := s.tab(t, "ana")
	tab.Open("/settings/notifications/smtp/new")
	provider, expect := `[name="provider"]`, func(want string) {
		t.Helper()
		if got := server(tab); got != want {
			t.Errorf("the form says %q, want %q", got, want)
		}
	}

	tab.Choose(provider, "microsoft365")
	expect("smtp.office365.com 587 yes tls")
	tab.SeeText("#summary", "smtp.office365.com:587 with STARTTLS")
	tab.SeeText("#hints-smtp_host", "Microsoft retires passwords for SMTP")
	tab.Choose(provider, "fastmail")
	expect("smtp.fastmail.com 465 yes ssl")
	tab.SeeText("#summary", "smtp.fastmail.com:465")
	if left := tab.Eval(`document.querySelector("#hints-smtp_host").textContent`); left != "" {
		t.Errorf("the hint of another server stays: %q", left)
	}

	fill(tab, "smtp_host", "relay.example.com")
	tab.Choose(provider, "google")
	expect("relay.example.com 465 yes ssl") // a server of one's own stays as it is

	fill(tab, "sender_email", "alerts@gmail.com")
	tab.Press("\t")
	tab.SeeText("#summary", "alerts@gmail.com") // what follows the typing has come, so nothing moves under the mouse
	tab.Click(`#provider-suggestion [data-fill]`)
	expect("smtp.gmail.com 587 yes tls")
	if tab.Value(provider) != "google" {
		t.Errorf("the provider is %q", tab.Value(provider))
	}
	if at := tab.Eval(`document.activeElement.textContent`); at != "Filled in." {
		t.Errorf("the focus is at %q", at)
	}
}
