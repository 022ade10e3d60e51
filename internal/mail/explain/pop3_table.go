package explain

import (
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

var pop3Entries = []Entry{
	{
		Code: "pop3_microsoft_app", Group: GroupPOP3, Seen: "-ERR Authentication failure: unknown user name or bad password. (with the token of an application)",
		Cause: "Exchange Online does not let the application {client_id} open the mailbox {mailbox} by POP3.",
		Who:   ladder.Microsoft365,
		Remedy: "Check in this order. 1. Entra admin center > App registrations > {client_id} > API permissions: Office 365 Exchange Online, application " +
			"permission POP.AccessAsApp, with admin consent. 2. The application is known to Exchange and may use the mailbox, and POP is on. " +
			exchangeServicePrincipal + "Set-CASMailbox -Identity {ps:mailbox} -PopEnabled $true\n" + objectIDAdvice + "A new permission takes up to an hour.",
		match: pattern{provider: provider.Microsoft365, steps: signInSteps, signIn: appToken},
	},
	{
		Code: "pop3_microsoft_token", Group: GroupPOP3, Seen: "-ERR Authentication failure: unknown user name or bad password. (with the token of a person)",
		Cause: "Exchange Online did not accept the access token for {mailbox}.",
		Who:   ladder.Microsoft365,
		Remedy: "Check in this order. 1. POP is on for the mailbox. " + exchangeSession + "Set-CASMailbox -Identity {ps:mailbox} -PopEnabled $true\n" +
			"2. The registration {client_id} has the delegated permission POP.AccessAsUser.All, and the scope is " +
			"{resource}/POP.AccessAsUser.All offline_access. 3. It was {mailbox} who signed in when the account was authorised. Then authorise again.",
		Authorise: true,
		match:     pattern{provider: provider.Microsoft365, steps: signInSteps, signIn: token},
	},
	{
		Code: "pop3_microsoft_password", Group: GroupPOP3, Seen: "-ERR Logon failure: unknown user name or bad password.",
		Cause:  "Microsoft 365 takes no passwords for POP3 any more.",
		Who:    ladder.You,
		Remedy: "Set Authentication type to OAuth 2.0 and authorise {mailbox}.",
		match:  pattern{provider: provider.Microsoft365, steps: signInSteps},
	},
	{
		Code: "pop3_google_app_password", Group: GroupPOP3, Seen: "-ERR [AUTH] Application-specific password required: https://support.google.com/accounts/answer/185833",
		Cause:  "Google does not take the normal password of {username}, because a second factor protects it.",
		Who:    ladder.MailboxOwner,
		Remedy: applicationPassword,
		match:  pattern{text: []string{"application-specific password"}},
	},
	{
		Code: "pop3_disabled", Group: GroupPOP3, Seen: "-ERR [SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail settings page and enable your account for POP access.",
		Cause:  "POP3 is switched off for the mailbox {mailbox}.",
		Who:    ladder.MailboxOwner,
		Remedy: "Switch it on in the mailbox's settings (Gmail: Settings > Forwarding and POP/IMAP), or use IMAP.",
		match:  pattern{text: []string{"not enabled for pop", "pop access is disabled", "pop3 is disabled", "enable pop", "pop access"}},
	},
	{
		Code: "pop3_google_credentials", Group: GroupPOP3, Seen: "-ERR [AUTH] Username and password not accepted.",
		Cause:  "Google does not accept {username} with this password, or POP is off.",
		Who:    ladder.MailboxOwner,
		Remedy: "Enable POP (Gmail: Settings > Forwarding and POP/IMAP). " + applicationPassword,
		match:  pattern{provider: provider.Google, codes: []string{"AUTH"}, signIn: password},
	},
	{
		Code: "pop3_IN-USE", Group: GroupPOP3, Seen: "-ERR [IN-USE] Do you have another POP session running?",
		Cause:     "Another program holds the mailbox {mailbox} at the moment; POP3 lets in one at a time.",
		Who:       ladder.Nobody,
		Remedy:    "It is tried again by itself. If it stays so, another program fetches from this mailbox: give Orbit a mailbox of its own, or use IMAP.",
		Temporary: true,
		match:     pattern{codes: []string{"IN-USE"}},
	},
	{
		Code: "pop3_locked", Group: GroupPOP3, Seen: "-ERR unable to lock maildrop",
		Cause:     "Another program holds the mailbox {mailbox} at the moment; POP3 lets in one at a time.",
		Who:       ladder.Nobody,
		Remedy:    "It is tried again by itself. If it stays so, another program fetches from this mailbox: give Orbit a mailbox of its own, or use IMAP.",
		Temporary: true,
		match:     pattern{text: []string{"lock maildrop", "maildrop already locked", "mailbox is locked", "unable to lock", "mailbox in use"}},
	},
	{
		Code: "pop3_LOGIN-DELAY", Group: GroupPOP3, Seen: "-ERR [LOGIN-DELAY] minimum time between mail checks violation",
		Cause:     "{host} wants more time between two visits.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself.",
		Temporary: true, Throttled: true,
		match: pattern{codes: []string{"LOGIN-DELAY"}},
	},
	{
		Code: "pop3_SYS/TEMP", Group: GroupPOP3, Seen: "-ERR [SYS/TEMP] server temporarily unavailable",
		Cause:     "{host} has a problem of its own for the moment.",
		Who:       ladder.Nobody,
		Remedy:    "It is tried again by itself.",
		Temporary: true,
		match:     pattern{codes: []string{"SYS/TEMP"}},
	},
	{
		Code: "pop3_SYS/PERM", Group: GroupPOP3, Seen: "-ERR [SYS/PERM] mailbox is corrupt",
		Cause:  "{host} has a problem with {mailbox} that does not heal by itself.",
		Who:    ladder.ServerAdmin,
		Remedy: "Ask the administrator of {host} with the reply and the time.",
		match:  pattern{codes: []string{"SYS/PERM"}},
	},
	{
		Code: "pop3_token_refused", Group: GroupPOP3, Seen: "-ERR [AUTH] Authentication failed (with an access token)",
		Cause:     "{host} did not accept the access token of {username}.",
		Who:       ladder.You,
		Remedy:    "Check that the token was authorised for {username} and that its scope covers POP3. Authorise the account again if the scope was changed.",
		Authorise: true,
		match:     pattern{steps: signInSteps, signIn: token},
	},
	{
		Code: "pop3_AUTH", Group: GroupPOP3, Seen: "-ERR [AUTH] Authentication failed.",
		Cause: "{host} does not accept {username} with this password.",
		Who:   ladder.You,
		Remedy: "Check the username (often the whole address) and enter the password again under Settings > Credentials. Where a second factor protects the " +
			"mailbox, the provider wants an application password or OAuth 2.0.",
		match: pattern{codes: []string{"AUTH"}},
	},
	{
		Code: "pop3_login_refused", Group: GroupPOP3, Seen: "-ERR invalid user name or password",
		Cause:  "{host} does not accept {username} with this password.",
		Who:    ladder.You,
		Remedy: "Check the username (often the whole address) and enter the password again under Settings > Credentials. POP3 may also be off for the mailbox.",
		match:  pattern{steps: signInSteps},
	},
	{
		Code: "pop3_refused", Group: GroupPOP3, Seen: "-ERR (any other refusal)",
		Cause:  "{host} refused the request.",
		Who:    ladder.ServerAdmin,
		Remedy: "Ask the administrator of {host} with the reply and the time.",
	},
}
