package endpoint

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"orbit/internal/vault"
)

// SignedInAs returns the mailbox that a token names, or "". The signature is not checked: the token came
// from the token endpoint itself (OpenID Connect Core 3.1.3.7, 6), and the name is only compared and shown.
func SignedInAs(t Tokens) string {
	for _, token := range []vault.Secret{t.ID, t.Access} {
		if name := mailbox(token); name != "" {
			return name
		}
	}
	return ""
}

func mailbox(token vault.Secret) string {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return "" // opaque, as Google's access tokens are
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return ""
	}
	var claims identity
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.mailbox()
}

// identity is what providers say of who signed in, each in its own words.
type identity struct {
	Email             string `json:"email"`
	UPN               string `json:"upn"`
	PreferredUsername string `json:"preferred_username"`
	UniqueName        string `json:"unique_name"`
}

func (i identity) mailbox() string {
	for _, name := range []string{i.Email, i.PreferredUsername, i.UPN, i.UniqueName} {
		if strings.Contains(name, "@") {
			return name
		}
	}
	return ""
}
