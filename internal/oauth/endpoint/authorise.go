package endpoint

import (
	"fmt"
	"net/url"

	"golang.org/x/oauth2"

	"orbit/internal/vault"
)

// Visit is what the address says that a person visits to consent.
type Visit struct {
	PermissionURL string // may have a query of its own
	ClientID      string
	RedirectURI   string
	Scope         string
	State         string
	Verifier      vault.Secret // PKCE; its S256 challenge is sent
	LoginHint     string
	Extra         url.Values // what one provider wants beyond the standard
}

// URL is the address of the provider's consent page (RFC 6749 4.1.1, RFC 7636 4.3).
func (v Visit) URL() (string, error) {
	address, err := url.Parse(v.PermissionURL)
	if err != nil {
		return "", fmt.Errorf("%w: permission_url is no URL", errRequest)
	}
	query := address.Query()
	for name, values := range v.Extra {
		query[name] = values
	}
	for name, value := range map[string]string{
		"client_id":             v.ClientID,
		"response_type":         "code",
		"response_mode":         "query",
		"redirect_uri":          v.RedirectURI,
		"scope":                 v.Scope,
		"state":                 v.State,
		"code_challenge":        oauth2.S256ChallengeFromVerifier(v.Verifier.Reveal()),
		"code_challenge_method": "S256",
		"login_hint":            v.LoginHint,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	address.RawQuery = query.Encode()
	return address.String(), nil
}

// NewVerifier returns a PKCE verifier of 256 random bits.
func NewVerifier() vault.Secret { return vault.NewSecret(oauth2.GenerateVerifier()) }
