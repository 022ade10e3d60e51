package endpoint

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"orbit/internal/vault"
)

// serve answers every request the same.
func serve(t *testing.T, status int, header http.Header, body string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s
}

func ask(t *testing.T, s *httptest.Server) (Tokens, *Error) {
	t.Helper()
	tokens, err := Ask(context.Background(), s.Client(), s.URL+"/token?realm=x", Client{ID: "client", Secret: vault.NewSecret("hush-secret")},
		Refresh(vault.NewSecret("hush-refresh")))
	var refused *Error
	if err != nil && !errors.As(err, &refused) {
		t.Fatalf("%T: %v", err, err)
	}
	if err != nil && strings.Contains(err.Error(), "hush") {
		t.Errorf("a credential is in the error: %v", err)
	}
	return tokens, refused
}

func TestAnswersOfTokenEndpoints(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    int
		body      string
		code      string
		temporary bool
		lifetime  time.Duration // 0: refused
	}{
		"usual":               {200, `{"access_token":"a","token_type":"bearer","expires_in":3599}`, "", false, 3599 * time.Second},
		"lifetime as text":    {200, `{"access_token":"a","expires_in":"3599"}`, "", false, 3599 * time.Second},
		"no lifetime":         {200, `{"access_token":"a"}`, "", false, time.Hour},
		"lifetime of null":    {200, `{"access_token":"a","expires_in":null}`, "", false, time.Hour},
		"lifetime of nothing": {200, `{"access_token":"a","expires_in":-1}`, "", false, time.Hour},
		"endless lifetime":    {200, `{"access_token":"a","expires_in":1e300}`, "", false, 10 * 365 * 24 * time.Hour},
		"error with 200":      {200, `{"error":"invalid_grant"}`, "invalid_grant", false, 0},
		"no token":            {200, `{}`, "", true, 0},
		"captive portal":      {200, `<html>`, "", true, 0},
		"not a bearer":        {200, `{"access_token":"a","token_type":"mac"}`, "", true, 0},
		"invalid_grant":       {400, `{"error":"invalid_grant","error_description":"AADSTS700082: expired"}`, "invalid_grant", false, 0},
		"invalid_client":      {401, `{"error":"invalid_client"}`, "invalid_client", false, 0},
		"too many":            {429, `{"error":"invalid_request"}`, "invalid_request", true, 0},
		"out of order":        {503, `temporarily`, "", true, 0},
		"server_error":        {400, `{"error":"server_error"}`, "server_error", true, 0},
		"error of Google API": {400, `{"error":{"code":400,"message":"x"}}`, "", true, 0},
		"redirect":            {302, ``, "", true, 0},
	} {
		tokens, refused := ask(t, serve(t, c.status, nil, c.body))
		switch {
		case c.lifetime != 0:
			if refused != nil || tokens.Lifetime != c.lifetime || tokens.Access.Reveal() != "a" {
				t.Errorf("%s: %+v, %v", name, tokens, refused)
			}
		case refused == nil || refused.Code != c.code || refused.Temporary() != c.temporary || refused.Status != c.status:
			t.Errorf("%s: %+v", name, refused)
		}
	}
}

func TestHugeAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	if _, refused := ask(t, serve(t, 200, nil, strings.Repeat(" ", maxAnswer+1))); refused == nil || !strings.Contains(refused.Error(), "1 MB") {
		t.Error(refused)
	}
}

func TestCredentialsAreNotSentToWhereARedirectPoints(t *testing.T) {
	t.Parallel()
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer thief.Close()
	if _, refused := ask(t, serve(t, http.StatusTemporaryRedirect, http.Header{"Location": {thief.URL}}, "")); refused == nil {
		t.Error("no error")
	}
}

func TestUnreachableEndpointShowsNoQuery(t *testing.T) {
	t.Parallel()
	s := serve(t, 200, nil, "")
	s.Close()
	_, refused := ask(t, s)
	if refused == nil || refused.Status != 0 || !refused.Temporary() || strings.Contains(refused.Error(), "realm") {
		t.Error(refused)
	}
	_, err := Ask(context.Background(), s.Client(), "http://[", Client{}, url.Values{})
	if err == nil || errors.As(err, &refused) && refused.Temporary() {
		t.Errorf("an address that is no URL heals by itself: %v", err)
	}
}

func TestRetryAfterInBothForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"120": 2 * time.Minute, " 7 ": 7 * time.Second, "Mon, 23 Nov 2026 12:01:00 GMT": time.Minute, "Mon, 23 Nov 2026 11:00:00 GMT": 0,
		"": 0, "soon": 0, "-5": 0, "9999999": 24 * time.Hour,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

// hanging is a server that never answers.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestSilentEndpointIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := Ask(context.Background(), &http.Client{Transport: hanging{}}, "https://id.example.com/token", Client{}, url.Values{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != Timeout {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestPublicClientSendsNoSecret(t *testing.T) {
	t.Parallel()
	form := url.Values{}
	if err := (Client{ID: "x"}).prove(form, "https://id.example.com/token"); err != nil || form.Encode() != "client_id=x" {
		t.Error(form, err)
	}
}

func TestMailboxNamedByATokenIsFound(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"email":"a@b.c"}`: "a@b.c", `{"upn":"u@b.c","unique_name":"n@b.c"}`: "u@b.c",
		`{"preferred_username":"p@b.c","upn":"u@b.c"}`: "p@b.c", `{"preferred_username":"+49 30"}`: "", `{}`: "", `x`: "",
	} {
		if got := SignedInAs(Tokens{ID: vault.NewSecret(jwtOf(payload)), Access: vault.NewSecret("opaque")}); got != want {
			t.Errorf("%s: %q, want %q", payload, got, want)
		}
		if got := SignedInAs(Tokens{Access: vault.NewSecret(jwtOf(payload))}); got != want {
			t.Errorf("%s in the access token: %q, want %q", payload, got, want)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","refresh_token":"r","id_token":"e30.e30.x","expires_in":"1"}`, `{"error":{"code":1}}`, `[1]`, `{"expires_in":1e999}`,
		`{"device_code":"d","user_code":"u","verification_url":"v","interval":0}`, "\x00", `{"access_token":1}`,
	} {
		f.Add(seed, "1", 400)
	}
	f.Fuzz(func(t *testing.T, body, header string, status int) {
		tokens, err := parseTokens([]byte(body))
		if err == nil && (tokens.Access.IsZero() || tokens.Lifetime <= 0) {
			t.Errorf("%q gave %+v", body, tokens)
		}
		if d, err := parseDevice([]byte(body)); err == nil && (d.Interval < time.Second || d.Lifetime <= 0) {
			t.Errorf("%q gave %+v", body, d)
		}
		e := refusal(&http.Response{StatusCode: status, Header: http.Header{"Retry-After": {header}}}, []byte(body))
		if e.RetryAfter < 0 || e.Error() == "" {
			t.Errorf("%q gave %+v", body, e)
		}
		SignedInAs(Tokens{ID: vault.NewSecret(body)})
	})
}
