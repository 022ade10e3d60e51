package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/oauth"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/proxyhost"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
	"orbit/web/api"
)

// program is a caller of the API with a token.
type program struct {
	t        *testing.T
	base     string
	token    string
	provider *sandbox.Sandbox
	proxies  *proxyhost.Service
}

func newProgram(t *testing.T) program {
	t.Helper()
	t.Parallel()
	p := program{t: t, provider: sandboxtest.New(t, sandbox.Options{})}
	pool, box := pgtest.New(t), vault.NewTestBox()
	rules, err := connector.ParseRules("127.0.0.0/8", "")
	if err != nil {
		t.Fatal(err)
	}
	ways := connector.NewService(pool, rules)
	people := identity.New(pool, identity.Options{})
	clients, err := oauth.New(oauth.Options{
		Pool: pool, Box: box, BaseURL: "https://orbit.example.com",
		Client: func(ctx context.Context, r oauth.Registration) (*http.Client, error) {
			return ways.HTTPClient(ctx, false, 0)
		},
		Prover: oauth.ProverFunc(func(ctx context.Context, address string, token vault.Secret) (string, error) {
			return p.proxies.Prove(ctx, address, token)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.proxies, err = proxyhost.New(proxyhost.Options{Pool: pool, OAuth: clients, Credentials: credential.New(pool, box), Connectors: ways}); err != nil {
		t.Fatal(err)
	}
	router := chi.NewRouter()
	router.Route(api.Base, func(r chi.Router) { api.Mount(r, api.Options{Identity: people, OAuth: clients, Proxies: p.proxies}) })
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	_, token, err := people.CreateToken(t.Context(), identity.Token{Name: "test", Role: identity.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	p.base, p.token = server.URL+api.Base, token.Reveal()
	return p
}

// run starts the listeners.
func (p program) run() {
	p.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(p.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- p.proxies.Run(ctx) }()
	p.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			p.t.Error(err)
		}
	})
}

type fields map[string]any

func (p program) want(status int, method, path string, body any) fields {
	p.t.Helper()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, content)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if strings.Contains(string(raw), "demo-secret") {
		p.t.Errorf("%s %s shows a secret: %s", method, path, raw)
	}
	if response.StatusCode != status {
		p.t.Fatalf("%s %s: want %d, got %d: %s", method, path, status, response.StatusCode, raw)
	}
	answer := fields{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return answer
}

// at is the path of what was created.
func at(list string, created fields) string {
	return list + "/" + strconv.Itoa(int(created["id"].(float64)))
}

const demoClient = "5f0c7d1e-6b1f-4a2b-9d38-0e4f6a7c21b5"

func TestProgramsManageRegistrations(t *testing.T) {
	p := newProgram(t)
	filled := p.want(201, "POST", "/oauth-clients", fields{
		"pattern": " Alerts@Example.com ", "provider": "microsoft365", "tenant": "contoso", "client_id": "id", "client_secret": "orbit-demo-secret",
		"flow": "client_credentials",
	})
	if filled["token_url"] != "https://login.microsoftonline.com/contoso/oauth2/v2.0/token" || filled["scope"] != "https://outlook.office365.com/.default" ||
		filled["pattern"] != "alerts@example.com" || filled["effective_flow"] != "client_credentials" {
		t.Errorf("the provider's preset is not filled in: %v", filled)
	}
	both := p.want(200, "PATCH", at("/oauth-clients", filled), fields{"permission_url": "https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize"})
	if both["flow"] != "client_credentials" || both["effective_flow"] != "authorization_code" || len(both["notes"].([]any)) == 0 {
		t.Errorf("the effective flow is not said: %v", both)
	}
	p.want(409, "PATCH", at("/oauth-clients", filled), fields{"tenant": "fabrikam", "version": 1})
	p.want(422, "POST", "/oauth-clients", fields{"pattern": "x", "provider": "nobody"})
	p.want(422, "POST", "/oauth-clients", fields{"pattern": "@", "provider": "microsoft365"})
	handsOut := fields{"pattern": "@example.net", "provider": "microsoft365", "tenant": "contoso", "client_id": "x", "client_secret": "y", "flow": "password"}
	if refused := p.want(422, "POST", "/oauth-clients", handsOut); !strings.Contains(fmt.Sprint(refused), "can only be imported") {
		t.Errorf("%v", refused)
	}
	p.want(422, "PATCH", at("/oauth-clients", filled), fields{"flow": "password"})
	p.want(422, "PATCH", at("/oauth-clients", filled), fields{"token_url": "https://elsewhere.example.com/token"})
	listed := p.want(200, "GET", "/oauth-clients?limit=1", nil)
	if len(listed["items"].([]any)) != 1 {
		t.Errorf("listed: %v", listed)
	}
	p.want(204, "DELETE", at("/oauth-clients", filled), nil)
	p.want(404, "GET", at("/oauth-clients", filled), nil)
}

// Want fails where a secret comes back.
func TestMistakesAreNamedWithoutWhatWasSent(t *testing.T) {
	p := newProgram(t)
	unknown := p.want(422, "POST", "/oauth-clients", fields{"pattern": "@", "client_secret": "orbit-demo-secret", "pemission_url": "x"})
	if text := fmt.Sprint(unknown["errors"]); !strings.Contains(text, "body.pemission_url") {
		t.Errorf("the mistake is not named: %s", text)
	}
	p.want(422, "POST", "/oauth-clients", fields{"pattern": 5, "client_secret": []string{"orbit-demo-secret"}})
	p.want(422, "POST", "/oauth-clients", json.RawMessage(`"orbit-demo-secret"`))
}

func TestProgramsProveAndRotate(t *testing.T) {
	p := newProgram(t)
	port := p.want(201, "POST", "/proxy-listeners", fields{
		"protocol": "smtp", "local_port": 1, "local_address": "127.0.0.1", "server_address": "127.0.0.1", "server_port": p.provider.Ports.Submission,
		"server_security": "tls", "certificate_rule": "custom_ca", "certificate_ca": p.provider.Certificate.CA, "wanted": "stopped",
	})
	if port["name"] != "SMTP-1" || port["state"] != "stopped" {
		t.Errorf("%v", port)
	}
	r := p.want(201, "POST", "/oauth-clients", fields{
		"pattern": "@orbit.example", "flow": "client_credentials", "token_url": p.provider.Endpoints.Token, "client_id": demoClient,
		"scope": "https://outlook.office365.com/.default", "client_secret": "orbit-demo-secret",
	})
	on := at("/oauth-clients", r)
	if proof := p.want(200, "POST", on+"/test", nil); proof["proven"] != true {
		t.Errorf("the client is not proven: %v", proof)
	}
	p.want(422, "POST", on+"/authorise", nil)
	p.want(422, "POST", on+"/test", fields{"address": "somebody@elsewhere.example"})
	tried := p.want(200, "POST", on+"/test", fields{"address": "alerts@orbit.example"})
	if outcome := tried["outcome"].(map[string]any); outcome["state"] != "active" {
		t.Errorf("the mail server's word is missing: %v", tried)
	}
	if grants := p.want(200, "GET", on+"/grants", nil)["items"].([]any); len(grants) != 1 {
		t.Errorf("grants: %v", grants)
	}
	p.want(422, "POST", on+"/revoke", nil)
	p.want(422, "POST", on+"/revoke", fields{"address": "somebody@orbit.example"})
	p.want(204, "POST", on+"/revoke", fields{"address": "Alerts@orbit.example"})
	if left := p.want(200, "GET", on+"/grants", nil)["items"].([]any)[0].(map[string]any); left["state"] != "none" {
		t.Errorf("revoked: %v", left)
	}
	p.want(409, "POST", on+"/secrets/switch", nil)
	p.want(201, "POST", on+"/secrets", fields{"client_secret": "new-demo-secret", "client_secret_expires_at": "2030-01-01T00:00:00Z"})
	if proof := p.want(200, "POST", on+"/test", nil); proof["proven"] != false || proof["fault"] == nil {
		t.Errorf("a wrong secret is not explained: %v", proof)
	}
	p.want(409, "POST", on+"/secrets/switch", nil)
	if switched := p.want(200, "POST", on+"/secrets/switch", fields{"accept_unproven": true}); switched["active_slot"] != float64(2) {
		t.Errorf("%v", switched)
	}
}

func TestProgramsStartAndStopListeners(t *testing.T) {
	p := newProgram(t)
	free := httptest.NewServer(nil)
	number, err := strconv.Atoi(free.URL[strings.LastIndex(free.URL, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	p.run()
	l := p.want(201, "POST", "/proxy-listeners", fields{
		"name": "Office", "protocol": "imap", "local_port": number, "server_address": "127.0.0.1", "server_port": p.provider.Ports.IMAPS,
		"server_security": "ssl", "certificate_rule": "custom_ca", "certificate_ca": p.provider.Certificate.CA,
	})
	on := at("/proxy-listeners", l)
	for p.want(200, "GET", on, nil)["state"] != "running" {
		if t.Context().Err() != nil {
			t.Fatal("it never runs")
		}
	}
	log := "/proxy-log?limit=1000&listener=" + on[strings.LastIndex(on, "/")+1:]
	for !strings.Contains(fmt.Sprint(p.want(200, "GET", log, nil)), "Starting IMAP server at 127.0.0.1:"+strconv.Itoa(number)) {
		if t.Context().Err() != nil {
			t.Fatal("its start is never in the log")
		}
	}
	if after := p.want(200, "GET", "/proxy-log?after=1000000", nil)["items"].([]any); len(after) != 0 {
		t.Errorf("behind the end of the log: %v", after)
	}
	if test := p.want(200, "POST", on+"/test", nil); !strings.HasPrefix(test["greeting"].(string), "* OK") {
		t.Errorf("%v", test)
	}
	if test := p.want(200, "POST", on+"/test", nil); test["fault"] != nil || test["server"] != "IMAP at 127.0.0.1:"+strconv.Itoa(p.provider.Ports.IMAPS) || len(test["steps"].([]any)) != 6 {
		t.Errorf("the way to the mail server: %v", test)
	}
	p.want(422, "POST", on+"/test", fields{"address": "nobody@example.com"})
	p.want(422, "POST", "/proxy-listeners", fields{"protocol": "smtp", "local_port": number, "server_address": "smtp.example.com", "server_security": "tls"})
	if stopped := p.want(200, "POST", on+"/stop", nil); stopped["wanted"] != "stopped" {
		t.Errorf("%v", stopped)
	}
	p.want(200, "POST", on+"/start", nil)
	p.want(200, "POST", on+"/restart", nil)
	if renamed := p.want(200, "PATCH", on, fields{"name": "Branch office"}); renamed["name"] != "Branch office" || renamed["server_address"] != "127.0.0.1" {
		t.Errorf("%v", renamed)
	}
	open := p.want(200, "PATCH", on, fields{"local_address": "0.0.0.0", "allow_unsafe_address": true})
	if warnings, _ := open["warnings"].([]any); len(warnings) != 1 || !strings.Contains(fmt.Sprint(warnings...), "in clear") {
		t.Errorf("a port that takes passwords in clear is not warned of: %v", open)
	}
	p.want(204, "DELETE", on, nil)
	p.want(404, "POST", on+"/test", nil)
}
