// Package endpoint speaks to an OAuth 2.0 authorization server: it builds the address that a person visits,
// asks the token endpoint with every grant that mail providers know, and starts the device flow.
//
// It knows no rows and no states, only bytes, contexts and an *http.Client that somebody else prepared.
// Answers are bounded, redirects are refused, and no error carries a credential: neither what was sent nor
// an address with a query.
package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"orbit/internal/vault"
)

const (
	// Timeout is how long one request may take. A lease on a refresh has to be longer.
	Timeout = 20 * time.Second

	maxAnswer       = 1 << 20 // a token with hundreds of groups stays below 100 kB
	defaultLifetime = time.Hour
)

// Tokens is what a token endpoint gave.
type Tokens struct {
	Access   vault.Secret
	Refresh  vault.Secret // zero: none was given, the one before stays valid
	ID       vault.Secret // OpenID Connect, where it was asked for
	Lifetime time.Duration
	Scope    string // as granted; empty: as requested
}

// Client is how this client names and proves itself. With neither a secret nor a certificate it is public.
type Client struct {
	ID          string
	Secret      vault.Secret
	Certificate *Certificate
}

// Ask sends one token request with the grant in form.
func Ask(ctx context.Context, hc *http.Client, tokenURL string, c Client, form url.Values) (Tokens, error) {
	if err := c.prove(form, tokenURL); err != nil {
		return Tokens{}, err
	}
	body, err := post(ctx, hc, tokenURL, form)
	if err != nil {
		return Tokens{}, err
	}
	return parseTokens(body)
}

// prove adds the client's identity to a request (RFC 6749 2.3.1, RFC 7523 2.2).
func (c Client) prove(form url.Values, tokenURL string) error {
	if c.ID != "" {
		form.Set("client_id", c.ID)
	}
	switch {
	case c.Certificate != nil:
		assertion, err := c.Certificate.assertion(c.ID, tokenURL, time.Now())
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	case !c.Secret.IsZero():
		form.Set("client_secret", c.Secret.Reveal())
	}
	return nil
}

// post sends a form and returns the body of a 2xx answer.
func post(ctx context.Context, hc *http.Client, address string, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, &Error{Err: scrub(err)}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	answer, err := noRedirects(hc).Do(req)
	if err != nil {
		return nil, &Error{Err: scrub(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, &Error{Err: scrub(err)}
	}
	if len(body) > maxAnswer {
		return nil, &Error{Status: answer.StatusCode, Err: errors.New("the answer is larger than 1 MB")}
	}
	if answer.StatusCode/100 != 2 {
		return nil, refusal(answer, body)
	}
	return body, nil
}

// noRedirects keeps credentials from being sent again to wherever an answer points.
func noRedirects(hc *http.Client) *http.Client {
	strict := *hc
	strict.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &strict
}

// parseTokens reads a successful answer (RFC 6749 5.1). A page of a captive portal also comes with 200.
func parseTokens(body []byte) (Tokens, error) {
	var answer struct {
		AccessToken  vault.Secret `json:"access_token"`
		RefreshToken vault.Secret `json:"refresh_token"`
		IDToken      vault.Secret `json:"id_token"`
		TokenType    string       `json:"token_type"`
		Scope        string       `json:"scope"`
		ExpiresIn    seconds      `json:"expires_in"`
		Error        string       `json:"error"`
		Description  string       `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return Tokens{}, &Error{Status: http.StatusOK, Err: errors.New("the answer is not the JSON of a token endpoint")}
	}
	switch {
	case answer.Error != "":
		return Tokens{}, &Error{Status: http.StatusOK, Code: answer.Error, Description: answer.Description}
	case answer.AccessToken.IsZero():
		return Tokens{}, &Error{Status: http.StatusOK, Err: errors.New("the answer has no access token")}
	case answer.TokenType != "" && !strings.EqualFold(answer.TokenType, "bearer"):
		return Tokens{}, &Error{Status: http.StatusOK, Err: fmt.Errorf("the token is of type %q, not a bearer token", answer.TokenType)}
	}
	return Tokens{
		Access: answer.AccessToken, Refresh: answer.RefreshToken, ID: answer.IDToken,
		Lifetime: answer.ExpiresIn.or(defaultLifetime), Scope: answer.Scope,
	}, nil
}

// seconds takes a number of seconds; some servers write it as a string.
type seconds float64

// UnmarshalJSON implements json.Unmarshaler.
func (s *seconds) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err != nil {
		return nil //nolint:nilerr // an unreadable lifetime is treated like a missing one
	}
	*s = seconds(n)
	return nil
}

func (s seconds) or(standard time.Duration) time.Duration {
	const most = 10 * 365 * 24 * 60 * 60 // beyond this a Duration would overflow
	if !(s > 0) {
		return standard
	}
	return time.Duration(min(float64(s), most)) * time.Second
}
