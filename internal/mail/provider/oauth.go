package provider

import (
	"net/url"
	"strings"
)

// Cloud is one of Microsoft's separate clouds. A tenant lives in exactly one.
type Cloud struct {
	ID        string // "worldwide", "china", "us_government", "us_dod"
	Name      string // as people know it
	Authority string // sign-in and tokens, without the tenant
	Resource  string // Exchange Online, the audience of the tokens
	Portal    string // where the application is registered
	SMTP      string // host
	IMAP      string // host, also POP3
	Exchange  string // -ExchangeEnvironmentName of Connect-ExchangeOnline, "" for worldwide
}

// The clouds.
var clouds = []Cloud{
	{
		ID: "worldwide", Name: "Worldwide (also GCC)", Authority: "https://login.microsoftonline.com",
		Resource: "https://outlook.office365.com", Portal: "https://entra.microsoft.com",
		SMTP: "smtp.office365.com", IMAP: "outlook.office365.com",
	},
	{
		ID: "china", Name: "China (21Vianet)", Authority: "https://login.partner.microsoftonline.cn",
		Resource: "https://partner.outlook.cn", Portal: "https://entra.microsoftonline.cn",
		SMTP: "smtp.partner.outlook.cn", IMAP: "partner.outlook.cn", Exchange: "O365China",
	},
	{
		ID: "us_government", Name: "US Government (GCC High)", Authority: "https://login.microsoftonline.us",
		Resource: "https://outlook.office365.us", Portal: "https://entra.microsoft.us",
		SMTP: "smtp.office365.us", IMAP: "outlook.office365.us", Exchange: "O365USGovGCCHigh",
	},
	{
		ID: "us_dod", Name: "US Government (DoD)", Authority: "https://login.microsoftonline.us",
		Resource: "https://outlook-dod.office365.us", Portal: "https://entra.microsoft.us",
		SMTP: "outlook-dod.office365.us", IMAP: "outlook-dod.office365.us", Exchange: "O365USGovDoD",
	},
}

// Clouds returns Microsoft's clouds, worldwide first.
func Clouds() []Cloud { return append([]Cloud(nil), clouds...) }

// CloudOf returns the cloud of a token or permission URL; worldwide when it is none of the others.
func CloudOf(address string) Cloud {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return clouds[0]
	}
	for _, c := range clouds {
		if "https://"+strings.ToLower(u.Hostname()) == c.Authority {
			return c
		}
	}
	return clouds[0]
}

// CloudOfServer returns the cloud of a mail server; worldwide when it is none of the others.
func CloudOfServer(host string) Cloud {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, c := range clouds {
		if host == c.SMTP || host == c.IMAP {
			return c
		}
	}
	return clouds[0]
}

// Connect is the PowerShell command that opens a session with Exchange Online in this cloud.
func (c Cloud) Connect() string {
	if c.Exchange == "" {
		return "Connect-ExchangeOnline"
	}
	return "Connect-ExchangeOnline -ExchangeEnvironmentName " + c.Exchange
}

// ByAuthority returns the provider whose identity service has this host name, or Other.
func ByAuthority(host string) ID {
	host = strings.ToLower(host)
	switch {
	case strings.HasPrefix(host, "login.microsoftonline.") || host == "login.partner.microsoftonline.cn" ||
		host == "login.windows.net" || host == "login.live.com" || host == "sts.windows.net" || host == "login.chinacloudapi.cn":
		return Microsoft365
	case host == "accounts.google.com" || strings.HasSuffix(host, ".googleapis.com"):
		return Google
	case host == "api.fastmail.com" || host == "www.fastmail.com":
		return Fastmail
	case host == "api.login.yahoo.com" || host == "api.login.aol.com":
		return Yahoo
	case strings.HasPrefix(host, "accounts.zoho."):
		return Zoho
	}
	return Other
}
