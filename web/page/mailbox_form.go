package page

import (
	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
	"orbit/web/ui"
)

// MailboxFormView is the form of an IMAP/POP3 account.
type MailboxFormView struct {
	Form        *ui.FormView
	ID          int64 // 0: a new account
	Values      account.MailboxSettings
	Preset      string // the provider that the values are of
	Providers   []ui.Option
	Presets     string // JSON for the browser: provider -> field -> value
	Credentials []ui.Option
	Connectors  []ui.Option
	Hints       []account.Hint
	AskPassword bool // the session is not confirmed: changing a secret needs the password
	Summary     MailboxSummaryView
}

// Title of the page.
func (v MailboxFormView) Title() string {
	if v.ID == 0 {
		return "New IMAP/POP3 account"
	}
	return v.Values.AccountName
}

// mailboxHintedFields are those that a hint can stand beside.
var mailboxHintedFields = append([]string{"automatic_check", "active", "address", "port", "ignore_certificate"}, connectionHints...)

// connection is what the form shares with that of an SMTP account.
func (v MailboxFormView) connection() connection {
	m := v.Values
	return connection{
		Form: v.Form, Hints: v.Hints,
		UseSecure: m.UseSecureConnection, Security: m.SecureConnectionType,
		STARTTLS:    "STARTTLS: encrypted by command after the greeting, usually port 143 (IMAP) or 110 (POP3)",
		SSL:         "TLS from the first byte, usually port 993 (IMAP) or 995 (POP3)",
		IgnoreField: "ignore_certificate", Ignore: m.IgnoreCertificate,
		IgnoreHelp: "Yes accepts any certificate. Harmless for the embedded proxy on this machine, dangerous elsewhere.",
		Trust:      dial.Trust{Rule: m.CertificateRule, Fingerprint: m.CertificateFingerprint, CA: m.CertificateCA},
		Type:       m.AuthenticationType, CredentialID: m.CredentialID, Credentials: v.Credentials, Stored: v.ID != 0,
		AskSuggestion: suggestMailbox,
		UseConnector:  m.UseNetworkConnector, ConnectorID: m.NetworkConnectorID, Connectors: v.Connectors,
	}
}

// suggestMailbox asks for the server that the mailbox of a credential probably is at.
var suggestMailbox = templ.Attributes{
	"hx-get": "/settings/notifications/imap-pop3/suggestion", "hx-trigger": "change", "hx-target": "#provider-suggestion",
	"hx-include": "closest form", "hx-params": "credential_id,new_credential_username,protocol,address",
}

func (v MailboxFormView) provider() ui.Field {
	return ui.Field{
		Name: "provider", Label: "Provider", Value: v.Preset, Options: v.Providers,
		Help: "Fills in address, port, protocol and encryption. It is not stored.", Attributes: templ.Attributes{"data-fills": v.Presets},
	}
}

// protocol changes the port with it, unless somebody has typed one of their own.
func (v MailboxFormView) protocol() ui.Field {
	f := labelled("protocol", string(v.Values.Protocol), "")
	f.Options = []ui.Option{{Value: string(fetch.IMAP), Label: "IMAP"}, {Value: string(fetch.POP3), Label: "POP3"}}
	f.Help = "IMAP notices new mail at once where the server offers IDLE. POP3 is asked every minute."
	f.Attributes = templ.Attributes{"data-fills": `{"imap": {"port": "993"}, "pop3": {"port": "995"}}`, "data-fills-gently": true}
	return f
}

func (v MailboxFormView) folder() ui.Field {
	f := labelled("folder", v.Values.Folder, "As the server calls it. Blank: INBOX.")
	f.ShownWhen = ui.WhenIs("protocol", string(v.Values.Protocol), string(fetch.IMAP))
	return f
}

// rareOpen reports whether the fold with rare choices must be open: something in it is set or wrong.
func (v MailboxFormView) rareOpen() bool {
	return v.Values.AuthservID != "" || v.Values.Folder != "" && v.Values.Folder != "INBOX" ||
		v.Form.Problems.For("folder") != "" || v.Form.Problems.For("authserv_id") != ""
}

// MailboxSummaryView says in sentences what the values mean together.
type MailboxSummaryView struct {
	Values    account.MailboxSettings
	Username  string // of the credential
	Connector string // "directly", "through agent-1"
}

func (v MailboxSummaryView) server() string {
	if v.Values.Address == "" {
		return "a server you have not entered yet"
	}
	return v.Values.Server()
}

func (v MailboxSummaryView) signIn() string {
	switch {
	case v.Username == "":
		return "No credential is chosen yet."
	case v.Values.AuthenticationType == account.OAuth2:
		return "Orbit signs in as " + v.Username + " with OAuth 2.0."
	}
	return "Orbit signs in as " + v.Username + " with a password."
}

// watch says when Orbit looks.
func (v MailboxSummaryView) watch() string {
	switch {
	case !v.Values.Active:
		return "The account is disabled: nothing is read."
	case !v.Values.AutomaticCheck:
		return "Orbit looks only when somebody presses Check now."
	case v.Values.Protocol == fetch.POP3:
		return "Orbit looks once a minute."
	}
	return "New mail is noticed at once where the server offers IDLE, and within a minute elsewhere."
}

func (v MailboxSummaryView) keep() string {
	if v.Values.KeepCopyOnServer {
		return "Messages stay on the server."
	}
	return "Messages are deleted on the server as soon as they are stored here."
}
