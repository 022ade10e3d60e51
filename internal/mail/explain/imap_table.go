package explain

import (
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

// signInSteps are the steps at which a mailbox server speaks about credentials.
var signInSteps = []ladder.Name{ladder.Auth, ladder.Token}

var imapEntries = []Entry{
	{
		Code: "imap_microsoft_app", Group: GroupIMAP, Seen: "NO AUTHENTICATE failed. (with the token of an application)",
		Cause: "Exchange Online does not let the application {client_id} open the mailbox {mailbox} by IMAP.",
		Who:   ladder.Microsoft365,
		Remedy: "Check in this order. 1. Entra admin center > App registrations > {client_id} > API permissions: Office 365 Exchange Online, application " +
			"permission IMAP.AccessAsApp, with admin consent. 2. The application is known to Exchange and may use the mailbox, and IMAP is on. " +
			exchangeServicePrincipal + "Set-CASMailbox -Identity {ps:mailbox} -ImapEnabled $true\n" + objectIDAdvice + "A new permission takes up to an hour.",
		match: pattern{provider: provider.Microsoft365, steps: signInSteps, text: []string{"authenticate failed", "login failed"}, signIn: appToken},
	},
	{
		Code: "imap_microsoft_token", Group: GroupIMAP, Seen: "NO AUTHENTICATE failed. (with the token of a person)",
		Cause: "Exchange Online did not accept the access token for {mailbox}.",
		Who:   ladder.Microsoft365,
		Remedy: "Check in this order. 1. IMAP is on for the mailbox. " + exchangeSession + "Set-CASMailbox -Identity {ps:mailbox} -ImapEnabled $true\n" +
			"2. The registration {client_id} has the delegated permission IMAP.AccessAsUser.All, and the scope is " +
			"{resource}/IMAP.AccessAsUser.All offline_access. 3. It was {mailbox} who signed in when the account was authorised; for a shared " +
			"mailbox that person has Full Access. Then authorise again.",
		Authorise: true,
		match:     pattern{provider: provider.Microsoft365, steps: signInSteps, text: []string{"authenticate failed", "login failed"}, signIn: token},
	},
	{
		Code: "imap_microsoft_password", Group: GroupIMAP, Seen: "NO LOGIN failed.",
		Cause:  "Microsoft 365 takes no passwords for IMAP any more.",
		Who:    ladder.You,
		Remedy: "Set Authentication type to OAuth 2.0 and authorise {mailbox}.",
		match:  pattern{provider: provider.Microsoft365, steps: signInSteps, text: []string{"login failed", "authenticate failed"}, signIn: password},
	},
	{
		Code: "imap_not_connected_app", Group: GroupIMAP, Seen: "BAD User is authenticated but not connected. (with the token of an application)",
		Cause: "The token was accepted, but Exchange Online does not let the application {client_id} into the mailbox {mailbox}, or {mailbox} has no licence or no mailbox.",
		Who:   ladder.Microsoft365,
		Remedy: "Nobody signs in with this flow, so the application itself needs access to the mailbox. " + exchangeServicePrincipal +
			"Get-Mailbox -Identity {ps:mailbox} | Format-List RecipientTypeDetails, PrimarySmtpAddress\n" + objectIDAdvice + "A new permission takes up to an hour.",
		match: pattern{text: []string{"authenticated but not connected"}, signIn: appToken},
	},
	{
		Code: "imap_not_connected", Group: GroupIMAP, Seen: "BAD User is authenticated but not connected.",
		Cause: "The token was accepted, but it does not open the mailbox {mailbox}: it was made for another user, or {mailbox} has no licence or no mailbox.",
		Who:   ladder.Microsoft365,
		Remedy: "Authorise again and sign in as {mailbox} itself. For a shared mailbox the person who signs in needs Full Access. " + exchangeSession +
			"Get-Mailbox -Identity {ps:mailbox} | Format-List RecipientTypeDetails, PrimarySmtpAddress\n" +
			"Add-MailboxPermission -Identity {ps:mailbox} -User {ps:who_signs_in} -AccessRights FullAccess",
		Authorise: true,
		match:     pattern{text: []string{"authenticated but not connected"}},
	},
	{
		Code: "imap_google_app_password", Group: GroupIMAP, Seen: "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
		Cause:  "Google does not take the normal password of {username}, because a second factor protects it.",
		Who:    ladder.MailboxOwner,
		Remedy: applicationPassword,
		match:  pattern{text: []string{"application-specific password"}},
	},
	{
		Code: "imap_google_web_login", Group: GroupIMAP, Seen: "NO [WEBALERT https://accounts.google.com/signin/continue] Web login required. (Failure)",
		Cause:  "Google suspects that somebody else signs in as {username}.",
		Who:    ladder.MailboxOwner,
		Remedy: "Sign in as {username} in a browser, confirm that it was you, then try again. " + applicationPassword,
		match:  pattern{provider: provider.Google, text: []string{"web login required", "log in via your web browser"}},
	},
	{
		Code: "imap_disabled", Group: GroupIMAP, Seen: "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)",
		Cause:  "IMAP is switched off for the mailbox {mailbox}.",
		Who:    ladder.MailboxOwner,
		Remedy: "Switch it on in the mailbox's settings (Gmail: Settings > Forwarding and POP/IMAP; Google Workspace: Admin console > Gmail > End User Access; Yahoo and Zoho: mail settings).",
		match:  pattern{text: []string{"not enabled for imap", "imap access is disabled", "imap is disabled", "imap access disabled", "domain policy", "enable imap", "yet to enable imap"}},
	},
	{
		Code: "imap_google_token", Group: GroupIMAP, Seen: "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure) (with an access token)",
		Cause:     "Google did not accept the access token for {username}.",
		Who:       ladder.You,
		Remedy:    "The token must be for {username} and have the scope https://mail.google.com/. Authorise again with this mailbox. A service account needs domain-wide delegation for this scope.",
		Authorise: true,
		match:     pattern{provider: provider.Google, codes: []string{"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED"}, signIn: token},
	},
	{
		Code: "imap_google_credentials", Group: GroupIMAP, Seen: "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
		Cause:  "Google does not accept {username} with this password, or IMAP is off.",
		Who:    ladder.MailboxOwner,
		Remedy: "Enable IMAP (Gmail: Settings > Forwarding and POP/IMAP). " + applicationPassword,
		match:  pattern{provider: provider.Google, codes: []string{"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED"}},
	},
	{
		Code: "imap_too_many_connections", Group: GroupIMAP, Seen: "NO [LIMIT] Too many simultaneous connections. (Failure)",
		Cause:     "Too many programs have the mailbox {mailbox} open (Google: 15, Yahoo: 5, Exchange Online: 20).",
		Who:       ladder.Nobody,
		Remedy:    "It is tried again by itself. Close other programs on this mailbox, or give Orbit a mailbox of its own.",
		Temporary: true, Throttled: true,
		match: pattern{text: []string{"too many simultaneous", "too many connections", "maximum number of connections", "too many concurrent", "connection limit"}},
	},
	{
		Code: "imap_throttled", Group: GroupIMAP, Seen: "NO [THROTTLED] Account exceeded command or bandwidth limits. (Failure)",
		Cause:     "{host} limits how much is read from {mailbox}.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself.",
		Temporary: true, Throttled: true,
		match: pattern{text: []string{"throttl", "bandwidth limit", "request is throttled", "exceeded command"}},
	},
	imapCode("UNAVAILABLE", "Temporary problem, a service behind the server is down", "{host} has lost a service behind it for the moment.",
		ladder.Nobody, "It is tried again by itself.").temporary(),
	imapCode("INUSE", "Mailbox in use", "Another program holds the mailbox {mailbox} at the moment.",
		ladder.Nobody, "It is tried again by itself.").temporary(),
	imapCode("LIMIT", "At most 32 flags in one mailbox supported", "A limit of {host} is reached.",
		ladder.Nobody, "It is tried again by itself. The reply names the limit.").throttled(),
	imapCode("OVERQUOTA", "Sorry, your quota has been exceeded", "The mailbox {mailbox} is full.",
		ladder.MailboxOwner, "The owner of {mailbox} must make room. It is tried again by itself.").temporary(),
	imapCode("SERVERBUG", "This should not happen", "{host} has a fault, by its own words.",
		ladder.ServerAdmin, "Ask the administrator of {host} with the reply and the time. It is tried again by itself.").temporary(),
	imapCode("CONTACTADMIN", "Please contact your administrator", "{host} wants its administrator to look at {mailbox}.",
		ladder.ServerAdmin, "Ask the administrator of {host} with the reply and the time."),
	imapCode("EXPIRED", "That password isn't valid any more", "The password of {username} has expired.",
		ladder.MailboxOwner, "Set a new password at the provider, then enter it under Settings > Credentials."),
	imapCode("PRIVACYREQUIRED", "Connection offers no privacy", "{host} wants encryption before anybody signs in.",
		ladder.You, "Switch Use secure connection on: STARTTLS on port 143, or TLS from the start on port 993."),
	imapCode("AUTHORIZATIONFAILED", "No such authorization-ID", "{username} is known, but may not open this mailbox.",
		ladder.ServerAdmin, "Have access to the mailbox granted to {username}."),
	imapCode("NONEXISTENT", "No such mailbox", "The folder does not exist on {host}.",
		ladder.You, "Choose an existing folder at the account; INBOX always exists."),
	imapCode("NOPERM", "Access denied", "{username} may not do this with the folder.",
		ladder.ServerAdmin, "Have the right (ACL) granted to {username}: to read, and to mark and delete if mail is not kept on the server."),
	imapCode("CORRUPTION", "Mailbox data corrupted", "The mailbox {mailbox} is damaged on the server.",
		ladder.ServerAdmin, "Have it repaired at {host} (Dovecot: doveadm force-resync)."),
	imapCode("CANNOT", "Invalid mailbox name", "{host} cannot do this with the folder.",
		ladder.You, "Choose another folder at the account."),
	imapCode("CLIENTBUG", "Unexpected command", "{host} did not expect the command.",
		ladder.You, "Show the transcript of this visit to those who maintain Orbit."),
	{
		Code: "imap_token_refused", Group: GroupIMAP, Seen: "NO [AUTHENTICATIONFAILED] Authentication failed. (with an access token)",
		Cause:     "{host} did not accept the access token of {username}.",
		Who:       ladder.You,
		Remedy:    "Check that the token was authorised for {username} and that its scope covers IMAP. Authorise the account again if the scope was changed.",
		Authorise: true,
		match:     pattern{steps: signInSteps, signIn: token},
	},
	{
		Code: "imap_authentication_failed", Group: GroupIMAP, Seen: "NO [AUTHENTICATIONFAILED] Authentication failed.",
		Cause: "{host} does not accept {username} with this password.",
		Who:   ladder.You,
		Remedy: "Check the username (often the whole address) and enter the password again under Settings > Credentials. Where a second factor protects the " +
			"mailbox, the provider wants an application password or OAuth 2.0. IMAP may also be off for the mailbox.",
		match: pattern{steps: signInSteps},
	},
	{
		Code: "imap_alert", Group: GroupIMAP, Seen: "NO [ALERT] System shutdown in 10 minutes",
		Cause:  "{host} has a message for people; it stands below.",
		Who:    ladder.You,
		Remedy: "Read the message of the server and do what it says.",
		match:  pattern{codes: []string{"ALERT"}},
	},
	{
		Code: "imap_folder_refused", Group: GroupIMAP, Seen: "NO Mailbox doesn't exist: Archive",
		Cause:  "{host} does not open the folder.",
		Who:    ladder.You,
		Remedy: "Choose an existing folder at the account; INBOX always exists.",
		match:  pattern{steps: []ladder.Name{ladder.Select}},
	},
	{
		Code: "imap_bye", Group: GroupIMAP, Seen: "BYE Server shutting down",
		Cause:     "{host} ended the conversation.",
		Who:       ladder.Nobody,
		Remedy:    "It is tried again by itself.",
		Temporary: true,
		match:     pattern{text: []string{"shutting down", "autologout", "bye", "internal error", "temporar"}},
	},
	{
		Code: "imap_refused", Group: GroupIMAP, Seen: "NO (any other refusal)",
		Cause:  "{host} refused the request.",
		Who:    ladder.ServerAdmin,
		Remedy: "Ask the administrator of {host} with the reply and the time.",
	},
}

// imapCode makes the entry for one response code of RFC 5530.
func imapCode(code, words, cause string, who ladder.Who, remedy string) Entry {
	return Entry{
		Code: "imap_" + code, Group: GroupIMAP, Seen: "NO [" + code + "] " + words,
		Cause: cause, Who: who, Remedy: remedy, match: pattern{codes: []string{code}},
	}
}

func (e Entry) temporary() Entry {
	e.Temporary = true
	return e
}
