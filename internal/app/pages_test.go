package app_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"orbit/internal/account"
	"orbit/internal/identity"
)

// person is a browser without a window: it keeps cookies and follows no redirect.
type person struct {
	t    *testing.T
	base string
	http *http.Client
}

func (h *house) person(t *testing.T, name string, role identity.Role) person {
	t.Helper()
	h.somebody(t, name, role)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := person{t, h.url, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if status, body := p.post("/login", "username", name, "password", password); status != http.StatusSeeOther {
		t.Fatalf("sign in %s: %d %s", name, status, body)
	}
	return p
}

func (p person) do(request *http.Request) (int, string) {
	p.t.Helper()
	response, err := p.http.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (p person) get(path string) (int, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(request)
}

func (p person) post(path string, pairs ...string) (int, string) {
	p.t.Helper()
	return p.do(p.form(path, pairs...))
}

func (p person) form(path string, pairs ...string) *http.Request {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	request := httptest.NewRequest(http.MethodPost, p.base+path, strings.NewReader(values.Encode()))
	request.RequestURI = "" // a client's request has none
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

// relay registers an account that needs no credential.
func (h *house) relay(t *testing.T, name string) account.SMTP {
	t.Helper()
	settings := account.NewSMTPSettings()
	settings.AccountName, settings.SenderEmail, settings.SMTPHost, settings.UseAuthentication = name, "alerts@example.com", "mail.example.com", false
	stored, err := h.Accounts.CreateSMTP(t.Context(), account.SMTPChange{SMTPSettings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func wantText(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("the page misses %q", text)
		}
	}
}

func TestTheSecondAdministratorKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.relay(t, "Shared")
	ana, ben := h.person(t, "ana", identity.Administrator), h.person(t, "ben", identity.Administrator)
	form := func(pairs ...string) []string {
		return append([]string{"version", "1", "account_name", "Shared", "active", "yes", "sender_email", "alerts@example.com",
			"smtp_host", "mail.example.com", "port", "587", "use_secure_connection", "yes", "secure_connection_type", "tls", "use_authentication", "no"}, pairs...)
	}
	if status, body := ben.post("/settings/notifications/smtp/1", form("sender_name", "Bens choice")...); status != http.StatusSeeOther {
		t.Fatalf("ben saves: %d %s", status, body)
	}
	status, body := ana.post("/settings/notifications/smtp/1", form("sender_name", "Anas choice")...)
	if status != http.StatusConflict {
		t.Fatalf("want a conflict, got %d", status)
	}
	wantText(t, body, "ben changed this while you were working on it", "Bens choice", `value="Anas choice"`, `name="version" value="2"`)
	if status, _ := ana.post("/settings/notifications/smtp/1", append(form("sender_name", "Anas choice"), "version", "2")...); status != http.StatusSeeOther {
		t.Errorf("saving again is a decision: %d", status)
	}
}

func TestAuditorsReadAndOperatorsTest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.relay(t, "Relay")
	auditor := h.person(t, "carla", identity.Auditor)
	status, body := auditor.get("/settings/notifications/smtp/1")
	if status != http.StatusOK || strings.Contains(body, `type="submit" data-busy>Send<`) {
		t.Errorf("an auditor reads a form that cannot be sent: %d", status)
	}
	for _, path := range []string{"/settings/notifications/smtp", "/settings/notifications/smtp/1", "/settings/notifications/smtp/1/test", "/settings/notifications/smtp/1/delete"} {
		if status, _ := auditor.post(path, "account_name", "x"); status != http.StatusForbidden {
			t.Errorf("an auditor posts to %s: %d", path, status)
		}
	}
	operator := h.person(t, "diego", identity.Operator)
	if status, body := operator.get("/settings/notifications/smtp"); status != http.StatusOK || !strings.Contains(body, "Test configuration") || strings.Contains(body, "/1/delete") {
		t.Errorf("an operator tests and deletes nothing: %d", status)
	}
	if status, _ := h.person(t, "eva", identity.Member).get("/settings/notifications/smtp"); status != http.StatusForbidden {
		t.Errorf("a member sees no settings: %d", status)
	}
}

func TestPostsFromOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.relay(t, "Relay")
	ana := h.person(t, "ana", identity.Administrator)
	request := ana.form("/settings/notifications/smtp/1/disable")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := ana.do(request); status != http.StatusForbidden {
		t.Errorf("want 403, got %d", status)
	}
	if found, err := h.Accounts.FindSMTP(t.Context(), 1); err != nil || !found.Active {
		t.Errorf("nothing happened: %v, %v", found.Active, err)
	}
}

func TestTheReportAsAFileIsSafeInASpreadsheet(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.relay(t, `=HYPERLINK("http://evil.example")`)
	status, body := h.person(t, "ana", identity.Administrator).get("/settings/notifications/smtp?format=csv")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	wantText(t, body, "Sender e-mail", `"'=HYPERLINK(""http://evil.example"")"`)
}

func TestTheFormComesBackFilledInWithoutItsSecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	status, body := h.person(t, "ana", identity.Administrator).post("/settings/notifications/smtp",
		"account_name", "Half done", "port", "many", "secret", "tr0ub4dor", "credential_id", "-1", "use_authentication", "yes")
	if status != http.StatusUnprocessableEntity {
		t.Fatal(status)
	}
	wantText(t, body, `value="Half done"`, `value="many"`, "Port must be a whole number", "SMTP host is required")
	if strings.Contains(body, "tr0ub4dor") {
		t.Error("a secret came back")
	}
}

func TestDisablingTheDefaultAsksFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.relay(t, "Relay")
	if _, err := h.Accounts.MakeSMTPDefault(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ana := h.person(t, "ana", identity.Administrator)
	status, body := ana.post("/settings/notifications/smtp/1/disable")
	if status != http.StatusConflict {
		t.Fatalf("want a question, got %d", status)
	}
	wantText(t, body, "no notification will be sent", `name="accept_no_default"`)
	if status, _ := ana.post("/settings/notifications/smtp/1/disable", "accept_no_default", "yes"); status != http.StatusSeeOther {
		t.Errorf("accepted: %d", status)
	}
}
