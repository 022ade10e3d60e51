package page

import (
	"strconv"

	"orbit/internal/account"
	"orbit/internal/mail/dial"
	"orbit/web/ui"
)

// SMTPFormView is the form of an SMTP account.
type SMTPFormView struct {
	Form        *ui.FormView
	ID          int64 // 0: a new account
	Values      account.SMTPSettings
	Providers   []ui.Option
	Presets     string // JSON for the browser: provider -> field -> value
	Credentials []ui.Option
	Connectors  []ui.Option
	Hints       []account.Hint
	AskPassword bool // the session is not confirmed: changing secrets or the default account needs the password
	Summary     SMTPSummaryView
}

// Titles of the page.
func (v SMTPFormView) Title() string {
	if v.ID == 0 {
		return "New SMTP account"
	}
	return v.Values.AccountName
}

// text is a field of the settings with its label from account.
func (v SMTPFormView) text(name, value, help string) ui.Field {
	return ui.Field{Name: name, Label: account.Label(name), Value: value, Help: help}
}

func (v SMTPFormView) required(name, value, help string) ui.Field {
	f := v.text(name, value, help)
	f.Required = true
	return f
}

func (v SMTPFormView) yesNo(name string, value bool, help string) ui.Field {
	return v.text(name, ui.YesOrNo(value), help)
}

func (v SMTPFormView) number(name string, value int, unit, help string) ui.Field {
	f := v.text(name, "", help)
	f.Unit = unit
	if value != 0 {
		f.Value = strconv.Itoa(value)
	}
	return f
}

// hintedFields are those that a hint can stand beside.
var hintedFields = []string{
	"active", "reply_to_email", "smtp_host", "use_secure_connection", "ignore_certificate_error", "certificate_fingerprint",
}

// hintsOf returns what is worth knowing about a field.
func hintsOf(hints []account.Hint, field string) []string {
	var texts []string
	for _, hint := range hints {
		if hint.Field == field {
			texts = append(texts, hint.Text)
		}
	}
	return texts
}

func (v SMTPFormView) provider() ui.Field {
	f := v.text("provider", v.Values.Provider, "Fills in host, port and encryption.")
	f.Options = v.Providers
	f.Attributes = map[string]any{"data-fills": v.Presets}
	return f
}

func (v SMTPFormView) secureType() ui.Field {
	f := v.text("secure_connection_type", string(v.Values.SecureConnectionType), "")
	f.Options = []ui.Option{
		{Value: string(dial.STARTTLS), Label: "TLS", Help: "STARTTLS: encrypted by command after the greeting, usually port 587"},
		{Value: string(dial.Implicit), Label: "SSL", Help: "TLS from the first byte, usually port 465"},
	}
	f.EnabledWhen = ui.When("use_secure_connection", v.Values.UseSecureConnection)
	return f
}

func (v SMTPFormView) authentication() ui.Field {
	f := v.text("authentication_type", string(v.Values.AuthenticationType), "")
	f.Options = []ui.Option{
		{Value: string(account.Password), Label: "Password", Help: "Username and secret of the credential"},
		{Value: string(account.OAuth2), Label: "OAuth 2.0", Help: "An access token for the credential's username, from the registrations of the Email OAuth 2.0 proxy"},
	}
	f.ShownWhen = ui.When("use_authentication", v.Values.UseAuthentication)
	return f
}

func (v SMTPFormView) credential() ui.Field {
	f := v.text("credential_id", idText(v.Values.CredentialID), "Stored in Settings > Credentials.")
	f.Required = true
	f.Options = v.Credentials
	f.ShownWhen = ui.When("use_authentication", v.Values.UseAuthentication)
	return f
}

func (v SMTPFormView) newCredential(name, label, help string) ui.Field {
	return ui.Field{
		Name: name, Label: label, Help: help, Required: true,
		ShownWhen: ui.WhenIs("credential_id", idText(v.Values.CredentialID), strconv.Itoa(account.NewCredentialID)),
	}
}

func (v SMTPFormView) secret() ui.Field {
	return ui.Field{
		Name: "secret", Label: "Secret", Stored: v.ID != 0,
		Help:      "Needed for a new credential, and once for each new server of a stored one.",
		ShownWhen: ui.When("use_authentication", v.Values.UseAuthentication),
	}
}

func (v SMTPFormView) certificate() ui.Field {
	f := v.text("certificate_rule", string(v.Values.CertificateRule), "")
	f.Options = []ui.Option{
		{Value: string(dial.Verify), Label: "Verify", Help: "Signed by a public authority, for this host"},
		{Value: string(dial.Pin), Label: "Pin this certificate", Help: "Exactly the one with the fingerprint below"},
		{Value: string(dial.CustomCA), Label: "Own CA", Help: "Signed by the certificates below, for this host"},
	}
	f.ShownWhen = ui.When("ignore_certificate_error", !v.Values.IgnoreCertificateError)
	f.ShownWhen.Values = []string{"no"}
	return f
}

func (v SMTPFormView) fingerprint() ui.Field {
	f := v.text("certificate_fingerprint", v.Values.CertificateFingerprint, "SHA-256. Test configuration shows the server's.")
	f.Mono = true
	f.ShownWhen = ui.WhenIs("certificate_rule", string(v.Values.CertificateRule), string(dial.Pin))
	return f
}

func (v SMTPFormView) authority() ui.Field {
	f := v.text("certificate_ca", v.Values.CertificateCA, "PEM: one or more blocks that begin with -----BEGIN CERTIFICATE-----.")
	f.Mono, f.Rows = true, 6
	f.ShownWhen = ui.WhenIs("certificate_rule", string(v.Values.CertificateRule), string(dial.CustomCA))
	return f
}

func (v SMTPFormView) connector() ui.Field {
	f := v.text("network_connector_id", idText(v.Values.NetworkConnectorID), "Blank: the default of System Parameters > Application.")
	f.Options = v.Connectors
	f.EnabledWhen = ui.When("use_network_connector", v.Values.UseNetworkConnector)
	return f
}

func idText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// limitsOpen reports whether the fold with the limits must be open: something in it is set or wrong.
func (v SMTPFormView) limitsOpen() bool {
	for _, name := range []string{"max_connections", "max_messages_per_minute", "fallback_order"} {
		if v.Form.Problems.For(name) != "" {
			return true
		}
	}
	return v.Values.MaxConnections != 0 || v.Values.MaxMessagesPerMinute != 0 || v.Values.FallbackOrder != 0
}

// SMTPSummaryView says in sentences what the values mean together.
type SMTPSummaryView struct {
	Values    account.SMTPSettings
	Username  string // of the credential
	Connector string // "directly", "through agent-1"
}

func (v SMTPSummaryView) from() string {
	if v.Values.SenderName == "" {
		return or(v.Values.SenderEmail, "an address you have not entered yet")
	}
	return v.Values.SenderName + " <" + v.Values.SenderEmail + ">"
}

func (v SMTPSummaryView) server() string {
	if v.Values.SMTPHost == "" {
		return "a server you have not entered yet"
	}
	return v.Values.Address()
}

func (v SMTPSummaryView) protection() string {
	switch v.Values.SecureConnectionType {
	case dial.STARTTLS:
		return "with STARTTLS"
	case dial.Implicit:
		return "with TLS from the first byte"
	case dial.Plain:
	}
	return "without encryption"
}

func (v SMTPSummaryView) certificate() string {
	switch v.Values.Trust().Rule {
	case dial.Ignore:
		return "Any certificate is accepted."
	case dial.Pin:
		return "Only the pinned certificate is accepted."
	case dial.CustomCA:
		return "The certificate must be signed by your own authority."
	case dial.Verify:
	}
	return "The certificate must be valid for this host."
}

func (v SMTPSummaryView) signIn() string {
	switch {
	case !v.Values.UseAuthentication:
		return "Orbit does not sign in."
	case v.Values.AuthenticationType == account.OAuth2:
		return "Orbit signs in as " + or(v.Username, v.Values.SenderEmail) + " with OAuth 2.0."
	case v.Username == "":
		return "No credential is chosen yet."
	}
	return "Orbit signs in as " + v.Username + " with a password."
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
