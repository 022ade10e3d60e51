// Package provider knows the mail services that people use most: their servers, their limits, their
// OAuth 2.0 endpoints, and which of them an address probably belongs to.
//
// It is data and pure functions; only Suggest asks the DNS, through an interface.
package provider

import "strings"

// ID names a provider; the words are those of the column smtp_account.provider.
type ID string

// The providers.
const (
	Microsoft365 ID = "microsoft365"
	Google       ID = "google"
	SES          ID = "amazon_ses"
	SendGrid     ID = "sendgrid"
	Mailgun      ID = "mailgun"
	Postmark     ID = "postmark"
	Zoho         ID = "zoho"
	Fastmail     ID = "fastmail"
	Yahoo        ID = "yahoo"
	Other        ID = "other"
)

// domainsOfServers maps the end of a server's name to its provider. Longer ends are not needed: the
// providers' names do not nest.
var domainsOfServers = []struct {
	domain string
	id     ID
}{
	{"office365.com", Microsoft365},
	{"outlook.com", Microsoft365}, // also mail.protection.outlook.com, the MX of a tenant
	{"office365.us", Microsoft365},
	{"outlook.office.com", Microsoft365},
	{"partner.outlook.cn", Microsoft365},
	{"outlook.cn", Microsoft365},
	{"hotmail.com", Microsoft365},
	{"mx.microsoft", Microsoft365}, // MX of tenants with DNSSEC
	{"gmail.com", Google},
	{"google.com", Google},
	{"googlemail.com", Google},
	{"amazonaws.com", SES},
	{"amazonaws.com.cn", SES},
	{"sendgrid.net", SendGrid},
	{"mailgun.org", Mailgun},
	{"postmarkapp.com", Postmark},
	{"zoho.com", Zoho},
	{"zoho.eu", Zoho},
	{"zoho.in", Zoho},
	{"zoho.com.au", Zoho},
	{"zoho.com.cn", Zoho},
	{"zoho.jp", Zoho},
	{"zohocloud.ca", Zoho},
	{"fastmail.com", Fastmail},
	{"messagingengine.com", Fastmail},
	{"yahoo.com", Yahoo},
	{"yahoodns.net", Yahoo},
	{"aol.com", Yahoo},
}

// ByHost returns the provider that runs the server with this name, or Other.
func ByHost(host string) ID {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, d := range domainsOfServers {
		if host == d.domain || strings.HasSuffix(host, "."+d.domain) {
			return d.id
		}
	}
	return Other
}
