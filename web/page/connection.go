package page

import (
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/internal/mail/dial"
	"orbit/web/ui"
)

// labelled is a field of an account with its label from account.
func labelled(name, value, help string) ui.Field {
	return ui.Field{Name: name, Label: account.Label(name), Value: value, Help: help}
}

func required(name, value, help string) ui.Field {
	f := labelled(name, value, help)
	f.Required = true
	return f
}

func yesNo(name string, value bool, help string) ui.Field {
	return labelled(name, ui.YesOrNo(value), help)
}

func number(name string, value int, unit, help string) ui.Field {
	f := labelled(name, "", help)
	f.Unit = unit
	if value != 0 {
		f.Value = strconv.Itoa(value)
	}
	return f
}

// connection is what SMTP and mailbox accounts say alike: how the connection is protected, who signs in, and how it
// leaves this machine.
type connection struct {
	Form  *ui.FormView
	Hints []account.Hint

	UseSecure     bool
	Security      dial.Security
	STARTTLS, SSL string // help of the two kinds of protection, with their ports

	IgnoreField string // the two kinds of account name this switch differently
	Ignore      bool
	IgnoreHelp  string
	Trust       dial.Trust

	SignsIn      ui.Condition // when it is asked who signs in; zero: always
	Type         account.AuthenticationType
	CredentialID int64
	Credentials  []ui.Option
	Stored       bool // a secret may be stored
	// AskSuggestion asks, when a username is known, for the server that it probably belongs to; nil: it is not asked.
	AskSuggestion templ.Attributes

	UseConnector bool
	ConnectorID  int64
	Connectors   []ui.Option
}

func (c connection) secureType() ui.Field {
	f := labelled("secure_connection_type", string(c.Security), "")
	f.Options = []ui.Option{
		{Value: string(dial.STARTTLS), Label: "TLS", Help: c.STARTTLS},
		{Value: string(dial.Implicit), Label: "SSL", Help: c.SSL},
	}
	f.EnabledWhen = ui.When("use_secure_connection", c.UseSecure)
	return f
}

func (c connection) authentication() ui.Field {
	f := labelled("authentication_type", string(c.Type), "")
	f.Options = []ui.Option{
		{Value: string(account.Password), Label: "Password", Help: "Username and secret of the credential"},
		{Value: string(account.OAuth2), Label: "OAuth 2.0", Help: "An access token for the credential's username, from the registrations of the Email OAuth 2.0 proxy"},
	}
	f.ShownWhen = c.SignsIn
	return f
}

func (c connection) credential() ui.Field {
	f := required("credential_id", idText(c.CredentialID), "Stored in Settings > Credentials.")
	f.Options, f.ShownWhen, f.Attributes = c.Credentials, c.SignsIn, c.AskSuggestion
	return f
}

func (c connection) newCredential(name, label, help string) ui.Field {
	return ui.Field{
		Name: name, Label: label, Help: help, Required: true,
		ShownWhen: ui.WhenIs("credential_id", idText(c.CredentialID), strconv.Itoa(account.NewCredentialID)),
	}
}

func (c connection) newUsername() ui.Field {
	f := c.newCredential("new_credential_username", "Username", "Usually the mailbox's address.")
	f.Attributes = c.AskSuggestion
	return f
}

func (c connection) secret() ui.Field {
	return ui.Field{
		Name: "secret", Label: "Secret", Stored: c.Stored, ShownWhen: c.SignsIn,
		Help: "Needed for a new credential, and once for each new server of a stored one.",
	}
}

func (c connection) certificate() ui.Field {
	f := labelled("certificate_rule", string(c.Trust.Rule), "")
	f.Options = []ui.Option{
		{Value: string(dial.Verify), Label: "Verify", Help: "Signed by a public authority, for this host"},
		{Value: string(dial.Pin), Label: "Pin this certificate", Help: "Exactly the one with the fingerprint below"},
		{Value: string(dial.CustomCA), Label: "Own CA", Help: "Signed by the certificates below, for this host"},
	}
	f.ShownWhen = ui.Condition{Field: c.IgnoreField, Values: []string{"no"}, Met: !c.Ignore}
	return f
}

func (c connection) fingerprint() ui.Field {
	f := labelled("certificate_fingerprint", c.Trust.Fingerprint, "SHA-256. Test configuration shows the server's.")
	f.Mono, f.ShownWhen = true, c.whenRule(dial.Pin)
	return f
}

func (c connection) authority() ui.Field {
	f := labelled("certificate_ca", c.Trust.CA, "PEM: one or more blocks that begin with -----BEGIN CERTIFICATE-----.")
	f.Mono, f.Rows, f.ShownWhen = true, 6, c.whenRule(dial.CustomCA)
	return f
}

func (c connection) whenRule(rule dial.CertificateRule) ui.Condition {
	return ui.WhenIs("certificate_rule", string(c.Trust.Rule), string(rule))
}

func (c connection) connector() ui.Field {
	f := labelled("network_connector_id", idText(c.ConnectorID), "Blank: the default of System Parameters > Application.")
	f.Options = c.Connectors
	f.EnabledWhen = ui.When("use_network_connector", c.UseConnector)
	return f
}

func idText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// connectionHints are the fields of a connection that a hint can stand beside.
var connectionHints = []string{
	"use_secure_connection", "secure_connection_type", "authentication_type", "credential_id", "certificate_fingerprint",
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

// protectionWords end a sentence about a connection: "with STARTTLS".
func protectionWords(security dial.Security) string {
	switch security {
	case dial.STARTTLS:
		return "with STARTTLS"
	case dial.Implicit:
		return "with TLS from the first byte"
	case dial.Plain:
	}
	return "without encryption"
}

// trustWords say whose certificate is accepted.
func trustWords(trust dial.Trust) string {
	switch trust.Rule {
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

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
