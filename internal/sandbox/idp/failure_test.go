package idp_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/provider"
	"orbit/internal/sandbox/idp"
)

// ask is a token request that would be granted.
func ask() url.Values {
	c := idp.DefaultClient()
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secrets[0]}, "scope": {"https://outlook.office365.com/.default"}}
}

// dictionary are the rows of the project's error dictionary for identity providers.
var dictionary = strings.Fields(`
	AADSTS7000215 AADSTS7000222 AADSTS700016 AADSTS90002 AADSTS50011 AADSTS65001 AADSTS90094 AADSTS65004 AADSTS70011 AADSTS1002012 AADSTS500011
	AADSTS700082 AADSTS70008 AADSTS70043 AADSTS50078 AADSTS50173 AADSTS54005 AADSTS50076 AADSTS50079 AADSTS50158 AADSTS53003 AADSTS53000
	AADSTS50126 AADSTS50034 AADSTS50057 AADSTS700027 AADSTS7000229 AADSTS7000218 authorization_pending slow_down expired_token
	invalid_grant redirect_uri_mismatch unauthorized_client admin_policy_enforced org_internal access_denied invalid_client deleted_client`)

func TestDictionaryCanBeScripted(t *testing.T) {
	t.Parallel()
	known := idp.Names()
	for _, name := range dictionary {
		if strings.Count(" "+strings.Join(known, " ")+" ", " "+name+" ") != 1 {
			t.Errorf("%s has no words", name)
		}
	}
}

// Whatever the sandbox says, the error dictionary knows it by its name and not by its last resort.
func TestFailuresAreExplained(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	for _, name := range idp.Names() {
		f := idp.Known(name)
		if f.Body != "" {
			continue
		}
		f.At = idp.AtToken
		s.Identity.Fail(f)
		answer := wantsJSON(t, s, ask(), f.Status, f.Error)
		description, _ := answer["error_description"].(string)
		if strings.Contains(description, "{") && name != "invalid_scope" {
			t.Errorf("%s has a blank: %s", name, description)
		}
		context := explain.OAuthContext{}
		if f.Number == 0 {
			context.Provider = string(provider.Google)
		}
		fault := explain.OAuth(f.Error, description, context)
		if fault.Code == "oauth_other" || strings.HasPrefix(fault.Cause, "Microsoft refused the request") || f.Number != 0 && fault.Code != name {
			t.Errorf("%s is explained as %s: %s", name, fault.Code, fault.Cause)
		}
	}
	wantsOK(t, s.Endpoints.Token)
}

func wantsOK(t *testing.T, address string) {
	t.Helper()
	response, err := http.PostForm(address, ask())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the usual answer does not come: %s", response.Status)
	}
}

var microsoftJSON = regexp.MustCompile(`^AADSTS7000222: .* Trace ID: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} Correlation ID: [0-9a-f-]{36} Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$`)

func TestMicrosoftsForm(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	s.Identity.Fail(idp.Known("AADSTS7000222"))
	answer := wantsJSON(t, s, ask(), http.StatusUnauthorized, "invalid_client")
	if text, _ := answer["error_description"].(string); !microsoftJSON.MatchString(text) {
		t.Errorf("%q", text)
	}
	if fmt.Sprint(answer["error_codes"]) != "[7.000222e+06]" || answer["correlation_id"] == "" || answer["trace_id"] == "" {
		t.Errorf("%v", answer)
	}
	if got := s.Identity.Stats(); got.Refused["AADSTS7000222"] != 1 || got.TokenRequests() != 1 {
		t.Errorf("counted %+v", got)
	}
}

func TestRetryAfterAndDelay(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	began := time.Now()
	s.Identity.Fail(idp.Failure{Delay: 50 * time.Millisecond}, idp.Known("AADSTS90033"), idp.Failure{Drop: true})
	wantsOK(t, s.Endpoints.Token)
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("the answer came after %s", took)
	}
	response, err := http.PostForm(s.Endpoints.Token, ask())
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "30" {
		t.Errorf("%s, Retry-After %q", response.Status, response.Header.Get("Retry-After"))
	}
	if response, err := http.PostForm(s.Endpoints.Token, ask()); err == nil {
		_ = response.Body.Close()
		t.Error("a dropped request was answered")
	}
	s.Identity.Fail(idp.Known("AADSTS50173"))
	s.Identity.Recover()
	wantsOK(t, s.Endpoints.Token)
}

func TestConsentCanFail(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{Flavour: idp.Google})
	address := client(s).AuthCodeURL("x")
	s.Identity.Fail(idp.Known("admin_policy_enforced"), idp.Known("access_denied"), idp.Known("AADSTS90094"))
	if status, text := get(t, address); status != http.StatusBadRequest || !strings.Contains(text, "admin_policy_enforced") {
		t.Errorf("%d\n%s", status, text)
	}
	for _, want := range []string{"error=access_denied", "AADSTS90094%3A+The+grant+requires+admin+permission"} {
		recorder := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		s.Identity.Handler().ServeHTTP(recorder, request)
		if to := recorder.Header().Get("Location"); !strings.HasPrefix(to, callback) || !strings.Contains(to, want) {
			t.Errorf("sent to %q, want %s", to, want)
		}
	}
}

func TestIntrospectionAndUserInfo(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	token := s.Identity.AccessToken(bea)
	for form, want := range map[string]string{token: `"active":true`, "x": `"active":false`} {
		response, err := http.PostForm(s.Endpoints.Introspect, url.Values{"token": {form}})
		if err != nil {
			t.Fatal(err)
		}
		if text := read(t, response); !strings.Contains(text, want) || form == token && !strings.Contains(text, `"username":"`+bea) {
			t.Errorf("%s", text)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoints.UserInfo, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if text := read(t, response); !strings.Contains(text, `"email":"`+bea) {
		t.Errorf("%s", text)
	}
	for _, page := range []string{"/stats", "/keys", "/.well-known/openid-configuration", "/"} {
		if status, text := get(t, "http://"+s.Address(s.Ports.Identity)+page); status != http.StatusOK || len(text) < 50 {
			t.Errorf("%s: %d %s", page, status, text)
		}
	}
}

func read(t *testing.T, response *http.Response) string {
	t.Helper()
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A browser that another site sends here gets nowhere.
func TestOtherSitesGetNowhere(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	for name, change := range map[string]func(*http.Request){
		"a name that leads here": func(r *http.Request) { r.Host = "attacker.example" },
		"a form of another site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Address(s.Ports.Identity)+"/device", strings.NewReader("code=x"))
		if err != nil {
			t.Fatal(err)
		}
		change(request)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if text := read(t, response); response.StatusCode/100 != 4 || response.StatusCode == http.StatusUnprocessableEntity {
			t.Errorf("%s: %s %s", name, response.Status, text)
		}
	}
}
