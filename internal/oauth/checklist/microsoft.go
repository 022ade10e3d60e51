package checklist

import (
	"orbit/internal/oauth"
)

func (c *writer) microsoft() []Step {
	switch c.flow {
	case oauth.ClientCredentials:
		return c.microsoftApplication()
	case oauth.DeviceCode:
		return c.microsoftDevice()
	case oauth.Password:
		return []Step{c.newApplication(nil), c.publicClient(), c.delegatedPermissions(), c.mailboxProtocols(), c.prove(), c.test()}
	case oauth.AuthorizationCode, oauth.ServiceAccount:
	}
	return []Step{
		c.newApplication([]Value{{"Redirect URI", "Web: " + c.RedirectURI}}),
		c.delegatedPermissions(), c.clientSecret(), c.mailboxProtocols(), c.authorise(), c.test(),
	}
}

func (c *writer) microsoftDevice() []Step {
	return []Step{c.newApplication(nil), c.publicClient(), c.delegatedPermissions(), c.mailboxProtocols(), c.authorise(), c.test()}
}

// portal is the way into the administration of this cloud.
func (c *writer) portal() string {
	return "Entra admin center (" + c.cloud.Portal + ") > App registrations"
}

func (c *writer) newApplication(more []Value) Step {
	s := Step{
		Title: "Register an application", Where: c.portal() + " > New registration", Link: c.cloud.Portal,
		Text:   "Its Overview then shows both ids; compare them with what is registered here.",
		Values: []Value{{"Name", "Orbit"}, {"Supported account types", "Accounts in this organizational directory only"}},
	}
	s.Values = append(s.Values, more...)
	s.Values = append(s.Values, Value{"Application (client) ID", c.client()}, Value{"Directory (tenant) ID", c.tenant()})
	return s
}

func (c *writer) publicClient() Step {
	return Step{
		Title: "Allow public client flows", Where: c.portal() + " > Orbit > Authentication > Advanced settings",
		Text: "Set Allow public client flows to Yes. Without it the sign-in fails with AADSTS7000218.",
	}
}

func (c *writer) delegatedPermissions() Step {
	return Step{
		Title: "Add the permissions", Where: c.portal() + " > Orbit > API permissions > Add a permission > Microsoft Graph > Delegated permissions",
		Text:   "Choose these, then press Grant admin consent for your organization.",
		Values: []Value{{"Sending", "SMTP.Send"}, {"Reading", "IMAP.AccessAsUser.All, POP.AccessAsUser.All"}, {"Renewing", "offline_access"}},
	}
}

func (c *writer) clientSecret() Step {
	return Step{
		Title: "Make a client secret", Where: c.portal() + " > Orbit > Certificates & secrets > New client secret",
		Text: "Copy the column Value, not the Secret ID, and note the date on which it expires: Orbit warns you 60, 30, 14, 7 and 1 days before. A certificate works as well.",
	}
}

func (c *writer) mailboxProtocols() Step {
	return Step{
		Title: "Switch the protocols on for the mailbox", Where: "Microsoft 365 admin center > Users > Active users > " + c.Mailbox + " > Mail > Manage email apps",
		Text:  "Tick Authenticated SMTP, IMAP and POP, or run this. A change takes up to an hour.",
		Shell: powerShell,
		Code: lines(c.cloud.Connect(),
			"Set-CASMailbox -Identity "+ps(c.Mailbox)+" -SmtpClientAuthenticationDisabled $false -ImapEnabled $true -PopEnabled $true",
			"Get-CASMailbox -Identity "+ps(c.Mailbox)+" | Format-List SmtpClientAuthenticationDisabled, ImapEnabled, PopEnabled"),
	}
}

// microsoftApplication needs nobody to sign in: the application itself is let into mailboxes.
func (c *writer) microsoftApplication() []Step {
	return []Step{
		c.newApplication(nil),
		{
			Title: "Add the application permissions", Where: c.portal() + " > Orbit > API permissions > Add a permission > APIs my organization uses > Office 365 Exchange Online > Application permissions",
			Text:   "Choose what you need, then press Grant admin consent for your organization. Without the consent a token is given, and the mail server refuses it.",
			Values: []Value{{"Sending", "SMTP.SendAsApp"}, {"Reading by IMAP", "IMAP.AccessAsApp"}, {"Reading by POP3", "POP.AccessAsApp"}},
		},
		c.clientSecret(),
		{
			Title: "Make the application known to Exchange Online",
			Text:  "Exchange wants the object id of the enterprise application, not the one that App registrations shows. These commands look the right one up.",
			Shell: powerShell,
			Code: lines("Install-Module Microsoft.Graph.Applications, ExchangeOnlineManagement -Scope CurrentUser",
				"Connect-MgGraph -TenantId "+ps(c.tenant())+" -Scopes 'Application.Read.All'",
				c.findPrincipal(),
				c.cloud.Connect()+" -Organization "+ps(c.tenant()),
				"New-ServicePrincipal -AppId $orbit.AppId -ObjectId $orbit.Id -DisplayName $orbit.DisplayName"),
		},
		{
			Title: "Let it into the mailbox", Text: "Once for each mailbox that Orbit uses. A new permission takes up to an hour.", Shell: powerShell,
			Code: lines("Add-MailboxPermission -Identity "+ps(c.Mailbox)+" -User $orbit.Id -AccessRights FullAccess",
				"Add-RecipientPermission -Identity "+ps(c.Mailbox)+" -Trustee $orbit.Id -AccessRights SendAs -Confirm:$false"),
		},
		c.mailboxProtocols(),
		c.smtpOnly(),
		c.prove(), c.test(),
	}
}

func (c *writer) findPrincipal() string {
	return `$orbit = Get-MgServicePrincipal -Filter "AppId eq '` + c.client() + `'"`
}

// smtpOnly is Exchange's role for applications that only send.
func (c *writer) smtpOnly() Step {
	return Step{
		Title: "Only sending? Use a role instead",
		Text: "An application that only sends can do without the permissions of the second step and without access to the mailbox: " +
			"a role, limited to the mailboxes you name, is enough. Do not combine it with SMTP.SendAsApp of the second step, which would ask for the access again.",
		Shell: powerShell,
		Code: lines("New-ManagementScope -Name 'Orbit mailboxes' -RecipientRestrictionFilter \"PrimarySmtpAddress -eq '"+c.Mailbox+"'\"",
			"New-ManagementRoleAssignment -Name 'Orbit SMTP' -Role 'Application SMTP.SendAsApp' -App $orbit.Id -CustomResourceScope 'Orbit mailboxes'",
			"Test-ServicePrincipalAuthorization -Identity $orbit.Id -Resource "+ps(c.Mailbox)),
	}
}
