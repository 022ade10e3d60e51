// Package checklist writes down what an administrator does at a provider before a registration works: where
// to click, what to copy where, which commands to run, with the registration's own ids filled in.
//
// It is a function of a registration and asks nobody; pages and the command line show the same steps.
package checklist

import (
	"strings"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
)

// Step is one thing to do.
type Step struct {
	Title  string  `json:"title"`
	Where  string  `json:"where,omitempty"` // a path of menus: "Entra admin center > App registrations > ..."
	Link   string  `json:"link,omitempty"`  // where that is
	Text   string  `json:"text,omitempty"`  // one or two sentences
	Values []Value `json:"values,omitempty"`
	Code   string  `json:"code,omitempty"` // commands, ready to be run
	Shell  string  `json:"shell,omitempty"`
}

// Value is something to enter or to compare there.
type Value struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Shells that commands are for.
const powerShell = "PowerShell"

// In is what a checklist is written for.
type In struct {
	Registration oauth.Registration
	Mailbox      string // an address to fill in; empty: the registration's own, or a word in capitals
	RedirectURI  string // Orbit's own
}

// Of returns the steps in the order in which they are done.
func Of(in In) []Step {
	c := writer{In: in, cloud: provider.CloudOf(in.Registration.TokenURL), flow: in.Registration.EffectiveFlow()}
	c.fill()
	switch provider.ID(in.Registration.Provider) {
	case provider.Microsoft365:
		return c.microsoft()
	case provider.Google:
		return c.google()
	case provider.Fastmail, provider.Yahoo:
		return c.approvedClient()
	default:
		return c.other()
	}
}

type writer struct {
	In
	cloud provider.Cloud
	flow  oauth.Flow
}

const anyMailbox = "MAILBOX@EXAMPLE.COM"

func (c *writer) fill() {
	if c.Mailbox == "" {
		c.Mailbox = anyMailbox
		if r := c.Registration; !r.CatchAll() && r.Pattern != "" {
			c.Mailbox = r.Pattern
		}
	}
	if c.Registration.RedirectURI != "" {
		c.RedirectURI = c.Registration.RedirectURI
	}
}

// client is the client id, or the word for it while there is none.
func (c *writer) client() string { return or(c.Registration.ClientID, "CLIENT_ID") }

func (c *writer) tenant() string { return or(c.Registration.Tenant, "TENANT_ID") }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// ps makes a value a string of PowerShell.
func ps(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }

// sh makes a value one word of a shell.
func sh(value string) string {
	if strings.ContainsAny(value, "'\"\\$&;|<>()*?[]#~`! ") {
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}

func lines(all ...string) string { return strings.Join(all, "\n") }

// authorise is the last step but one wherever a person consents.
func (c *writer) authorise() Step {
	step := Step{
		Title: "Authorise the mailbox", Where: "Orbit > Settings > Notifications > Email OAuth 2.0 proxy > Authorise",
		Text: "Sign in at the provider as the mailbox itself and accept. If somebody else owns it, send them the link that Orbit shows; it is valid for 24 hours.",
		Code: "orbit email-oauth2-proxy authorize " + sh(c.Mailbox),
	}
	if c.flow == oauth.DeviceCode {
		step.Text = "Orbit shows a code. Enter it at the provider's address on any device, sign in as the mailbox itself and accept."
	}
	return step
}

func (c *writer) test() Step {
	return Step{
		Title: "Test", Where: "Orbit > Settings > Notifications > SMTP Configuration > Test configuration",
		Text: "Send a test message through an account that uses the mailbox. Each step shows what the servers said.",
	}
}

func (c *writer) prove() Step {
	return Step{
		Title: "Let Orbit get a token", Where: "Orbit > Settings > Notifications > Email OAuth 2.0 proxy > Authorise",
		Text: "Nobody has to sign in. Orbit asks for a token of the mailbox and shows it to the mail server.",
		Code: "orbit email-oauth2-proxy authorize " + sh(c.Mailbox),
	}
}

// approvedClient is for providers that give client ids only to applications they have approved.
func (c *writer) approvedClient() []Step {
	name := provider.Find(provider.ID(c.Registration.Provider)).Name
	return []Step{
		{
			Title:  "Get a client from " + name,
			Text:   name + " gives client ids for mail only to applications that it has approved. Use those of an approved application of yours, or an app password with an ordinary account instead.",
			Values: []Value{{"Redirect URI", c.RedirectURI}, {"Scope", c.Registration.Scope}},
		},
		c.authorise(), c.test(),
	}
}

func (c *writer) other() []Step {
	r := c.Registration
	steps := []Step{{
		Title: "Register Orbit as a client at the provider",
		Text:  "Every provider has a page for it, often called Applications, OAuth clients or Developer. Enter exactly these values.",
	}}
	switch c.flow {
	case oauth.AuthorizationCode:
		steps[0].Values = []Value{{"Type", "Web application, confidential"}, {"Redirect URI", c.RedirectURI}, {"Grant types", "authorization_code, refresh_token"}, {"Scope", r.Scope}}
		return append(steps, c.authorise(), c.test())
	case oauth.DeviceCode:
		steps[0].Values = []Value{{"Grant types", "urn:ietf:params:oauth:grant-type:device_code, refresh_token"}, {"Scope", r.Scope}}
		return append(steps, c.authorise(), c.test())
	case oauth.ClientCredentials:
		steps[0].Values = []Value{{"Type", "Confidential"}, {"Grant type", "client_credentials"}, {"Scope", r.Scope}}
	case oauth.Password:
		steps[0].Values = []Value{{"Grant type", "password"}, {"Scope", r.Scope}, {"Resource", r.Resource}}
	case oauth.ServiceAccount:
		steps[0].Values = []Value{{"Grant type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"Scope", r.Scope}}
	}
	return append(steps, c.prove(), c.test())
}
