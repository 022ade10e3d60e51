package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"orbit/internal/vault"
)

// UserInfoTimeout bounds both questions: a person waits for the page that follows.
const UserInfoTimeout = 8 * time.Second

// UserInfo asks an issuer whose access token this is, and returns the mailbox or "" (OpenID Connect Core 5.3). It is
// for providers whose ID tokens name none. The issuer says itself where to ask; the token goes nowhere that is less
// protected than the issuer.
func UserInfo(ctx context.Context, hc *http.Client, issuer string, access vault.Secret) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, UserInfoTimeout)
	defer cancel()
	var about struct {
		Issuer   string `json:"issuer"`
		UserInfo string `json:"userinfo_endpoint"`
	}
	where := strings.TrimRight(issuer, "/") + "/.well-known/openid-configuration"
	if err := get(ctx, hc, where, vault.Secret{}, &about); err != nil {
		return "", err
	}
	switch {
	case about.Issuer != issuer: // OpenID Connect Discovery 4.3
		return "", errors.New("the description at the issuer is that of another one")
	case about.UserInfo == "":
		return "", nil
	case !asProtected(about.UserInfo, issuer):
		return "", errors.New("the userinfo endpoint is not protected by TLS")
	}
	var claims identity
	if err := get(ctx, hc, about.UserInfo, access, &claims); err != nil {
		return "", err
	}
	return claims.mailbox(), nil
}

func asProtected(address, issuer string) bool {
	a, err := url.Parse(address)
	if err != nil {
		return false
	}
	known, err := url.Parse(issuer)
	return err == nil && (a.Scheme == "https" || a.Scheme == "http" && known.Scheme == "http" && a.Host == known.Host)
}

// get reads a JSON document, as the bearer of a token if there is one.
func get(ctx context.Context, hc *http.Client, address string, bearer vault.Secret, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return scrub(err)
	}
	req.Header.Set("Accept", "application/json")
	if !bearer.IsZero() {
		req.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	}
	answer, err := noRedirects(hc).Do(req)
	if err != nil {
		return scrub(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers with status %d", req.URL.Host, answer.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into)
}
