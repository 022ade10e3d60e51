package page

import (
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

// connection is what the form shares with that of a mailbox account.
func (v SMTPFormView) connection() connection {
	s := v.Values
	return connection{
		Form: v.Form, Hints: v.Hints,
		UseSecure: s.UseSecureConnection, Security: s.SecureConnectionType,
		STARTTLS: "STARTTLS: encrypted by command after the greeting, usually port 587", SSL: "TLS from the first byte, usually port 465",
		IgnoreField: "ignore_certificate_error", Ignore: s.IgnoreCertificateError,
		IgnoreHelp: "Yes accepts any certificate. Harmless for the embedded proxy on this machine, dangerous elsewhere.",
		Trust:      dial.Trust{Rule: s.CertificateRule, Fingerprint: s.CertificateFingerprint, CA: s.CertificateCA},
		SignsIn:    ui.When("use_authentication", s.UseAuthentication), Type: s.AuthenticationType,
		CredentialID: s.CredentialID, Credentials: v.Credentials, Stored: v.ID != 0,
		UseConnector: s.UseNetworkConnector, ConnectorID: s.NetworkConnectorID, Connectors: v.Connectors,
	}
}

// smtpHintedFields are those that a hint can stand beside.
var smtpHintedFields = append([]string{"active", "reply_to_email", "smtp_host", "ignore_certificate_error"}, connectionHints...)

func (v SMTPFormView) provider() ui.Field {
	f := labelled("provider", v.Values.Provider, "Fills in host, port and encryption.")
	f.Options = v.Providers
	f.Attributes = map[string]any{"data-fills": v.Presets}
	return f
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
