package page

import (
	"strconv"
	"strings"
	"time"

	"orbit/internal/oauth"
	"orbit/web/ui"
)

// OAuthProxyPath is the page of the mail proxy in Settings.
const OAuthProxyPath = "/settings/notifications/oauth2-proxy"

// RegistrationPath is the page of a registration.
func RegistrationPath(id int64) string { return OAuthProxyPath + "/" + strconv.FormatInt(id, 10) }

// GrantErrorPath is the window with the last error of a grant.
func GrantErrorPath(id int64) string {
	return OAuthProxyPath + "/grants/" + strconv.FormatInt(id, 10) + "/error"
}

// FlowName is a flow as people read it.
func FlowName(f oauth.Flow) string {
	switch f {
	case oauth.AuthorizationCode, "":
		return "Authorization code"
	case oauth.ClientCredentials:
		return "Client credentials"
	case oauth.DeviceCode:
		return "Device code"
	case oauth.ServiceAccount:
		return "Service account"
	case oauth.Password:
		return "Password"
	}
	return string(f)
}

// flowHelp says what a flow asks of people.
func flowHelp(f oauth.Flow) string {
	switch f {
	case oauth.AuthorizationCode:
		return "The owner of the mailbox signs in once in a browser and accepts. The usual way."
	case oauth.ClientCredentials:
		return "Nobody signs in: an administrator of the provider lets the application into mailboxes. Microsoft 365."
	case oauth.DeviceCode:
		return "The owner of the mailbox enters a code on any device. For networks that the provider cannot send a browser back to."
	case oauth.ServiceAccount:
		return "Nobody signs in: an administrator lets a service account act for mailboxes. Google Workspace."
	case oauth.Password:
		return "Insecure: the mailbox's password is sent to the token endpoint. Only for old clouds that know nothing else."
	}
	return ""
}

// FlowOptions are the flows as radio buttons. The password flow comes with an import and is offered to nobody else.
func FlowOptions(chosen oauth.Flow) []ui.Option {
	options := make([]ui.Option, 0, len(oauth.Flows()))
	for _, f := range oauth.Flows() {
		if f == oauth.Password && f != chosen {
			continue
		}
		options = append(options, ui.Option{Value: string(f), Label: FlowName(f), Help: flowHelp(f)})
	}
	return options
}

// PatternWords says for whom a registration is.
func PatternWords(pattern string) string {
	switch {
	case pattern == "@":
		return "every registered credential"
	case strings.HasPrefix(pattern, "@"):
		return "every registered credential of " + pattern[1:]
	case pattern == "":
		return "an address you have not entered yet"
	}
	return pattern
}

// GrantTone is the colour of a grant's state.
func GrantTone(s oauth.State) ui.Tone {
	switch s {
	case oauth.Active:
		return ui.Good
	case oauth.Waiting:
		return ui.Notice
	case oauth.Failed:
		return ui.Bad
	case oauth.None:
	}
	return ui.Neutral
}

// GrantWord is a grant's state in a word or two.
func GrantWord(s oauth.State) string {
	switch s {
	case oauth.Active:
		return "Active"
	case oauth.Waiting:
		return "Waiting for proof"
	case oauth.Failed:
		return "Failed"
	case oauth.None:
	}
	return "Not authorised"
}

// secretName says what a slot holds.
func secretName(k oauth.SecretKind) string {
	switch k {
	case oauth.SharedSecret:
		return "Client secret"
	case oauth.ClientCertificate:
		return "Certificate"
	case oauth.AccountKey:
		return "Service account key"
	}
	return string(k)
}

// Days before the end of a secret at which its colour changes.
const (
	expiresSoon   = 60
	expiresAtOnce = 14
)

// expiryTone is the colour of an end.
func expiryTone(end, now time.Time) ui.Tone {
	switch left := end.Sub(now); {
	case left <= expiresAtOnce*24*time.Hour:
		return ui.Bad
	case left <= expiresSoon*24*time.Hour:
		return ui.Warning
	}
	return ui.Good
}

// expiryWords says when a secret ends.
func expiryWords(end, now time.Time) string {
	days := int(end.Sub(now) / (24 * time.Hour))
	switch {
	case end.Before(now):
		return "Expired on " + end.UTC().Format("2 Jan 2006")
	case days == 0:
		return "Expires within a day"
	case days <= expiresSoon:
		return "Expires in " + ui.Count(days, "day", "days")
	}
	return "Until " + end.UTC().Format("2 Jan 2006")
}

// zoneOf is the reader's zone.
func zoneOf(t ui.TimeView) *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}
