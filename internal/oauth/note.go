package oauth

import (
	"fmt"
	"strings"

	"orbit/internal/mail/provider"
)

// Note is something about a configuration that a person should know, and what Orbit makes of it. Pages and
// the command line show Was and Now side by side.
type Note struct {
	Rule  Rule   `json:"rule,omitempty"`
	Where string `json:"where"` // a field of the form, or "[SMTP-2465] starttls"
	Was   string `json:"was,omitempty"`
	Now   string `json:"now,omitempty"` // empty: nothing was changed
	Why   string `json:"why"`
}

// Corrected reports whether Orbit changed what was given.
func (n Note) Corrected() bool { return n.Now != "" && n.Now != n.Was }

// String is the note in one line, as the command line prints it.
func (n Note) String() string {
	if !n.Corrected() {
		return fmt.Sprintf("%s: %s", n.Where, n.Why)
	}
	return fmt.Sprintf("%s: %q becomes %q. %s", n.Where, n.Was, n.Now, n.Why)
}

// Rule numbers the contradictions that are known from the widely copied example of email-oauth2-proxy.
type Rule int

// The contradictions. 0 is any other note.
const (
	FlowContradiction Rule = 1  // client_credentials together with a permission URL
	AppOnlyScope      Rule = 2  // client credentials with the scope of a person
	MisspelledScope   Rule = 3  // SMPT.Send
	MisspelledListen  Rule = 4  // redirect_list_address
	LegacySTARTTLS    Rule = 5  // starttls instead of server_starttls
	ListensEverywhere Rule = 6  // no local_address
	InsecureRedirect  Rule = 7  // redirect_uri with http on a host that is not this machine
	StrayText         Rule = 8  // blanks and Markdown around addresses
	DeletesTokens     Rule = 9  // delete_account_token_on_password_error
	ClearTextSecret   Rule = 10 // encrypt_client_secret_on_first_use = False
	TestBeforeSignIn  Rule = 11 // the test comes before the authorisation
	ReplyWordsDiffer  Rule = 12 // APPROVE/DISAPPROVE and APPROVE/REJECT
)

// appOnlyEnd ends the scope that stands for all of an application's permissions at Microsoft.
const appOnlyEnd = "/.default"

// Notes says what is remarkable about valid settings, above all when the effective flow is not the one
// that was named. Forms and the command register print it.
func (s Settings) Notes() []Note {
	var notes []Note
	if s.EffectiveFlow() != s.Flow && s.Flow != "" {
		notes = append(notes, Note{Rule: FlowContradiction, Where: "flow", Was: string(s.Flow), Now: string(AuthorizationCode), Why: fmt.Sprintf(
			"A permission URL is given together with %s, so the effective flow is authorization_code, as in email-oauth2-proxy: somebody signs in once in a browser.", s.Flow)})
	}
	if s.Flow == ClientCredentials && s.microsoft() && !strings.HasSuffix(s.Scope, appOnlyEnd) {
		notes = append(notes, s.appOnlyNote())
	}
	if s.EffectiveFlow() == Password {
		notes = append(notes, Note{Where: "flow", Was: string(Password), Why: "Insecure: the mailbox's password is sent to the token endpoint and no second factor is possible. Choose another flow as soon as the provider offers one."})
	}
	if strings.HasPrefix(s.RedirectURI, "http://") {
		notes = append(notes, Note{Where: "redirect_uri", Was: s.RedirectURI, Why: "Works only in a browser on this machine: http is accepted for localhost alone."})
	}
	return notes
}

func (s Settings) appOnlyNote() Note {
	cloud := provider.CloudOf(s.TokenURL)
	return Note{Rule: AppOnlyScope, Where: "scope", Was: s.Scope, Why: fmt.Sprintf(
		"Client credentials without a person would need the scope %s%s and no permission URL, the application permissions IMAP.AccessAsApp, POP.AccessAsApp and SMTP.SendAsApp with an administrator's consent, New-ServicePrincipal with the object id of the enterprise application (not of the app registration), and Add-MailboxPermission for each mailbox.",
		cloud.Resource, appOnlyEnd)}
}
