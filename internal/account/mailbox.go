package account

import (
	"net"
	"strconv"
	"time"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
)

// MailboxSettings is what a person sets on an IMAP/POP3 account: the same names in form, JSON and table.
// FIELDS.md section 3 of the specification gives the words that people see.
type MailboxSettings struct {
	AccountName      string `db:"account_name" json:"account_name" form:"account_name" label:"Account name" doc:"Internal name of the account"`
	KeepCopyOnServer bool   `db:"keep_copy_on_server" json:"keep_copy_on_server" form:"keep_copy_on_server" label:"Keep copy on server" doc:"false deletes a message on the server once it is stored here"`
	AutomaticCheck   bool   `db:"automatic_check" json:"automatic_check" form:"automatic_check" label:"Automatic check" doc:"false leaves only Check now"`
	Active           bool   `db:"active" json:"active" form:"active" label:"Active" doc:"Usable or not"`

	Address                string               `db:"address" json:"address" form:"address" label:"Address" doc:"Name or address of the server"`
	Port                   int                  `db:"port" json:"port" form:"port" label:"Port" doc:"1 to 65535"`
	Protocol               fetch.Protocol       `db:"protocol" json:"protocol" form:"protocol" label:"Protocol" doc:"imap or pop3" enum:"imap,pop3"`
	AuthenticationType     AuthenticationType   `db:"authentication_type" json:"authentication_type,omitempty" form:"authentication_type" label:"Authentication" doc:"password or oauth2" enum:",password,oauth2"`
	CredentialID           int64                `db:"credential_id" json:"credential_id,omitempty" form:"credential_id" label:"Credential for authentication" doc:"The credential to sign in with; oauth2 uses its username alone"`
	IgnoreCertificate      bool                 `db:"ignore_certificate" json:"ignore_certificate" form:"ignore_certificate" label:"Ignore certificate" doc:"Accept any certificate"`
	CertificateRule        dial.CertificateRule `db:"certificate_rule" json:"certificate_rule,omitempty" form:"certificate_rule" label:"Certificate" doc:"verify, pin or custom_ca" enum:",verify,pin,custom_ca"`
	CertificateFingerprint string               `db:"certificate_fingerprint" json:"certificate_fingerprint,omitempty" form:"certificate_fingerprint" label:"Certificate fingerprint" doc:"pin: SHA-256 of the certificate, hexadecimal"`
	CertificateCA          string               `db:"certificate_ca" json:"certificate_ca,omitempty" form:"certificate_ca,lines" label:"Certificate authority" doc:"custom_ca: certificates in PEM form"`
	UseSecureConnection    bool                 `db:"use_secure_connection" json:"use_secure_connection" form:"use_secure_connection" label:"Use secure connection" doc:"Encrypt the connection"`
	SecureConnectionType   dial.Security        `db:"secure_connection_type" json:"secure_connection_type,omitempty" form:"secure_connection_type" label:"Secure connection type" doc:"tls = STARTTLS, ssl = TLS from the first byte" enum:",tls,ssl"`
	UseNetworkConnector    bool                 `db:"use_network_connector" json:"use_network_connector" form:"use_network_connector" label:"Use Network Connector" doc:"Leave through a network connector"`
	NetworkConnectorID     int64                `db:"network_connector_id" json:"network_connector_id,omitempty" form:"network_connector_id" label:"Network Connector" doc:"Which one; absent: the default of System Parameters"`

	Folder     string `db:"folder" json:"folder,omitempty" form:"folder" label:"Folder" doc:"imap: the folder that is read; default INBOX"`
	AuthservID string `db:"authserv_id" json:"authserv_id,omitempty" form:"authserv_id" label:"Trusted authserv-id" doc:"Whose Authentication-Results are believed (RFC 8601); absent: nobody's"`
}

// Mailbox is a stored IMAP/POP3 account.
type Mailbox struct {
	ID int64 `db:"id" json:"id"`
	MailboxSettings
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	CreatedBy string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy string    `db:"changed_by" json:"changed_by,omitempty"`
	Version   int       `db:"version" json:"version"`
}

// NewMailboxSettings returns what an empty form shows: the document's values where it names one, the safe ones elsewhere.
func NewMailboxSettings() MailboxSettings {
	return MailboxSettings{
		KeepCopyOnServer:     true,
		AutomaticCheck:       true,
		Active:               true,
		Protocol:             fetch.IMAP,
		Port:                 993,
		AuthenticationType:   Password,
		UseSecureConnection:  true,
		SecureConnectionType: dial.Implicit,
		CertificateRule:      dial.Verify,
		Folder:               inbox,
	}
}

// Target is the server as the dialing code wants it.
func (m MailboxSettings) Target() dial.Target {
	return dial.Target{Host: m.Address, Port: m.Port, Security: m.SecureConnectionType, Trust: m.Trust()}
}

// Trust is the certificate rule with what it needs.
func (m MailboxSettings) Trust() dial.Trust {
	if m.IgnoreCertificate {
		return dial.Trust{Rule: dial.Ignore}
	}
	return dial.Trust{Rule: m.CertificateRule, Fingerprint: m.CertificateFingerprint, CA: m.CertificateCA}
}

// SignsInWithPassword reports whether a stored secret leaves for the server.
func (m MailboxSettings) SignsInWithPassword() bool { return m.AuthenticationType == Password }

// Server is host:port as people write it; the field Address is the host alone.
func (m MailboxSettings) Server() string { return net.JoinHostPort(m.Address, strconv.Itoa(m.Port)) }

// Destination is where the secret of the credential goes; a different one needs the secret again.
func (m MailboxSettings) Destination(username string) credential.Destination {
	return destination(m.Target(), username, m.UseNetworkConnector, m.NetworkConnectorID)
}
