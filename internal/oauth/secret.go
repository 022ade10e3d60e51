package oauth

import (
	"strings"
	"time"

	"orbit/internal/oauth/endpoint"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// SecretKind says with what a client proves itself.
type SecretKind string

// The kinds.
const (
	SharedSecret      SecretKind = "secret"
	ClientCertificate SecretKind = "certificate"
	AccountKey        SecretKind = "service_account"
)

// ClientSecret describes one slot of a registration. What it holds never leaves this package.
type ClientSecret struct {
	ID             int64              `json:"id"`
	RegistrationID int64              `json:"-" db:"oauth_client_id"`
	Slot           int                `json:"slot"` // 1 or 2
	Kind           SecretKind         `json:"kind"`
	Certificate    string             `json:"certificate,omitempty"` // PEM, public
	Thumbprint     string             `json:"thumbprint,omitempty"`  // SHA-256
	Algorithm      endpoint.Algorithm `json:"algorithm,omitempty"`
	KeyID          string             `json:"key_id,omitempty"`
	ExpiresAt      *time.Time         `json:"expires_at,omitempty"`
	CreatedAt      time.Time          `json:"created_at"`
	CreatedBy      string             `json:"created_by"`
	ProvenAt       *time.Time         `json:"proven_at,omitempty"`
}

// NewSecret is what a person enters to fill a slot. The zero value means: none, or keep what is there.
type NewSecret struct {
	Secret         vault.Secret       // the secret's Value
	Certificate    string             // PEM, with Key instead of Secret
	Key            vault.Secret       // PEM, not encrypted
	Algorithm      endpoint.Algorithm // of assertions signed with Key; empty: PS256
	ServiceAccount vault.Secret       // the JSON key file, for service_account
	ExpiresAt      *time.Time         // of Secret, as the provider shows it; a certificate knows its own
}

// IsZero reports whether nothing was entered.
func (n NewSecret) IsZero() bool {
	return n.Secret.IsZero() && n.Key.IsZero() && n.ServiceAccount.IsZero() && strings.TrimSpace(n.Certificate) == ""
}

// describe checks what was entered and returns the slot's description with the clear text to seal.
func (n NewSecret) describe() (ClientSecret, vault.Secret, problem.Invalid) {
	switch {
	case !n.ServiceAccount.IsZero():
		return n.describeServiceAccount()
	case !n.Key.IsZero() || strings.TrimSpace(n.Certificate) != "":
		return n.describeCertificate()
	}
	return ClientSecret{Kind: SharedSecret, ExpiresAt: n.ExpiresAt}, n.Secret, nil
}

// ClientID is the client that the key of a service account names; "" for other secrets.
func (n NewSecret) ClientID() string {
	account, err := endpoint.ParseServiceAccount(n.ServiceAccount)
	if err != nil {
		return ""
	}
	return account.Email
}

func (n NewSecret) describeServiceAccount() (ClientSecret, vault.Secret, problem.Invalid) {
	account, err := endpoint.ParseServiceAccount(n.ServiceAccount)
	if err != nil {
		return ClientSecret{}, vault.Secret{}, problem.Invalid{{Name: "service_account", Text: sentence(err)}}
	}
	return ClientSecret{Kind: AccountKey, KeyID: account.KeyID}, n.ServiceAccount, nil
}

func (n NewSecret) describeCertificate() (ClientSecret, vault.Secret, problem.Invalid) {
	var wrong problem.Invalid
	if n.Key.IsZero() {
		wrong.Add("key", "Give the private key that belongs to the certificate (PEM, without a password).")
	}
	if strings.TrimSpace(n.Certificate) == "" {
		wrong.Add("certificate", "Give the certificate that belongs to the key (PEM).")
	}
	if len(wrong) > 0 {
		return ClientSecret{}, vault.Secret{}, wrong
	}
	parsed, err := endpoint.ParseCertificate(n.Certificate, n.Key, n.Algorithm)
	if err != nil {
		return ClientSecret{}, vault.Secret{}, problem.Invalid{{Name: "certificate", Text: sentence(err)}}
	}
	expires := parsed.Leaf.NotAfter
	return ClientSecret{
		Kind: ClientCertificate, Certificate: n.Certificate, Thumbprint: parsed.Thumbprint(),
		Algorithm: parsed.Algorithm, ExpiresAt: &expires,
	}, n.Key, nil
}

// fits checks that the kind of secret is one that the flow can use.
func (n NewSecret) fits(s Settings, wrong *problem.Invalid) {
	account := !n.ServiceAccount.IsZero()
	switch {
	case s.EffectiveFlow() == ServiceAccount && !n.IsZero() && !account:
		wrong.Add("service_account", "The flow service_account wants the service account's JSON key, nothing else.")
	case s.EffectiveFlow() != ServiceAccount && account:
		wrong.Add("service_account", "A service account's key is for the flow service_account only.")
	case !n.Secret.IsZero() && !n.Key.IsZero():
		wrong.Add("client_secret", "Give either a client secret or a certificate with its key, not both.")
	}
}

// required adds what is missing when there is no secret at all.
func (s Settings) required(wrong *problem.Invalid) {
	switch s.EffectiveFlow() {
	case ClientCredentials:
		wrong.Add("client_secret", "Give the client secret (its Value, not its ID) or a certificate with its key.")
	case ServiceAccount:
		wrong.Add("service_account", "Give the service account's JSON key.")
	case AuthorizationCode, DeviceCode, Password: // public clients have none
	}
}

// sentence makes an error of endpoint fit for a form.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
