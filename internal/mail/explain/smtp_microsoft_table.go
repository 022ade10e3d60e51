package explain

import (
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

// What the remedies for Exchange Online have in common. New-ServicePrincipal wants the object id of the
// enterprise application; the one of the app registration is accepted too, and then nothing works.
const (
	exchangeSession = "In Exchange Online PowerShell:\n{connect}\n"

	exchangeServicePrincipal = exchangeSession +
		"New-ServicePrincipal -AppId {ps:client_id} -ObjectId '<object id of the enterprise application>' -DisplayName 'Orbit'\n" +
		"Add-MailboxPermission -Identity {ps:mailbox} -User '<object id of the enterprise application>' -AccessRights FullAccess\n"

	objectIDAdvice = "The object id is on the Overview page under Enterprise applications; the one under App registrations is another " +
		"and does not work. Compare what is registered:\nGet-ServicePrincipal | Format-List DisplayName, AppId, ObjectId\n"

	smtpAuthOn = "Set-CASMailbox -Identity {ps:mailbox} -SmtpClientAuthenticationDisabled $false\n"

	passwordsEnd = "Better set Authentication type to OAuth 2.0: Microsoft retires passwords for SMTP."
)

var microsoftSMTP = []Entry{
	{
		Code: "smtp_535_5.7.139_tenant", Group: GroupSMTP,
		Seen:  "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.",
		Cause: "Authenticated SMTP is switched off for the whole Microsoft 365 tenant of {mailbox}.",
		Who:   ladder.Microsoft365,
		Remedy: "Switch it on for this mailbox alone (Microsoft 365 admin center > Users > Active users > {mailbox} > Mail > Manage email apps > " +
			"Authenticated SMTP), which overrides the tenant's setting. " + exchangeSession + smtpAuthOn +
			"Get-CASMailbox -Identity {ps:mailbox} | Format-List SmtpClientAuthenticationDisabled\nIt takes up to an hour.",
		match: pattern{provider: provider.Microsoft365, text: []string{"smtpclientauthentication is disabled for the tenant"}},
	},
	{
		Code: "smtp_535_5.7.139_mailbox", Group: GroupSMTP,
		Seen:  "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.",
		Cause: "Authenticated SMTP is switched off for the mailbox {mailbox}.",
		Who:   ladder.Microsoft365,
		Remedy: "Microsoft 365 admin center > Users > Active users > {mailbox} > Mail > Manage email apps > Authenticated SMTP. Or " +
			exchangeSession + smtpAuthOn + "It takes up to an hour.",
		match: pattern{provider: provider.Microsoft365, text: []string{"smtpclientauthentication is disabled"}},
	},
	{
		Code: "smtp_535_5.7.139_security_defaults", Group: GroupSMTP,
		Seen:  "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.",
		Cause: "The security defaults of the Microsoft 365 tenant forbid {mailbox} to sign in with a password.",
		Who:   ladder.Microsoft365,
		Remedy: "Set Authentication type to OAuth 2.0, which security defaults allow. Or replace security defaults by conditional access policies " +
			"(Entra admin center > Overview > Properties > Manage security defaults).",
		match: pattern{provider: provider.Microsoft365, text: []string{"security defaults"}},
	},
	{
		Code: "smtp_535_5.7.139_basic_disabled", Group: GroupSMTP,
		Seen:  "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
		Cause: "The tenant forbids passwords for SMTP; {mailbox} cannot sign in with one.",
		Who:   ladder.Microsoft365,
		Remedy: "Set Authentication type to OAuth 2.0. An application password does not help. Until then an administrator can allow passwords by an " +
			"authentication policy. " + exchangeSession + "New-AuthenticationPolicy -Name 'Allow SMTP password' -AllowBasicAuthSmtp\n" +
			"Set-User -Identity {ps:mailbox} -AuthenticationPolicy 'Allow SMTP password'",
		match: pattern{provider: provider.Microsoft365, text: []string{"basic authentication is disabled"}},
	},
	{
		Code: "smtp_535_5.7.139_conditional_access", Group: GroupSMTP,
		Seen: "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.",
		Cause: "A conditional access policy, a second factor or a policy against old clients stops {mailbox} from signing in with a password; " +
			"a wrong password is answered the same way.",
		Who: ladder.Microsoft365,
		Remedy: "Set Authentication type to OAuth 2.0. The reason stands in Entra admin center > Sign-in logs (user {mailbox}, client app " +
			"\"Authenticated SMTP\").",
		match: pattern{provider: provider.Microsoft365, text: []string{"did not meet the criteria"}},
	},
	{
		Code: "smtp_535_5.7.139_credentials", Group: GroupSMTP,
		Seen:  "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
		Cause: "User name or password of {username} is wrong.",
		Who:   ladder.You,
		Remedy: "Check that {username} signs in at https://outlook.office.com with this password, then enter it again under Settings > Credentials. " +
			passwordsEnd,
		match: pattern{provider: provider.Microsoft365, enhanced: []string{"5.7.139"}, text: []string{"credentials were incorrect"}},
	},
	{
		Code: "smtp_535_5.7.139", Group: GroupSMTP, Seen: "535 5.7.139 Authentication unsuccessful",
		Cause: "Microsoft 365 forbids {mailbox} to sign in by SMTP: authenticated SMTP is off for the mailbox or the tenant, security defaults are " +
			"on, or passwords are disabled.",
		Who: ladder.Microsoft365,
		Remedy: "Enable authenticated SMTP for this mailbox and use OAuth 2.0. " + exchangeSession + smtpAuthOn +
			"The reason stands in Entra admin center > Sign-in logs (user {mailbox}).",
		match: pattern{provider: provider.Microsoft365, enhanced: []string{"5.7.139"}},
	},
	{
		Code: "smtp_550_5.7.30", Group: GroupSMTP, Seen: "550 5.7.30 Basic authentication is not supported for Client Submission.",
		Cause: "Microsoft 365 has retired passwords for SMTP.",
		Who:   ladder.You,
		Remedy: "Set Authentication type to OAuth 2.0 and authorise {mailbox}. Mail that stays inside the organisation can also go through " +
			"High Volume Email or a connector for relay.",
		match: pattern{
			provider: provider.Microsoft365, enhanced: []string{"5.7.30"},
			text: []string{"basic authentication", "client submission"},
		},
	},
	{
		Code: "smtp_535_5.7.3_app", Group: GroupSMTP, Seen: "535 5.7.3 Authentication unsuccessful (with the token of an application)",
		Cause: "Exchange Online does not let the application {client_id} send from the mailbox {mailbox}.",
		Who:   ladder.Microsoft365,
		Remedy: "Check in this order. 1. Entra admin center > App registrations > {client_id} > API permissions: Office 365 Exchange Online, " +
			"application permission SMTP.SendAsApp, with admin consent. 2. The application is known to Exchange and may use the mailbox. " +
			exchangeServicePrincipal + smtpAuthOn + objectIDAdvice +
			"3. The username of the account is {mailbox}, a licensed mailbox or a shared one. A new permission takes up to an hour; " +
			"then a fresh token is needed, which Orbit fetches.",
		match: pattern{provider: provider.Microsoft365, steps: []ladder.Name{ladder.Auth}, codes: []string{"535"}, signIn: appToken},
	},
	{
		Code: "smtp_535_5.7.3_token", Group: GroupSMTP, Seen: "535 5.7.3 Authentication unsuccessful (with the token of a person)",
		Cause: "Exchange Online did not accept the access token for {mailbox}.",
		Who:   ladder.Microsoft365,
		Remedy: "Check in this order. 1. Authenticated SMTP is on for the mailbox. " + exchangeSession + smtpAuthOn +
			"2. The registration {client_id} has the delegated permission SMTP.Send of Office 365 Exchange Online, and the scope is " +
			"{resource}/SMTP.Send offline_access. 3. It was {mailbox} who signed in when the account was authorised; for a shared " +
			"mailbox that person has Full Access and Send As. Then authorise again.",
		Authorise: true,
		match:     pattern{provider: provider.Microsoft365, steps: []ladder.Name{ladder.Auth}, codes: []string{"535"}, signIn: token},
	},
	{
		Code: "smtp_535_5.7.3", Group: GroupSMTP, Seen: "535 5.7.3 Authentication unsuccessful",
		Cause: "Exchange Online did not accept {username} with this password.",
		Who:   ladder.You,
		Remedy: "Check user and password at https://outlook.office.com. With a second factor a password alone does not sign in. If both are right, " +
			"authenticated SMTP is off for the mailbox. " + exchangeSession + smtpAuthOn + passwordsEnd,
		match: pattern{provider: provider.Microsoft365, steps: []ladder.Name{ladder.Auth}, codes: []string{"535"}},
	},
	{
		Code: "smtp_530_5.7.57", Group: GroupSMTP, Seen: "530 5.7.57 Client not authenticated to send mail.",
		Cause:  "Exchange Online wants a sign-in before it takes mail on port {port}.",
		Who:    ladder.You,
		Remedy: "Switch Use authentication on and choose OAuth 2.0.",
		match:  pattern{provider: provider.Microsoft365, enhanced: []string{"5.7.57"}},
	},
	{
		Code: "smtp_550_5.7.60", Group: GroupSMTP, Seen: "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
		Cause: "{username} may not send as {sender}.",
		Who:   ladder.Microsoft365,
		Remedy: "Use {username} as sender e-mail, or grant Send As. " + exchangeSession +
			"Add-RecipientPermission -Identity {ps:sender} -Trustee {ps:username} -AccessRights SendAs -Confirm:$false\n" +
			"For the token of an application the trustee is the object id of the enterprise application. It takes up to an hour.",
		match: pattern{provider: provider.Microsoft365, enhanced: []string{"5.7.60", "5.2.252"}},
	},
	{
		Code: "smtp_554_5.2.252", Group: GroupSMTP,
		Seen: "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent " +
			"exception with message Cannot submit message.",
		Cause: "{username} may not send as {sender} (the From or the envelope sender is another mailbox).",
		Who:   ladder.Microsoft365,
		Remedy: "Use {username} as sender e-mail and leave Return e-mail empty, or grant Send As. " + exchangeSession +
			"Add-RecipientPermission -Identity {ps:sender} -Trustee {ps:username} -AccessRights SendAs -Confirm:$false\nIt takes up to an hour.",
		match: pattern{text: []string{"sendasdenied", "permissions to send as this sender"}},
	},
	{
		Code: "smtp_432_4.3.2", Group: GroupSMTP, Seen: "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
		Cause:  "More than three connections use the mailbox {mailbox} at the same time, which Microsoft 365 forbids.",
		Who:    ladder.Nobody,
		Remedy: "Orbit slows down by itself. If another program sends from this mailbox too, give Orbit a mailbox of its own.",
		match:  pattern{text: []string{"sender thread limit", "storedrv.clientsubmit", "concurrent connections limit"}}, Temporary: true, Throttled: true,
	},
	{
		Code: "smtp_554_submission_quota", Group: GroupSMTP,
		Seen:  "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception",
		Cause: "{mailbox} has reached its sending limit (30 messages a minute, 10,000 recipients a day).",
		Who:   ladder.Nobody,
		Remedy: "Sending goes on by itself when the limit allows. Spread the mail over several accounts, or use High Volume Email or another " +
			"service for bulk mail.",
		match:     pattern{text: []string{"submissionquotaexceeded", "submission quota exceeded"}},
		Temporary: true, Throttled: true,
	},
	{
		Code: "smtp_550_5.1.90", Group: GroupSMTP, Seen: "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
		Cause:     "{mailbox} has reached its limit of 10,000 recipients a day.",
		Who:       ladder.Nobody,
		Remedy:    "Sending goes on by itself within 24 hours. Spread the mail over several accounts, or use High Volume Email for mail inside the organisation.",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Microsoft365, enhanced: []string{"5.1.90", "5.2.2"}, text: []string{"limit"}},
	},
	{
		Code: "smtp_550_5.7.232", Group: GroupSMTP, Seen: "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to external recipients",
		Cause:     "The whole Microsoft 365 tenant has reached its daily limit of external recipients.",
		Who:       ladder.Microsoft365,
		Remedy:    "Exchange admin center > Reports > Mail flow > Tenant Outbound External Recipients shows limit and use. It grows with the number of licences.",
		Temporary: true, Throttled: true,
		match: pattern{enhanced: []string{"5.7.232", "5.7.233"}},
	},
	{
		Code: "smtp_550_5.1.8", Group: GroupSMTP, Seen: "550 5.1.8 Access denied, bad outbound sender",
		Cause: "Microsoft 365 has blocked {mailbox} from sending, because it sent what looked like spam or too much.",
		Who:   ladder.Microsoft365,
		Remedy: "Make sure that nobody else uses the mailbox (change its password, check its rules), then release it: " +
			"https://security.microsoft.com/restrictedentities\n{connect}\nGet-BlockedSenderAddress\nRemove-BlockedSenderAddress -SenderAddress {ps:mailbox}",
		match: pattern{provider: provider.Microsoft365, enhanced: []string{"5.1.8", "5.7.501", "5.7.502", "5.7.503"}},
	},
	{
		Code: "smtp_550_5.7.705", Group: GroupSMTP, Seen: "550 5.7.705 Access denied, tenant has exceeded threshold",
		Cause: "Microsoft 365 has blocked the whole tenant from sending to the outside.",
		Who:   ladder.Microsoft365,
		Remedy: "Look for compromised mailboxes and connectors that send spam, then ask Microsoft support to lift the block. A tenant in trial and " +
			"domains that are not verified in it (5.7.750) are blocked early.",
		match: pattern{enhanced: []string{"5.7.705", "5.7.708", "5.7.750"}},
	},
	{
		Code: "smtp_421_4.7.66", Group: GroupSMTP, Seen: "421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2.",
		Cause:     "Something between Orbit and Microsoft 365 speaks an outdated version of TLS; Orbit itself uses TLS 1.2 or 1.3.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Have {host} excepted from the firewall or proxy that opens TLS on the way.",
		Temporary: true,
		match:     pattern{provider: provider.Microsoft365, enhanced: []string{"4.7.66"}},
	},
	{
		Code: "smtp_451_4.7.500", Group: GroupSMTP, Seen: "451 4.7.500 Server busy. Please try again later from [192.0.2.1]",
		Cause:     "Microsoft 365 slows this sender down.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself and tries again. If it stays so for hours, the sending address has a bad reputation: ask Microsoft support.",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Microsoft365, enhanced: []string{"4.7.*", "4.3.2", "4.5.3", "4.2.*"}, codes: []string{"4*"}},
	},
	{
		Code: "smtp_550_5.7.511", Group: GroupSMTP, Seen: "550 5.7.606 Access denied, banned sending IP [192.0.2.1]",
		Cause:  "Microsoft 365 does not take mail from the address of this machine.",
		Who:    ladder.NetworkTeam,
		Remedy: "Send through an account with sign-in on port 587. To deliver directly, ask for removal at https://sender.office.com (5.7.511: by mail to delist@microsoft.com).",
		match:  pattern{enhanced: []string{"5.7.511", "5.7.60*", "5.7.61*", "5.7.62*", "5.7.63*", "5.7.64*"}, text: []string{"banned"}},
	},
	{
		Code: "smtp_550_5.7.515", Group: GroupSMTP, Seen: "550 5.7.515 Access denied, sending domain example.com doesn't meet the required authentication level.",
		Cause:  "Outlook.com takes no mail from {sender_domain}, because SPF, DKIM and DMARC do not all pass.",
		Who:    ladder.You,
		Remedy: dnsAdvice,
		match:  pattern{enhanced: []string{"5.7.515", "5.7.509"}},
	},
	{
		Code: "smtp_550_5.7.64", Group: GroupSMTP, Seen: "550 5.7.64 TenantAttribution; Relay Access Denied",
		Cause: "Exchange Online does not know this machine as a relay of the organisation.",
		Who:   ladder.Microsoft365,
		Remedy: "Sign in instead (smtp.office365.com, port 587, OAuth 2.0). For relaying without sign-in make an inbound connector with this machine's " +
			"public address: Exchange admin center > Mail flow > Connectors.",
		match: pattern{provider: provider.Microsoft365, enhanced: []string{"5.7.64", "5.7.54", "5.7.367"}},
	},
	{
		Code: "smtp_550_5.7.133", Group: GroupSMTP, Seen: "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
		Cause: "The recipient {recipient} takes mail from certain senders only.",
		Who:   ladder.Microsoft365,
		Remedy: "Allow {sender} to write to it. " + exchangeSession +
			"Set-DistributionGroup -Identity {ps:recipient} -AcceptMessagesOnlyFromSendersOrMembers @{Add={ps:sender}}\n" +
			"From outside the organisation:\nSet-DistributionGroup -Identity {ps:recipient} -RequireSenderAuthenticationEnabled $false",
		match: pattern{enhanced: []string{"5.7.124", "5.7.133", "5.7.134", "5.7.136"}},
	},
	{
		Code: "smtp_550_5.4.1", Group: GroupSMTP, Seen: "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
		Cause:  "Microsoft 365 knows no recipient {recipient}.",
		Who:    ladder.You,
		Remedy: "Correct the address. If it is right, it is new (directory-based blocking needs up to a day), or a mail-enabled public folder.",
		match:  pattern{provider: provider.Microsoft365, enhanced: []string{"5.4.1", "5.1.10"}},
	},
}

// dnsAdvice is what a sender's domain must publish.
const dnsAdvice = "Publish for {sender_domain} in the DNS: an SPF record that names the servers of {host}, the DKIM key that {host} signs with, and " +
	"a DMARC record. See what is there:\ndig +short TXT {sh:sender_domain}\ndig +short TXT {sh:dmarc_name}\n" +
	"A first DMARC record:\n{sh:dmarc_name}. TXT \"v=DMARC1; p=none\""
