// Package oauth obtains and keeps the OAuth 2.0 tokens with which mailboxes are opened.
//
// A Registration says how to ask one provider, for one address, a domain or everybody. A Grant is what one
// address has: its tokens and their state. A grant becomes active only after a mail server has accepted its
// token; it fails alone, and every failure is kept as a ladder.Fault with who must act. Token is the only
// way out: it hands out the token that is valid now and lets one process refresh at a time. The wire is in
// endpoint, importing and exporting configurations in plan.
package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"orbit/internal/mail/provider"
)

// Flow is a way to a token. The words are those of email-oauth2-proxy's oauth2_flow.
type Flow string

// The flows.
const (
	AuthorizationCode Flow = "authorization_code"
	ClientCredentials Flow = "client_credentials"
	DeviceCode        Flow = "device"
	Password          Flow = "password" // sends the mailbox's password to the provider; only for imports
	ServiceAccount    Flow = "service_account"
)

// Flows returns all flows, the usual first.
func Flows() []Flow {
	return []Flow{AuthorizationCode, ClientCredentials, DeviceCode, ServiceAccount, Password}
}

// Settings is what a person decides about a registration. The field names in forms and JSON are the columns.
type Settings struct {
	Pattern               string `json:"pattern"` // an address, @domain or @
	Flow                  Flow   `json:"flow"`
	Provider              string `json:"provider"`
	Tenant                string `json:"tenant"`
	PermissionURL         string `json:"permission_url"`
	DeviceURL             string `json:"device_url"`
	TokenURL              string `json:"token_url"`
	Issuer                string `json:"issuer"`
	Scope                 string `json:"scope"`
	Resource              string `json:"resource"`
	ClientID              string `json:"client_id"`
	RedirectURI           string `json:"redirect_uri"`            // empty: Orbit's own
	RedirectListenAddress string `json:"redirect_listen_address"` // empty: the web server answers
	UseNetworkConnector   bool   `json:"use_network_connector"`
	NetworkConnectorID    int64  `json:"network_connector_id"` // 0: the default
	ProxyListenerID       int64  `json:"proxy_listener_id"`    // 0: any listener
}

// Registration is a stored oauth_client. Its secrets are described, never held.
type Registration struct {
	ID int64 `json:"id"`
	Settings
	ActiveSlot int            `json:"active_slot"`
	Secrets    []ClientSecret `json:"secrets" db:"-"`
	CreatedAt  time.Time      `json:"created_at"`
	CreatedBy  string         `json:"created_by"`
	ChangedAt  time.Time      `json:"changed_at"`
	ChangedBy  string         `json:"changed_by"`
	Version    int            `json:"version"`
}

// EffectiveFlow is the flow that is really used: with a permission URL somebody signs in, whatever flow is
// named, because that is what administrators know from email-oauth2-proxy. Only device stays device.
func (s Settings) EffectiveFlow() Flow {
	if s.PermissionURL != "" && s.Flow != DeviceCode {
		return AuthorizationCode
	}
	if s.Flow == "" {
		return AuthorizationCode
	}
	return s.Flow
}

// NeedsPerson reports whether somebody must consent at the provider before there is a token.
func (f Flow) NeedsPerson() bool { return f == AuthorizationCode || f == DeviceCode }

// appOnly reports whether the registration's own secret is all that a token takes.
func (f Flow) appOnly() bool { return f == ClientCredentials || f == ServiceAccount }

// CatchAll reports whether the registration is for more than one address. It then applies only to
// registered credentials, which the caller checks.
func (s Settings) CatchAll() bool { return strings.HasPrefix(s.Pattern, "@") }

// Covers reports whether the pattern fits address.
func (s Settings) Covers(address string) bool {
	return slices.Contains(patterns(Normal(address)), s.Pattern)
}

// patterns lists what applies to an address, in the order in which it is looked up.
func patterns(address string) []string {
	_, domain, _ := strings.Cut(address, "@")
	return []string{address, "@" + domain, "@"}
}

// Normal is how an address is stored and compared.
func Normal(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// microsoft reports whether the token endpoint is one of Microsoft's.
func (s Settings) microsoft() bool { return s.authority() == provider.Microsoft365 }

func (s Settings) authority() provider.ID {
	u, err := url.Parse(s.TokenURL)
	if err != nil {
		return provider.Other
	}
	return provider.ByAuthority(u.Hostname())
}

// Active returns the secret in use, if there is one.
func (r Registration) Active() (ClientSecret, bool) { return r.slot(r.ActiveSlot) }

// Candidate returns what waits in the other slot, if anything does.
func (r Registration) Candidate() (ClientSecret, bool) { return r.slot(r.otherSlot()) }

func (r Registration) otherSlot() int { return 3 - r.ActiveSlot }

func (r Registration) slot(slot int) (ClientSecret, bool) {
	i := slices.IndexFunc(r.Secrets, func(c ClientSecret) bool { return c.Slot == slot })
	if i < 0 {
		return ClientSecret{}, false
	}
	return r.Secrets[i], true
}
