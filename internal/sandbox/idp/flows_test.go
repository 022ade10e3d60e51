package idp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
)

const (
	alerts   = "alerts@orbit.example"
	bea      = "bea@orbit.example"
	callback = "http://127.0.0.1:54321/email-oauth2-proxy-authorize/"
)

var microsoftScopes = []string{
	"https://outlook.office365.com/IMAP.AccessAsUser.All", "https://outlook.office365.com/SMTP.Send", "offline_access", "openid",
}

func start(t *testing.T, o idp.Options) *sandbox.Sandbox {
	t.Helper()
	return sandboxtest.New(t, sandbox.Options{Identity: o})
}

// client is golang.org/x/oauth2's configuration for the sandbox.
func client(s *sandbox.Sandbox) *oauth2.Config {
	c := idp.DefaultClient()
	return &oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secrets[0], RedirectURL: callback, Scopes: microsoftScopes,
		Endpoint: oauth2.Endpoint{
			AuthURL: s.Endpoints.Authorise, TokenURL: s.Endpoints.Token, DeviceAuthURL: s.Endpoints.Device, AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

// consent walks the flow of people up to the code.
func consent(t *testing.T, c *oauth2.Config, verifier string, options ...oauth2.AuthCodeOption) url.Values {
	t.Helper()
	options = append(options, oauth2.S256ChallengeOption(verifier))
	return sandboxtest.Accept(t, c.AuthCodeURL("state-1", options...), bea).Query()
}

// wants fails unless err is the endpoint's refusal with this error and these words.
func wants(t *testing.T, err error, code, words string) {
	t.Helper()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		t.Errorf("%v, want %s", err, code)
		return
	}
	if refused.ErrorCode == "" { // x/oauth2/jwt leaves reading to others
		var answer struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(refused.Body, &answer)
		refused.ErrorCode, refused.ErrorDescription = answer.Error, answer.Description
	}
	if refused.ErrorCode != code || !strings.Contains(refused.ErrorDescription, words) {
		t.Errorf("%s: %s, want %s: %s", refused.ErrorCode, refused.ErrorDescription, code, words)
	}
}

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	c, verifier := client(s), oauth2.GenerateVerifier()
	answer := consent(t, c, verifier, oauth2.SetAuthURLParam("login_hint", alerts))
	if answer.Get("state") != "state-1" {
		t.Fatalf("the browser is sent to %q", answer)
	}
	token, err := c.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken == "" || token.TokenType != "Bearer" || time.Until(token.Expiry) > time.Hour || claim(t, token.AccessToken, "upn") != bea {
		t.Errorf("%+v", token)
	}
	if id, _ := token.Extra("id_token").(string); claim(t, id, "email") != bea || claim(t, id, "aud") != c.ClientID {
		t.Errorf("ID token %q", id)
	}
	if err := s.Identity.CheckToken(idp.IMAP, bea, token.AccessToken); err != nil {
		t.Error(err)
	}
	for want, err := range map[idp.Reason]error{
		idp.OtherMailbox: s.Identity.CheckToken(idp.IMAP, alerts, token.AccessToken),
		idp.NoRight:      s.Identity.CheckToken(idp.POP3, bea, token.AccessToken),
		idp.UnknownToken: s.Identity.CheckToken(idp.IMAP, bea, token.AccessToken+"x"),
	} {
		if denied := new(idp.Denied); !errors.As(err, &denied) || denied.Reason != want {
			t.Errorf("%v, want %s", err, want)
		}
	}

	_, err = c.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
	wants(t, err, "invalid_grant", "AADSTS54005")
	_, err = c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	wants(t, err, "invalid_grant", "AADSTS50173") // a code that is used twice ends what came of it
}

func claim(t *testing.T, token, name string) any {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	return claims[name]
}

func TestConsentIsStrict(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	c, verifier := client(s), oauth2.GenerateVerifier()
	challenge := oauth2.S256ChallengeOption(verifier)
	for name, test := range map[string]struct{ address, want string }{
		"no PKCE":          {c.AuthCodeURL("x"), "AADSTS9002325"},
		"plain PKCE":       {c.AuthCodeURL("x", challenge, oauth2.SetAuthURLParam("code_challenge_method", "plain")), "AADSTS9002325"},
		"unknown scope":    {c.AuthCodeURL("x", challenge, oauth2.SetAuthURLParam("scope", "https://outlook.office365.com/SMPT.Send")), "AADSTS70011"},
		"no scope":         {c.AuthCodeURL("x", challenge, oauth2.SetAuthURLParam("scope", "")), "AADSTS70011"},
		"token in the URL": {c.AuthCodeURL("x", challenge, oauth2.SetAuthURLParam("response_type", "token")), "AADSTS9002313"},
		"declined":         {"", "AADSTS65004"},
	} {
		back := map[bool]func() *url.URL{
			true:  func() *url.URL { return sandboxtest.Decline(t, c.AuthCodeURL("x", challenge)) },
			false: func() *url.URL { return sandboxtest.Accept(t, test.address, bea) },
		}[test.address == ""]()
		if q := back.Query(); q.Get("state") != "x" || q.Get("error") == "" || !strings.Contains(q.Get("error_description"), test.want) {
			t.Errorf("%s: %s, want %s", name, back, test.want)
		}
	}
	for name, test := range map[string]struct{ address, want string }{
		"other redirect URI": {strings.Replace(c.AuthCodeURL("x", challenge), "127.0.0.1%3A54321", "evil.example", 1), "AADSTS50011"},
		"other path":         {strings.Replace(c.AuthCodeURL("x", challenge), "proxy-authorize", "proxy", 1), "AADSTS50011"},
		"unknown client":     {strings.Replace(c.AuthCodeURL("x", challenge), c.ClientID, "nobody", 1), "AADSTS700016"},
		"unknown tenant":     {strings.Replace(c.AuthCodeURL("x", challenge), "/sandbox/", "/contoso/", 1), "AADSTS90002"},
	} {
		if status, text := get(t, test.address); status != http.StatusBadRequest || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d, want a page with %s:\n%s", name, status, test.want, text)
		}
	}
	answer := consent(t, c, verifier)
	_, err := c.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption("wrong"))
	wants(t, err, "invalid_grant", "AADSTS501481")
	_, err = c.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("redirect_uri", "http://localhost/email-oauth2-proxy-authorize/"))
	wants(t, err, "invalid_grant", "AADSTS500112")
	_, err = c.Exchange(t.Context(), "nothing", oauth2.VerifierOption(verifier))
	wants(t, err, "invalid_grant", "AADSTS70008")
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, read(t, response)
}

func TestRefreshTokensRotate(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	c, verifier := client(s), oauth2.GenerateVerifier()
	first, err := c.Exchange(t.Context(), consent(t, c, verifier).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	use := func(token string) (*oauth2.Token, error) {
		return c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token}).Token()
	}
	if lost, err := use(first.RefreshToken); err != nil || lost.RefreshToken == first.RefreshToken {
		t.Fatalf("%+v, %v", lost, err)
	}
	second, err := use(first.RefreshToken) // the answer was lost: once more
	if err != nil {
		t.Fatal(err)
	}
	third, err := use(second.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	_, err = use(first.RefreshToken) // by now its successor was stored
	wants(t, err, "invalid_grant", "AADSTS70000")
	_, err = use(third.RefreshToken) // somebody has stolen a token
	wants(t, err, "invalid_grant", "AADSTS50173")
	if got := s.Identity.Stats(); got.Token["refresh_token"] != 5 || got.Token["authorization_code"] != 1 || got.Refused["AADSTS70000"] != 1 || got.Consents != 1 {
		t.Errorf("counted %+v", got)
	}
}

func TestStrictRotation(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{StrictRotation: true})
	c, verifier := client(s), oauth2.GenerateVerifier()
	first, err := c.Exchange(t.Context(), consent(t, c, verifier).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: first.RefreshToken}).Token(); err != nil {
		t.Fatal(err)
	}
	_, err = c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: first.RefreshToken}).Token()
	wants(t, err, "invalid_grant", "AADSTS70000")
}

func TestLivesEnd(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{TokenLife: time.Nanosecond, RefreshLife: time.Nanosecond})
	c, verifier := client(s), oauth2.GenerateVerifier()
	token, err := c.Exchange(t.Context(), consent(t, c, verifier).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if s.Identity.CheckToken(idp.IMAP, bea, token.AccessToken) == nil {
		t.Error("an expired token opens a mailbox")
	}
	_, err = c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	wants(t, err, "invalid_grant", "AADSTS700082")
}

func TestRevokedGrantEnds(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	c, verifier := client(s), oauth2.GenerateVerifier()
	token, err := c.Exchange(t.Context(), consent(t, c, verifier).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	s.Identity.Revoke(bea)
	if s.Identity.CheckToken(idp.IMAP, bea, token.AccessToken) == nil {
		t.Error("a revoked token opens a mailbox")
	}
	_, err = c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	wants(t, err, "invalid_grant", "AADSTS50173")
}

func TestDeviceFlow(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{DeviceInterval: time.Second})
	c := client(s)
	began, err := c.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	poll := url.Values{"client_id": {c.ClientID}, "client_secret": {c.ClientSecret}, "device_code": {began.DeviceCode}, "grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}}
	wantsJSON(t, s, poll, http.StatusBadRequest, "authorization_pending")
	wantsJSON(t, s, poll, http.StatusForbidden, "slow_down")
	if status, text := get(t, began.VerificationURIComplete); status != http.StatusOK || !strings.Contains(text, began.UserCode) {
		t.Errorf("the device page answered %d\n%s", status, text)
	}
	sandboxtest.AcceptDevice(t, s, strings.ToLower(strings.ReplaceAll(began.UserCode, "-", "")), bea)
	token, err := c.DeviceAccessToken(t.Context(), began)
	if err != nil || token.RefreshToken == "" || s.Identity.CheckToken(idp.SMTP, bea, token.AccessToken) != nil {
		t.Errorf("%+v, %v", token, err)
	}
	wantsJSON(t, s, poll, http.StatusBadRequest, "expired_token")

	second, err := c.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sandboxtest.DeclineDevice(t, s, second.UserCode)
	poll.Set("device_code", second.DeviceCode)
	wantsJSON(t, s, poll, http.StatusBadRequest, "authorization_declined")
}

func wantsJSON(t *testing.T, s *sandbox.Sandbox, form url.Values, status int, code string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoints.Token, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status || answer["error"] != code {
		t.Errorf("%s %v, want %d %s", response.Status, answer, status, code)
	}
	return answer
}

func TestPasswordFlow(t *testing.T) {
	t.Parallel()
	o := idp.Options{Mailboxes: append(idp.DefaultMailboxes(), idp.Mailbox{Address: "gone@orbit.example", Password: "x", Blocked: true})}
	s := start(t, o)
	c := client(s)
	if token, err := c.PasswordCredentialsToken(t.Context(), alerts, o.Mailboxes[0].Password); err != nil || s.Identity.CheckToken(idp.SMTP, alerts, token.AccessToken) != nil {
		t.Errorf("%+v, %v", token, err)
	}
	for user, words := range map[string]string{alerts: "AADSTS50126", "nobody@orbit.example": "AADSTS50034: The user account nobody@orbit.example does not exist", "gone@orbit.example": "AADSTS50057"} {
		_, err := c.PasswordCredentialsToken(t.Context(), user, "wrong")
		wants(t, err, "invalid_grant", words)
	}
}

// The lost answer of a refresh: the provider has rotated, the client has nothing.
func TestAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	c, verifier := client(s), oauth2.GenerateVerifier()
	first, err := c.Exchange(t.Context(), consent(t, c, verifier).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	s.Identity.Fail(idp.Failure{LoseAnswer: true})
	lonely := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}) // without a retry
	if _, err := c.TokenSource(lonely, &oauth2.Token{RefreshToken: first.RefreshToken}).Token(); err == nil {
		t.Fatal("the answer came")
	}
	if got := s.Identity.Stats(); got.Issued != 2 {
		t.Errorf("%d tokens were issued", got.Issued)
	}
	if _, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: first.RefreshToken}).Token(); err != nil {
		t.Error(err)
	}
}
