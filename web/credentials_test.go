package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/vault"
)

// opens reports whether text is the secret of a credential. A Service of its own asks, which remembers nothing.
func (s *site) opens(username, text string) bool {
	s.t.Helper()
	ok, err := credential.New(s.pool, s.box).Verify(s.t.Context(), username, vault.NewSecret(text))
	if err != nil {
		s.t.Fatal(err)
	}
	return ok
}

// did lists what the audit trail says of credentials, the newest first.
func (s *site) did() (actions []string) {
	s.t.Helper()
	rows, _, err := audit.List(s.t.Context(), s.pool, audit.Filter{Object: "credential"})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, row := range rows {
		actions = append(actions, row.Actor.Name+" "+row.Action)
	}
	return actions
}

func TestCredentialIsRegisteredAndItsSecretNeverShown(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	ana := s.as("ana")
	ana.get("/settings/credentials").is(http.StatusOK, "No credential yet", "New credential")

	const typed = "hunter2 is no secret"
	ana.post("/settings/credentials", "name", "", "username", "alerts@example.com", "secret", typed).
		is(http.StatusUnprocessableEntity, "Enter a name.", "alerts@example.com", "Enter the secret once more").hides(typed)
	ana.post("/settings/credentials", "name", "Office365", "username", "alerts@example.com", "secret", typed).leads("/settings/credentials")
	ana.get("/settings/credentials").is(http.StatusOK, "Credential Office365 is stored", "Office365", "alerts@example.com", "none yet").hides(typed)
	ana.get("/settings/credentials/1").is(http.StatusOK, "Stored, enter to replace").hides(typed)
	ana.post("/settings/credentials", "name", "office365", "username", "x", "secret", typed).
		is(http.StatusUnprocessableEntity, "Another credential is called office365").hides(typed)
	if !s.opens("alerts@example.com", typed) {
		t.Error("the secret was not stored")
	}
	if did := s.did(); len(did) != 1 || did[0] != "ana credential.created" {
		t.Errorf("the trail says %v", did)
	}
}

func TestEverythingWrongWithACredentialIsSaidAtOnce(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	ana := s.as("ana")
	s.pass(6 * time.Minute)
	ana.post("/settings/credentials", "name", strings.Repeat("n", 1001), "username", "a\x01b").
		is(http.StatusUnprocessableEntity, "4 things need your attention", "Name is too long", "Username must be one line", "Enter the secret (password or key)",
			"Enter your own password").hides("Enter a name.")
}

func TestSecretsChangeOnlyAfterThePasswordWasTypedAgain(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	c := s.credential("Office365", "alerts@example.com")
	ana := s.as("ana")
	s.pass(6 * time.Minute)
	at := "/settings/credentials/1"

	ana.get(at).is(http.StatusOK, `name="current_password"`)
	ana.post(at, "version", "1", "name", "Office365", "username", c.Username, "secret", "another").
		is(http.StatusUnprocessableEntity, "Enter your own password", "Enter the secret once more")
	ana.post(at, "version", "1", "name", "Renamed", "username", c.Username).leads("/settings/credentials")
	ana.post(at+"/secret", "version", "2", "secret", "another").is(http.StatusUnprocessableEntity, "Enter your own password", "Enter the secret once more")
	ana.post(at+"/delete", "version", "2").is(http.StatusUnprocessableEntity, "Enter your password to go on")
	if !s.opens(c.Username, "correct horse battery staple") {
		t.Fatal("the secret changed without the password")
	}
	ana.post(at+"/secret", "version", "2", "secret", "another", "current_password", goodPassword).leads("/settings/credentials")
	if !s.opens(c.Username, "another") {
		t.Error("the secret did not change")
	}
	if did := s.did(); len(did) != 3 || did[0] != "ana credential.secret_replaced" || did[1] != "ana credential.changed" {
		t.Errorf("the trail says %v", did)
	}
}

func TestAnotherUsernameNeedsItsSecret(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	c := s.credential("Office365", "alerts@example.com", office())
	s.used(c.ID, "Invoices")
	ana := s.as("ana")
	at := "/settings/credentials/1"
	ana.get(at).is(http.StatusOK, "smtp.office365.com:587, STARTTLS", "never used", "SMTP account Invoices", "once more in each account")
	ana.post(at, "version", "1", "name", c.Name, "username", "new@example.com").
		is(http.StatusUnprocessableEntity, "Enter the secret of new@example.com: the stored one belongs to alerts@example.com.")
	ana.post(at, "version", "1", "name", c.Name, "username", "new@example.com", "secret", "of the new one").leads("/settings/credentials")
	ana.get("/settings/credentials").is(http.StatusOK, "now signs in as new@example.com", "enter the secret there")
	ana.get(at).is(http.StatusOK, "None yet: no account sends this secret").hides("smtp.office365.com")
}

func TestSecondOfTwoAdministratorsIsToldWhatChanged(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.somebody("ben", identity.Administrator)
	c := s.credential("Office365", "alerts@example.com")
	ana, ben := s.as("ana"), s.as("ben")
	at := "/settings/credentials/1"
	ben.post(at, "version", "1", "name", "Microsoft 365", "username", c.Username).leads("/settings/credentials")

	const typed = "typed by ana"
	page := ana.post(at, "version", "1", "name", "Exchange", "username", c.Username, "secret", typed).
		is(http.StatusConflict, "ben changed this while you were working on it", "Microsoft 365", `value="Exchange"`, "Enter the secret once more").hides(typed)
	if !strings.Contains(page.body, `name="version" value="2"`) {
		t.Error("saving again would be refused again")
	}
	ana.post(at+"/secret", "version", "1", "secret", typed).is(http.StatusConflict, "Somebody else was quicker")
	if s.opens(c.Username, typed) {
		t.Error("the secret was stored in spite of the conflict")
	}
	ana.post(at, "version", "2", "name", "Exchange", "username", c.Username, "secret", typed).leads("/settings/credentials")
	if !s.opens(c.Username, typed) {
		t.Error("the second attempt stored nothing")
	}
}

func TestCredentialInUseIsNotDeleted(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	c := s.credential("Office365", "alerts@example.com", office())
	s.used(c.ID, "Invoices", "Newsletter")
	ana := s.as("ana")
	at := "/settings/credentials/1/delete"
	const why = "Credential Office365 is used by SMTP account Invoices, SMTP account Newsletter and cannot be deleted. Choose another credential there first."
	ana.get(at).is(http.StatusOK, why).hides("Delete credential</button>")
	ana.post(at, "version", "1").is(http.StatusConflict, why)
	ana.get("/settings/credentials").is(http.StatusOK, `<a href="/settings/notifications/smtp/1">Invoices</a>`, "and 1 more")

	s.used(c.ID)
	ana.get(at).is(http.StatusOK, "The secret is destroyed", "Delete credential</button>")
	ana.post(at, "version", "9").is(http.StatusConflict, "was changed by")
	ana.post(at, "version", "").is(http.StatusBadRequest)
	ana.post(at, "version", "1").leads("/settings/credentials")
	ana.get("/settings/credentials").is(http.StatusOK, "Credential Office365 is deleted", "No credential yet")
	ana.post(at, "version", "1").is(http.StatusNotFound)
}

func TestOnlyAdministratorsChangeCredentials(t *testing.T) {
	s := newSite(t)
	s.credential("Office365", "alerts@example.com", office())
	for name, role := range map[string]identity.Role{"olga": identity.Operator, "udo": identity.Auditor} {
		s.somebody(name, role)
		reader := s.as(name)
		reader.get("/settings/credentials").is(http.StatusOK, "Office365").hides("Replace secret", "Delete", "/settings/credentials/new")
		reader.get("/settings/credentials/1").is(http.StatusOK, "smtp.office365.com:587, STARTTLS").
			hides(`type="submit" data-busy`, `name="secret"`, `name="current_password"`)
		for _, path := range []string{"/new", "/1/secret", "/1/delete"} {
			reader.get("/settings/credentials" + path).is(http.StatusForbidden)
		}
		for _, path := range []string{"", "/1", "/1/secret", "/1/delete"} {
			reader.post("/settings/credentials"+path, "version", "1", "name", "x", "username", "y", "secret", "z").is(http.StatusForbidden)
		}
	}
	s.somebody("mia", identity.Member)
	mia := s.as("mia")
	mia.get("/settings/credentials").is(http.StatusForbidden).hides("Office365")
	if !s.opens("alerts@example.com", "correct horse battery staple") {
		t.Error("somebody changed the secret")
	}
}

// names lists the names in the report, in its order.
func (a answer) names() (names []string) {
	for _, found := range regexp.MustCompile(`href="/settings/credentials/\d+">([A-Z][^<]*)</a>`).FindAllStringSubmatch(a.body, -1) {
		names = append(names, found[1])
	}
	return names
}

func TestCredentialsAreFilteredSortedAndPaged(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	parameters, err := s.settings.Application(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	parameters.ReportRows = 5
	if _, err := s.settings.Save(t.Context(), parameters); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Delta", "Alpha", "Charlie", "Bravo", "Echo", "Foxtrot"} {
		s.credential(name, strings.ToLower(name)+"@example.com")
	}
	ana := s.as("ana")
	for query, want := range map[string]string{
		"":                       "Alpha Bravo Charlie Delta Echo",
		"?page=2":                "Foxtrot",
		"?page=99":               "Foxtrot",
		"?sort=-name":            "Foxtrot Echo Delta Charlie Bravo",
		"?sort=id":               "Delta Alpha Charlie Bravo Echo",
		"?sort=drop+table":       "Alpha Bravo Charlie Delta Echo",
		"?name=+A+&sort=-name":   "Delta Charlie Bravo Alpha",
		"?username=O%40example":  "Bravo Echo",
		"?name=zulu&username=ha": "",
	} {
		if got := strings.Join(ana.get("/settings/credentials"+query).is(http.StatusOK).names(), " "); got != want {
			t.Errorf("%s shows %q, want %q", query, got, want)
		}
	}
	ana.get("/settings/credentials?name=zulu").is(http.StatusOK, "Nothing matches the filters")
}

func TestCredentialsFileHoldsNoFormulasAndNoSecrets(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	c := s.credential(`=HYPERLINK("http://evil.example","Office365")`, "+41 alerts", office(), credential.Destination{Host: "relay.example.com", Port: 25})
	s.credential("Second", "second@example.com")
	s.used(c.ID, "@SUM(A1)")
	file := s.as("ana").get("/settings/credentials?format=csv").is(http.StatusOK,
		`"'=HYPERLINK(""http://evil.example"",""Office365"")",'+41 alerts,SMTP account @SUM(A1),`,
		`"relay.example.com:25, not encrypted; smtp.office365.com:587, STARTTLS"`, "Second,second@example.com").hides("battery")
	if kind := file.header.Get("Content-Type"); kind != "text/csv; charset=utf-8" {
		t.Errorf("got %s", kind)
	}
	if name := file.header.Get("Content-Disposition"); !strings.HasPrefix(name, `attachment; filename="credentials-`) {
		t.Errorf("got %s", name)
	}
}
