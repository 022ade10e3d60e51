package provider

// Server is a server of a preset. Security has the words of dial.Security: "tls" for STARTTLS, "ssl" for TLS
// from the start, "" for none; it is a string because dial's error dictionary asks this package.
type Server struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Security string `json:"security"`
}

// Limits are what a provider lets one sender do. Zero means that it names no limit.
type Limits struct {
	MaxConnections       int `json:"max_connections"`
	MaxMessagesPerMinute int `json:"max_messages_per_minute"`
	MaxRecipientsPerDay  int `json:"max_recipients_per_day"`
}

// OAuth holds the endpoints of a provider that takes OAuth 2.0 tokens. {tenant} stands for the tenant id.
type OAuth struct {
	Cloud         string `json:"cloud"` // Cloud.ID for Microsoft, otherwise ""
	Name          string `json:"name"`
	PermissionURL string `json:"permission_url"`
	TokenURL      string `json:"token_url"`
	DeviceURL     string `json:"device_url,omitempty"` // "": no device flow for mail
	Scope         string `json:"scope"`                // when a person signs in
	AppScope      string `json:"app_scope,omitempty"`  // client credentials or service account; "": not possible
}

// Preset is what choosing a provider fills in.
type Preset struct {
	ID       ID      `json:"id"`
	Name     string  `json:"name"`
	SMTP     Server  `json:"smtp"`
	IMAP     Server  `json:"imap"` // zero: the provider only sends
	POP3     Server  `json:"pop3"`
	Username string  `json:"username,omitempty"` // what belongs into the username field; "": the whole address
	Hint     string  `json:"hint,omitempty"`     // one or two sentences beside the form
	Limits   Limits  `json:"limits"`
	OAuth    []OAuth `json:"oauth,omitempty"`
}

const (
	starttls = "tls"
	implicit = "ssl"
)

// presets in the order of the drop-down.
var presets = []Preset{
	{
		ID: Microsoft365, Name: "Microsoft 365",
		SMTP:   Server{"smtp.office365.com", 587, starttls},
		IMAP:   Server{"outlook.office365.com", 993, implicit},
		POP3:   Server{"outlook.office365.com", 995, implicit},
		Hint:   "Use OAuth 2.0. Authenticated SMTP must be on for the mailbox. Outlook.com and Hotmail use smtp-mail.outlook.com.",
		Limits: Limits{MaxConnections: 3, MaxMessagesPerMinute: 30, MaxRecipientsPerDay: 10000},
		OAuth:  microsoftOAuth(),
	},
	{
		ID: Google, Name: "Google Workspace / Gmail",
		SMTP:   Server{"smtp.gmail.com", 587, starttls},
		IMAP:   Server{"imap.gmail.com", 993, implicit},
		POP3:   Server{"pop.gmail.com", 995, implicit},
		Hint:   "Use OAuth 2.0, or an application password where 2-Step Verification is on. A normal password is not accepted.",
		Limits: Limits{MaxRecipientsPerDay: 2000},
		OAuth: []OAuth{{
			Name:          "Google",
			PermissionURL: "https://accounts.google.com/o/oauth2/v2/auth",
			TokenURL:      "https://oauth2.googleapis.com/token",
			Scope:         "https://mail.google.com/",
			AppScope:      "https://mail.google.com/",
		}},
	},
	{
		ID: SES, Name: "Amazon SES",
		SMTP:     Server{"email-smtp.us-east-1.amazonaws.com", 587, starttls},
		Username: "the SMTP user name of the region",
		Hint:     "Replace us-east-1 by your region. SMTP credentials are made under Amazon SES > SMTP settings; IAM access keys do not work.",
	},
	{
		ID: SendGrid, Name: "SendGrid",
		SMTP:     Server{"smtp.sendgrid.net", 587, starttls},
		Username: "apikey",
		Hint:     "The username is the word apikey, the password an API key with the permission Mail Send.",
	},
	{
		ID: Mailgun, Name: "Mailgun",
		SMTP:     Server{"smtp.mailgun.org", 587, starttls},
		Username: "the SMTP credential of the domain",
		Hint:     "Domains in the EU region use smtp.eu.mailgun.org. The password is that of an SMTP credential, not the API key.",
	},
	{
		ID: Postmark, Name: "Postmark",
		SMTP:     Server{"smtp.postmarkapp.com", 587, starttls},
		Username: "the server API token",
		Hint:     "Username and password are both the server API token.",
	},
	{
		ID: Zoho, Name: "Zoho Mail",
		SMTP: Server{"smtp.zoho.com", 465, implicit},
		IMAP: Server{"imap.zoho.com", 993, implicit},
		POP3: Server{"pop.zoho.com", 995, implicit},
		Hint: "Own domains use smtppro.zoho.com, other regions smtp.zoho.eu, .in, .com.au or .jp. Two-factor authentication needs an application password.",
	},
	{
		ID: Fastmail, Name: "Fastmail",
		SMTP: Server{"smtp.fastmail.com", 465, implicit},
		IMAP: Server{"imap.fastmail.com", 993, implicit},
		POP3: Server{"pop.fastmail.com", 995, implicit},
		Hint: "Use an app password (Settings > Privacy & Security), or OAuth 2.0 with a client that Fastmail has registered.",
		OAuth: []OAuth{{
			Name:          "Fastmail",
			PermissionURL: "https://api.fastmail.com/oauth/authorize",
			TokenURL:      "https://api.fastmail.com/oauth/refresh",
			Scope:         "https://www.fastmail.com/dev/protocol-smtp https://www.fastmail.com/dev/protocol-imap https://www.fastmail.com/dev/protocol-pop",
		}},
	},
	{
		ID: Yahoo, Name: "Yahoo",
		SMTP: Server{"smtp.mail.yahoo.com", 465, implicit},
		IMAP: Server{"imap.mail.yahoo.com", 993, implicit},
		POP3: Server{"pop.mail.yahoo.com", 995, implicit},
		Hint: "Use an app password, or OAuth 2.0 with a client that Yahoo has approved for mail. AOL uses smtp.aol.com.",
		OAuth: []OAuth{{
			Name:          "Yahoo",
			PermissionURL: "https://api.login.yahoo.com/oauth2/request_auth",
			TokenURL:      "https://api.login.yahoo.com/oauth2/get_token",
			Scope:         "mail-w",
		}},
	},
	{ID: Other, Name: "Other", SMTP: Server{"", 587, starttls}, IMAP: Server{"", 993, implicit}, POP3: Server{"", 995, implicit}},
}

// Presets returns all presets in the order in which people choose, "other" last.
func Presets() []Preset { return append([]Preset(nil), presets...) }

// Find returns the preset of a provider; "other" when there is none.
func Find(id ID) Preset {
	for _, p := range presets {
		if p.ID == id {
			return p
		}
	}
	return presets[len(presets)-1]
}

// LimitsFor returns what the provider lets one sender do, also when the account names the provider wrongly: the
// server's name counts as well.
func LimitsFor(id ID, host string) Limits {
	if id == Other || id == "" {
		id = ByHost(host)
	}
	return Find(id).Limits
}

// microsoftOAuth makes the endpoints of each cloud.
func microsoftOAuth() []OAuth {
	all := make([]OAuth, len(clouds))
	for i, c := range clouds {
		base := c.Authority + "/{tenant}/oauth2/v2.0"
		all[i] = OAuth{
			Cloud:         c.ID,
			Name:          c.Name,
			PermissionURL: base + "/authorize",
			TokenURL:      base + "/token",
			DeviceURL:     base + "/devicecode",
			Scope:         c.UserScope(),
			AppScope:      c.Resource + "/.default",
		}
	}
	return all
}

// UserScope is the scope with which a person lets Orbit send and read mail.
func (c Cloud) UserScope() string {
	return c.Resource + "/SMTP.Send " + c.Resource + "/IMAP.AccessAsUser.All " + c.Resource + "/POP.AccessAsUser.All offline_access"
}
