package page

import (
	"strings"

	"orbit/internal/oauth"
	"orbit/internal/oauth/preset"
	"orbit/web/ui"
)

// With what a client proves itself, as the form asks.
const (
	ProofKeep           = "keep"
	ProofSecret         = "secret"
	ProofCertificate    = "certificate"
	ProofServiceAccount = "service_account"
	ProofNone           = "none"
)

// RegistrationFormView is the form of a registration.
type RegistrationFormView struct {
	Form        *ui.FormView
	Stored      oauth.Registration // zero: a new one
	Values      oauth.Settings     // blank where the provider's own counts
	Preset      string
	Proof       string
	ExpiresOn   string
	RedirectURI string // Orbit's own
	Mailboxes   []string
	Listeners   []ui.Option
	Connectors  []ui.Option
	Ports       []PortOffer // a new registration may open them at once
	AskPassword bool
	Clock       ui.Clock
}

// PortOffer is a local port that nothing uses yet.
type PortOffer struct {
	Name  string // of the field
	Label string // "IMAP on 127.0.0.1:2993"
	Open  bool
}

// Title of the page.
func (v RegistrationFormView) Title() string {
	if v.Stored.ID == 0 {
		return "New registration"
	}
	return "Registration " + v.Stored.Pattern
}

func (v RegistrationFormView) pattern() ui.Field {
	return ui.Field{
		Name: "pattern", Label: "Applies to", Value: v.Values.Pattern, Required: true, Suggestions: v.Mailboxes,
		Help:       "One mailbox (alerts@example.com), a domain (@example.com), or @ for all. A domain and @ apply to registered credentials only, and an exact address wins over them.",
		Attributes: map[string]any{"autocapitalize": "none", "spellcheck": "false"},
	}
}

func (v RegistrationFormView) provider() ui.Field {
	f := ui.Field{Name: "preset", Label: "Provider", Value: v.Preset, Required: true, Help: "Supplies the addresses and the scope."}
	for _, p := range preset.All() {
		f.Options = append(f.Options, ui.Option{Value: p.Key, Label: p.Name})
	}
	return f
}

func (v RegistrationFormView) tenant() ui.Field {
	var with []string
	for _, p := range preset.All() {
		if p.Tenant {
			with = append(with, p.Key)
		}
	}
	return ui.Field{
		Name: "tenant", Label: "Tenant ID", Value: v.Values.Tenant, Required: true, Mono: true, Placeholder: "00000000-0000-0000-0000-000000000000",
		Help:       "Directory (tenant) ID in Entra admin center > Overview, or a domain of the tenant.",
		ShownWhen:  ui.WhenIs("preset", v.Preset, with...),
		Attributes: map[string]any{"spellcheck": "false"},
	}
}

func (v RegistrationFormView) flow() ui.Field {
	return ui.Field{Name: "flow", Label: "Flow", Value: string(v.Values.Flow), Required: true, Options: FlowOptions(v.Values.Flow)}
}

func (v RegistrationFormView) clientID() ui.Field {
	return ui.Field{
		Name: "client_id", Label: "Client ID", Value: v.Values.ClientID, Mono: true, Required: true,
		Help:       "Application (client) ID at Microsoft, Client ID at Google. A service account's is taken from its key file.",
		Attributes: map[string]any{"spellcheck": "false"},
	}
}

func (v RegistrationFormView) proof() ui.Field {
	f := ui.Field{Name: "secret_kind", Label: "The client proves itself with", Value: v.Proof}
	if active, stored := v.Stored.Active(); stored {
		f.Options = append(f.Options, ui.Option{Value: ProofKeep, Label: "What is stored", Help: keptWords(active, v.Clock)})
	}
	f.Options = append(f.Options,
		ui.Option{Value: ProofSecret, Label: "A client secret", Help: "Its Value, not its ID"},
		ui.Option{Value: ProofCertificate, Label: "A certificate", Help: "Signs each request; the key never leaves Orbit"},
		ui.Option{Value: ProofServiceAccount, Label: "A service account key", Help: "Google's JSON file, for the flow service account"},
	)
	if _, stored := v.Stored.Active(); !stored {
		f.Options = append(f.Options, ui.Option{Value: ProofNone, Label: "Nothing", Help: "A public client, as for the device flow"})
	}
	return f
}

func keptWords(c oauth.ClientSecret, clock ui.Clock) string {
	words := secretName(c.Kind)
	if c.ExpiresAt != nil {
		words += ", " + strings.ToLower(expiryWords(*c.ExpiresAt, clock.Now)[:1]) + expiryWords(*c.ExpiresAt, clock.Now)[1:]
	}
	return words + ". To change it without a gap, choose Rotate secret instead"
}

func (v RegistrationFormView) when(proof string) ui.Condition {
	return ui.WhenIs("secret_kind", v.Proof, proof)
}

func (v RegistrationFormView) expiresOn() ui.Field {
	return ui.Field{
		Name: "secret_expires_on", Label: "Expires on", Value: v.ExpiresOn, Placeholder: "2027-03-31",
		Help:      "As the provider shows it. Orbit warns 60, 30, 14, 7 and 1 days before.",
		ShownWhen: v.when(ProofSecret),
	}
}

// pem is a text area for something that is never shown again.
func (v RegistrationFormView) pem(name, label, proof, help, begin string) ui.Field {
	return ui.Field{
		Name: name, Label: label, Help: help, Placeholder: begin, Rows: 4, Mono: true, ShownWhen: v.when(proof),
		Attributes: map[string]any{"spellcheck": "false", "autocapitalize": "none"},
	}
}

// address is a field of the fold, blank where the provider's own counts.
func (v RegistrationFormView) address(name, label, value, help string) ui.Field {
	return ui.Field{Name: name, Label: label, Value: value, Help: help, Mono: true, Attributes: map[string]any{"spellcheck": "false", "inputmode": "url"}}
}

// addressesOpen reports whether the fold must be open: something in it is set, needed or wrong.
func (v RegistrationFormView) addressesOpen() bool {
	s := v.Values
	if v.Preset == "other" || s.PermissionURL != "" || s.TokenURL != "" || s.DeviceURL != "" || s.Scope != "" || s.Issuer != "" || s.Resource != "" {
		return true
	}
	return v.wrong("permission_url", "token_url", "device_url", "scope", "issuer", "resource")
}

func (v RegistrationFormView) returnOpen() bool {
	return v.Values.RedirectURI != "" || v.Values.RedirectListenAddress != "" || v.wrong("redirect_uri", "redirect_listen_address")
}

func (v RegistrationFormView) wrong(fields ...string) bool {
	for _, name := range fields {
		if v.Form.Problems.For(name) != "" {
			return true
		}
	}
	return false
}

// port is a switch that is there only where the provider's mail server is known.
func (v RegistrationFormView) port(p PortOffer) ui.Field {
	var known []string
	for _, one := range preset.All() {
		if imap, _, _ := one.Servers(); imap.Host != "" {
			known = append(known, one.Key)
		}
	}
	return ui.Field{Name: p.Name, Label: p.Label, Value: ui.YesOrNo(p.Open), ShownWhen: ui.WhenIs("preset", v.Preset, known...)}
}

func (v RegistrationFormView) connector() ui.Field {
	return ui.Field{
		Name: "network_connector_id", Label: "Network Connector", Value: idText(v.Values.NetworkConnectorID), Options: v.Connectors,
		Help:        "Blank: the default of System Parameters > Application.",
		EnabledWhen: ui.When("use_network_connector", v.Values.UseNetworkConnector),
	}
}

func (v RegistrationFormView) listener() ui.Field {
	return ui.Field{
		Name: "proxy_listener_id", Label: "Only for sign-ins at", Value: idText(v.Values.ProxyListenerID),
		Options: append([]ui.Option{{Label: "every listener"}}, v.Listeners...),
		Help:    "Restricts the registration to one local port.",
	}
}

// RegistrationSummaryView says in sentences what the values mean together.
type RegistrationSummaryView struct {
	Settings    oauth.Settings
	Provider    string
	Notes       []oauth.Note
	RedirectURI string
	NoTenant    bool
}

// how says what people have to do.
func (v RegistrationSummaryView) how() string {
	switch v.Settings.EffectiveFlow() {
	case oauth.AuthorizationCode:
		return "Somebody signs in once in a browser for each mailbox. Orbit renews the permission by itself afterwards."
	case oauth.DeviceCode:
		return "Somebody enters a code once for each mailbox, on any device. Orbit renews the permission by itself afterwards."
	case oauth.ClientCredentials:
		return "Orbit asks for tokens by itself; nobody signs in."
	case oauth.ServiceAccount:
		return "Orbit signs in as a service account that stands for each mailbox; nobody signs in."
	case oauth.Password:
		return "Orbit sends each mailbox's password to the token endpoint."
	}
	return ""
}
