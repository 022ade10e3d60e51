package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
)

// program is a caller of the API with a token.
type program struct {
	t     testing.TB
	base  string
	token string
}

func (h *house) program(t testing.TB, role identity.Role) program {
	t.Helper()
	_, token, err := h.Identity.CreateToken(t.Context(), identity.Token{Name: "test " + string(role), Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return program{t, h.url + "/api/v1", token.Reveal()}
}

// call sends body as JSON and returns the status and the decoded answer.
func (p program) call(method, path string, body any) (int, map[string]any) {
	p.t.Helper()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	return p.send(method, path, "application/json", content)
}

// send sends what is not JSON.
func (p program) send(method, path, kind string, content io.Reader) (int, map[string]any) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, content)
	if err != nil {
		p.t.Fatal(err)
	}
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	answer := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return response.StatusCode, answer
}

func (p program) want(status int, method, path string, body any) map[string]any {
	p.t.Helper()
	got, answer := p.call(method, path, body)
	if got != status {
		p.t.Fatalf("%s %s: want %d, got %d: %v", method, path, status, got, answer)
	}
	return answer
}

type fields map[string]any

func TestAProgramRegistersAndTestsAnAccount(t *testing.T) {
	t.Parallel()
	sink := mailtest.Sink(t)
	h := newHouse(t)
	p := h.program(t, identity.Administrator)

	credential := p.want(201, "POST", "/credentials", fields{"name": "Mailbox", "username": "alerts@example.com", "secret": "tr0ub4dor"})
	if _, shown := credential["secret"]; shown {
		t.Error("a secret never comes back")
	}
	account := p.want(201, "POST", "/smtp-accounts", fields{
		"account_name": "Relay", "sender_email": "alerts@example.com", "smtp_host": "127.0.0.1", "port": sink.Port,
		"use_secure_connection": false, "use_authentication": false, "default_account": true,
	})
	at := "/smtp-accounts/" + strconv.Itoa(int(account["id"].(float64)))
	trail, _, err := audit.List(t.Context(), h.Pool, audit.Filter{Action: "smtp_account.created"})
	if err != nil || len(trail) != 1 || trail[0].Actor.Name != "test administrator" || trail[0].Actor.Address != "127.0.0.1" {
		t.Errorf("the trail says who, and from where: %+v, %v", trail, err)
	}
	if account["active"] != true || account["reply_to_email"] != "alerts@example.com" {
		t.Errorf("defaults are those of the form: %v", account)
	}

	test := p.want(200, "POST", at+"/test", fields{"to": "bob@example.com"})
	if test["state"] != "delivered" || !strings.HasPrefix(test["reply"].(string), "250") {
		t.Errorf("the test quotes the final reply: %v", test)
	}
	if mail := sink.Next(t); !strings.Contains(string(mail.Data), "Subject: TEST MESSAGE!") {
		t.Errorf("the mail that arrived: %s", mail.Data)
	}
	if history := p.want(200, "GET", at+"/tests", nil); len(history["items"].([]any)) != 1 {
		t.Errorf("history: %v", history)
	}

	changed := p.want(200, "PATCH", at, fields{"sender_name": "Alerts", "version": account["version"]})
	if changed["sender_name"] != "Alerts" || changed["smtp_host"] != "127.0.0.1" {
		t.Errorf("only what is sent changes: %v", changed)
	}
	p.want(409, "PATCH", at, fields{"sender_name": "Late", "version": account["version"]})
	p.want(409, "PATCH", at, fields{"active": false})
	p.want(409, "DELETE", at, nil)
	p.want(200, "PATCH", at, fields{"active": false, "accept_no_default": true})
	p.want(201, "POST", at+"/clone", nil)
	p.want(204, "DELETE", at, nil)
	p.want(404, "GET", at, nil)
}

func TestAProgramTestsValuesThatAreNotSaved(t *testing.T) {
	t.Parallel()
	sink := mailtest.Sink(t)
	p := newHouse(t).program(t, identity.Administrator)
	values := fields{
		"account_name": "Relay", "sender_email": "alerts@example.com", "smtp_host": "127.0.0.1", "port": sink.Port,
		"use_secure_connection": false, "use_authentication": false,
	}
	test := p.want(200, "POST", "/smtp-accounts/test", fields{"to": "bob@example.com", "subject": "Before", "account": values})
	if test["state"] != "delivered" {
		t.Errorf("the test: %v", test)
	}
	if mail := sink.Next(t); !strings.Contains(string(mail.Data), "Subject: Before") {
		t.Errorf("the mail that arrived: %s", mail.Data)
	}
	if stored := p.want(200, "GET", "/smtp-accounts", nil); len(stored["items"].([]any)) != 0 {
		t.Errorf("testing values stores nothing: %v", stored)
	}
	delete(values, "sender_email")
	wrong := p.want(422, "POST", "/smtp-accounts/test", fields{"to": "bob", "account": values})
	if places := fmt.Sprint(wrong["errors"]); !strings.Contains(places, "body.account.sender_email") {
		t.Errorf("what is wrong, and where: %s", places)
	}
}

func TestTheAPISaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	answer := p.want(422, "POST", "/smtp-accounts", fields{"account_name": "", "port": 70000})
	var places []string
	for _, e := range answer["errors"].([]any) {
		places = append(places, e.(map[string]any)["location"].(string))
	}
	for _, want := range []string{"body.account_name", "body.sender_email", "body.smtp_host", "body.port", "body.credential_id"} {
		if !strings.Contains(strings.Join(places, " "), want) {
			t.Errorf("want %s among %v", want, places)
		}
	}
	p.want(422, "POST", "/smtp-accounts", fields{"smpt_host": "typo.example"})
	p.want(404, "GET", "/smtp-accounts/4711", nil)
	p.want(404, "GET", "/nothing", nil)
	p.want(405, "PUT", "/smtp-accounts", nil)
}

func TestTheAPIPagesItsLists(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	for _, name := range []string{"a", "b", "c"} {
		p.want(201, "POST", "/smtp-accounts", fields{"account_name": name, "sender_email": name + "@example.com", "smtp_host": "mail.example.com", "use_authentication": false})
	}
	first := p.want(200, "GET", "/smtp-accounts?limit=2&sort=name", nil)
	if len(first["items"].([]any)) != 2 || first["next"] == nil {
		t.Fatalf("first page: %v", first)
	}
	second := p.want(200, "GET", "/smtp-accounts?limit=2&sort=name&cursor="+first["next"].(string), nil)
	if len(second["items"].([]any)) != 1 || second["next"] != nil {
		t.Errorf("last page: %v", second)
	}
}

func TestATokenMayDoWhatItsRoleMay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	program{t, h.url + "/api/v1", ""}.want(401, "GET", "/smtp-accounts", nil)
	program{t, h.url + "/api/v1", "orbit_guess"}.want(401, "GET", "/smtp-accounts", nil)
	auditor, operator := h.program(t, identity.Auditor), h.program(t, identity.Operator)
	auditor.want(200, "GET", "/smtp-accounts", nil)
	auditor.want(403, "POST", "/smtp-accounts/1/test", fields{"to": "bob@example.com"})
	operator.want(404, "POST", "/smtp-accounts/1/test", fields{"to": "bob@example.com"})
	operator.want(403, "POST", "/smtp-accounts/test", fields{"to": "bob@example.com", "account": fields{}})
	operator.want(403, "POST", "/credentials", fields{"name": "x", "username": "x", "secret": "x"})
	h.program(t, identity.Member).want(403, "GET", "/smtp-accounts", nil)
}

func TestTheLogNamesTheTokenAndNobodyStoresItsAnswers(t *testing.T) {
	t.Parallel()
	h := assemble(t)
	var log lockedBuffer
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	h.live(t)
	p := h.program(t, identity.Auditor)
	for _, path := range []string{"/smtp-accounts", "/smtp-accounts/99"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+p.token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if text := log.String(); !strings.Contains(text, `user="token test auditor"`) || strings.Contains(text, p.token) {
		t.Errorf("the log of requests:\n%s", text)
	}
}

// lockedBuffer is written by handlers while a test reads it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func TestTheAPIDescribesItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	status, description := program{t, h.url + "/api/v1", ""}.call("GET", "/openapi.json", nil)
	if status != 200 || !strings.HasPrefix(description["openapi"].(string), "3.1") {
		t.Fatalf("want OpenAPI 3.1, got %d %v", status, description["openapi"])
	}
	paths := description["paths"].(map[string]any)
	for _, path := range []string{"/smtp-accounts", "/smtp-accounts/{id}", "/smtp-accounts/{id}/test", "/credentials", "/contacts/{id}", "/notification-rules", "/webhooks"} {
		if paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
}
