package account

import (
	"net"
	"strconv"
	"time"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
)

// AuthenticationType says how an account signs in. The words are those of tables, JSON and forms.
type AuthenticationType string

// How an account signs in at its server.
const (
	Password AuthenticationType = "password"
	OAuth2   AuthenticationType = "oauth2"
)

// SMTPSettings is what a person sets on an SMTP account: the same names in form, JSON and table.
// FIELDS.md section 2 of the specification gives the words that people see; web/page has them.
type SMTPSettings struct {
	AccountName string `db:"account_name" json:"account_name" form:"account_name" label:"Account name" doc:"Internal name of the account"`
	Active      bool   `db:"active" json:"active" form:"active" label:"Active" doc:"Usable or not"`
	Provider    string `db:"provider" json:"provider,omitempty" form:"provider" label:"Provider" doc:"Key of the provider preset, or other"`

	SenderEmail       string `db:"sender_email" json:"sender_email" form:"sender_email" label:"Sender e-mail" doc:"From address"`
	SenderName        string `db:"sender_name" json:"sender_name,omitempty" form:"sender_name" label:"Sender name" doc:"From display name"`
	ReplyToEmail      string `db:"reply_to_email" json:"reply_to_email,omitempty" form:"reply_to_email" label:"Reply-To e-mail" doc:"Where answers go"`
	ReturnPathEmail   string `db:"return_path_email" json:"return_path_email,omitempty" form:"return_path_email" label:"Return e-mail (Return-Path)" doc:"Envelope sender: where delivery errors go"`
	ConfirmationEmail string `db:"confirmation_email" json:"confirmation_email,omitempty" form:"confirmation_email" label:"Confirmation e-mail" doc:"Where read receipts go"`

	DefaultAccount       bool `db:"default_account" json:"default_account" form:"default_account" label:"Default account" doc:"Exactly one account is the default"`
	SendReadConfirmation bool `db:"send_read_confirmation" json:"send_read_confirmation" form:"send_read_confirmation" label:"Send read confirmation" doc:"Ask for a read receipt (RFC 8098)"`
	ForceConfiguration   bool `db:"force_configuration" json:"force_configuration" form:"force_configuration" label:"Force use of configuration" doc:"The account's Reply-To, Return-Path and Confirmation win over an event's"`
	EnableFooter         bool `db:"enable_footer" json:"enable_footer" form:"enable_footer" label:"Enable footer" doc:"Append the footer text of System Parameters"`

	SMTPHost               string               `db:"smtp_host" json:"smtp_host" form:"smtp_host" label:"SMTP host" doc:"Name or address of the server"`
	Port                   int                  `db:"port" json:"port" form:"port" label:"Port" doc:"1 to 65535"`
	UseSecureConnection    bool                 `db:"use_secure_connection" json:"use_secure_connection" form:"use_secure_connection" label:"Use secure connection" doc:"Encrypt the connection"`
	SecureConnectionType   dial.Security        `db:"secure_connection_type" json:"secure_connection_type,omitempty" form:"secure_connection_type" label:"Secure connection type" doc:"tls = STARTTLS, ssl = TLS from the first byte" enum:",tls,ssl"`
	UseAuthentication      bool                 `db:"use_authentication" json:"use_authentication" form:"use_authentication" label:"Use authentication" doc:"Sign in at the server"`
	AuthenticationType     AuthenticationType   `db:"authentication_type" json:"authentication_type,omitempty" form:"authentication_type" label:"Authentication" doc:"password or oauth2" enum:",password,oauth2"`
	CredentialID           int64                `db:"credential_id" json:"credential_id,omitempty" form:"credential_id" label:"Credential for authentication" doc:"The credential to sign in with"`
	IgnoreCertificateError bool                 `db:"ignore_certificate_error" json:"ignore_certificate_error" form:"ignore_certificate_error" label:"Ignore certificate error" doc:"Accept any certificate"`
	CertificateRule        dial.CertificateRule `db:"certificate_rule" json:"certificate_rule,omitempty" form:"certificate_rule" label:"Certificate" doc:"verify, pin or custom_ca" enum:",verify,pin,custom_ca"`
	CertificateFingerprint string               `db:"certificate_fingerprint" json:"certificate_fingerprint,omitempty" form:"certificate_fingerprint" label:"Certificate fingerprint" doc:"pin: SHA-256 of the certificate, hexadecimal"`
	CertificateCA          string               `db:"certificate_ca" json:"certificate_ca,omitempty" form:"certificate_ca,lines" label:"Certificate authority" doc:"custom_ca: certificates in PEM form"`
	UseNetworkConnector    bool                 `db:"use_network_connector" json:"use_network_connector" form:"use_network_connector" label:"Use Network Connector" doc:"Leave through a network connector"`
	NetworkConnectorID     int64                `db:"network_connector_id" json:"network_connector_id,omitempty" form:"network_connector_id" label:"Network Connector" doc:"Which one; absent: the default of System Parameters"`

	MaxConnections       int `db:"max_connections" json:"max_connections,omitempty" form:"max_connections" label:"Connections at once" doc:"At once; 0: the provider's known limit"`
	MaxMessagesPerMinute int `db:"max_messages_per_minute" json:"max_messages_per_minute,omitempty" form:"max_messages_per_minute" label:"Messages per minute" doc:"0: the provider's known limit"`
	FallbackOrder        int `db:"fallback_order" json:"fallback_order,omitempty" form:"fallback_order" label:"Fallback order" doc:"Alternatives are tried in ascending order; 0: not an alternative"`
}

// SMTP is a stored SMTP account.
type SMTP struct {
	ID int64 `db:"id" json:"id"`
	SMTPSettings
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	CreatedBy string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy string    `db:"changed_by" json:"changed_by,omitempty"`
	Version   int       `db:"version" json:"version"`
}

// NewSMTPSettings returns what an empty form shows: the document's values where it names one, the safe ones elsewhere.
func NewSMTPSettings() SMTPSettings {
	return SMTPSettings{
		Active:               true,
		Provider:             "other",
		SendReadConfirmation: true,
		Port:                 587,
		UseSecureConnection:  true,
		SecureConnectionType: dial.STARTTLS,
		UseAuthentication:    true,
		AuthenticationType:   Password,
		CertificateRule:      dial.Verify,
	}
}

// Usable reports whether the account may send.
func (s SMTPSettings) Usable() bool { return s.Active }

// Target is the server as the dialing code wants it.
func (s SMTPSettings) Target() dial.Target {
	return dial.Target{Host: s.SMTPHost, Port: s.Port, Security: s.SecureConnectionType, Trust: s.Trust()}
}

// Trust is the certificate rule with what it needs.
func (s SMTPSettings) Trust() dial.Trust {
	if s.IgnoreCertificateError {
		return dial.Trust{Rule: dial.Ignore}
	}
	return dial.Trust{Rule: s.CertificateRule, Fingerprint: s.CertificateFingerprint, CA: s.CertificateCA}
}

// SignsInWithPassword reports whether a stored secret leaves for the server.
func (s SMTPSettings) SignsInWithPassword() bool {
	return s.UseAuthentication && s.AuthenticationType == Password
}

// Address is host:port as people write it.
func (s SMTPSettings) Address() string { return net.JoinHostPort(s.SMTPHost, strconv.Itoa(s.Port)) }

// Destination is where the secret of the credential goes; a different one needs the secret again.
func (s SMTPSettings) Destination(username string) credential.Destination {
	return destination(s.Target(), username, s.UseNetworkConnector, s.NetworkConnectorID)
}
