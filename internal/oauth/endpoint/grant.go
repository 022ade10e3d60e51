package endpoint

import (
	"net/url"

	"orbit/internal/vault"
)

// Code exchanges the authorization code that came back (RFC 6749 4.1.3, RFC 7636 4.5).
func Code(code, redirectURI string, verifier vault.Secret) url.Values {
	return url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {redirectURI},
		"code_verifier": {verifier.Reveal()},
	}
}

// Refresh asks for a new access token (RFC 6749 6). The scope is left out: the server gives what it gave.
func Refresh(token vault.Secret) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.Reveal()}}
}

// ClientCredentials asks in the application's own name (RFC 6749 4.4).
func ClientCredentials(scope string) url.Values {
	return withScope(url.Values{"grant_type": {"client_credentials"}}, scope)
}

// Password sends a mailbox's password (RFC 6749 4.3). Resource is the parameter that some older clouds
// want instead of a scope.
func Password(username string, password vault.Secret, scope, resource string) url.Values {
	form := url.Values{"grant_type": {"password"}, "username": {username}, "password": {password.Reveal()}}
	if resource != "" {
		form.Set("resource", resource)
	}
	return withScope(form, scope)
}

// DeviceCode asks whether the person has finished (RFC 8628 3.4).
func DeviceCode(code vault.Secret) url.Values {
	return url.Values{
		"grant_type":  {"urn:ietf:params:oauth:grant-type:device_code"},
		"device_code": {code.Reveal()},
	}
}

func withScope(form url.Values, scope string) url.Values {
	if scope != "" {
		form.Set("scope", scope)
	}
	return form
}
