package checklist

import "orbit/internal/oauth"

const (
	googleConsole = "https://console.cloud.google.com"
	googleAdmin   = "https://admin.google.com"
	gmailScope    = "https://mail.google.com/"
)

func (c *writer) google() []Step {
	if c.flow == oauth.ServiceAccount {
		return c.googleServiceAccount()
	}
	return []Step{
		{
			Title: "Make a project", Where: "Google Cloud console > project picker > New project", Link: googleConsole,
			Text: "One project for Orbit. Then open APIs & Services > Library, search for Gmail API and press Enable.",
		},
		{
			Title: "Set up the consent screen", Where: "Google Cloud console > Google Auth Platform",
			Text:   "Audience: Internal, where you have Google Workspace. With External, publish the app: while it is in Testing, Google ends every permission after seven days.",
			Values: []Value{{"App name", "Orbit"}, {"Scope", gmailScope}},
		},
		{
			Title: "Make a client", Where: "Google Cloud console > Google Auth Platform > Clients > Create client",
			Text:   "Copy client id and client secret at once; the secret is shown only here.",
			Values: []Value{{"Application type", "Web application"}, {"Authorized redirect URI", c.RedirectURI}, {"Client ID", c.client()}},
		},
		c.gmailAccess(), c.authorise(), c.test(),
	}
}

func (c *writer) gmailAccess() Step {
	return Step{
		Title: "Allow IMAP and POP for the mailbox", Where: "Google Admin console > Apps > Google Workspace > Gmail > End user access", Link: googleAdmin,
		Text: "Switch on POP and IMAP access for the organizational unit of " + c.Mailbox + ". For Gmail without Workspace it is in Gmail > Settings > Forwarding and POP/IMAP.",
	}
}

// googleServiceAccount needs nobody to sign in: the administrator lets the account act for everybody.
func (c *writer) googleServiceAccount() []Step {
	return []Step{
		{
			Title: "Make a service account", Where: "Google Cloud console > IAM & Admin > Service accounts > Create service account", Link: googleConsole,
			Text: "It needs no role in the project. Enable the Gmail API in APIs & Services > Library.",
		},
		{
			Title: "Make a key", Where: "Google Cloud console > IAM & Admin > Service accounts > Orbit > Keys > Add key > JSON",
			Text: "Enter the whole file at this registration, then delete it from your disk. If the organisation forbids keys, allow them for this project (iam.disableServiceAccountKeyCreation).",
		},
		{
			Title: "Let it act for the mailboxes", Where: "Google Admin console > Security > Access and data control > API controls > Manage Domain Wide Delegation > Add new", Link: googleAdmin,
			Text:   "The client ID is the service account's Unique ID, a long number, not its e-mail address. It takes up to 24 hours, mostly minutes.",
			Values: []Value{{"Client ID", "the number named client_id in the key file"}, {"OAuth scopes", gmailScope}},
		},
		c.gmailAccess(), c.prove(), c.test(),
	}
}
