package page

import (
	"net/url"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
	"orbit/internal/oauth/preset"
	"orbit/web/ui"
)

// AuthoriseFormView asks for which mailbox Orbit may get tokens.
type AuthoriseFormView struct {
	Form         *ui.FormView
	Registration oauth.Registration // zero: whichever covers the address
	Address      string
	Mailboxes    []string
	Action       string
	Back         string
}

// fixed is the one mailbox of a registration that is for one.
func (v AuthoriseFormView) fixed() string {
	if r := v.Registration; r.ID != 0 && !r.CatchAll() {
		return r.Pattern
	}
	return ""
}

func (v AuthoriseFormView) how() string {
	switch v.Registration.EffectiveFlow() {
	case oauth.AuthorizationCode:
		return "The owner of the mailbox signs in at the provider once and accepts."
	case oauth.DeviceCode:
		return "The owner of the mailbox enters a code at the provider once, on any device, and accepts."
	case oauth.ClientCredentials, oauth.ServiceAccount:
		return "Nobody has to sign in: Orbit asks for a token and shows it to the mail server."
	case oauth.Password:
		return "Orbit sends the mailbox's password to the token endpoint. Nobody can use a second factor then."
	}
	return ""
}

// AuthoriseView leads to the provider.
type AuthoriseView struct {
	Address      string
	Registration oauth.Registration
	Consent      string // the provider's page, or the start address where the way back is another host
	ToProvider   bool   // Consent is the provider's page itself
	Link         oauth.Link
	Clock        ui.Clock
	Unregistered bool // no credential has this address, and the registration is for many
	Credentials  string
	Back         string
}

func (v AuthoriseView) provider() string {
	if name := preset.Of(v.Registration.Settings); name.Provider != provider.Other {
		return provider.Find(name.Provider).Name
	}
	return hostOf(v.Registration.PermissionURL)
}

func (v AuthoriseView) here() string {
	return "The button leads to " + v.provider() + ". Choose " + v.Address + " there, accept, and you come back here. Finish within 10 minutes."
}

func (v AuthoriseView) elsewhere() string {
	return "Send them this link. It is valid until " + v.Clock.At(v.Link.ExpiresAt).Exact() + ", or until somebody has used it with success."
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "the provider"
	}
	return u.Host
}

// DeviceView is a code that somebody enters at the provider, and what becomes of it.
type DeviceView struct {
	Address string
	Request oauth.DeviceRequest
	Outcome *oauth.Outcome // nil: waiting
	Stream  string
	Reload  string
	Again   string
	Back    string
	Clock   ui.Clock
}

// OutcomeView is how an authorisation ended, inside Orbit.
type OutcomeView struct {
	Outcome oauth.Outcome
	Back    string
	Again   string
}

// tone and text of an outcome.
func (v OutcomeView) tone() ui.Tone {
	switch o := v.Outcome; {
	case o.State == oauth.Active && o.Fault == nil && !o.WrongMailbox:
		return ui.Good
	case o.Fault == nil:
		return ui.Warning
	}
	return ui.Bad
}

func (v OutcomeView) text() string {
	if v.Outcome.Authorised {
		return v.Outcome.Text()
	}
	return "Orbit got no token for " + v.Outcome.Address + "."
}
