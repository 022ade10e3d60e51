package explain

import (
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

// senderSMTP holds what the services for sending, and the smaller mailbox providers, say.
var senderSMTP = []Entry{
	{
		Code: "smtp_ses_credentials", Group: GroupSMTP, Seen: "535 Authentication Credentials Invalid",
		Cause: "Amazon SES does not accept these SMTP credentials.",
		Who:   ladder.You,
		Remedy: "Use SMTP credentials, made under Amazon SES > SMTP settings > Create SMTP credentials; an IAM access key and its secret do not work " +
			"here. They hold for one region: that of {host}.",
		match: pattern{provider: provider.SES, codes: []string{"535"}},
	},
	{
		Code: "smtp_ses_not_verified", Group: GroupSMTP, Seen: "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: sender@example.com",
		Cause: "Amazon SES has not verified {sender} (or, in the sandbox, {recipient}) in this region.",
		Who:   ladder.You,
		Remedy: "Verify the domain {sender_domain} under Amazon SES > Identities in the region of {host}. A new account is in the sandbox and " +
			"reaches verified recipients only: request production access. Return e-mail must be verified too.",
		match: pattern{text: []string{"email address is not verified", "identities failed the check"}},
	},
	{
		Code: "smtp_ses_permission", Group: GroupSMTP, Seen: "554 Access denied: User `arn:aws:iam::123456789012:user/ses` is not authorized to perform `ses:SendRawEmail` on resource",
		Cause:  "The IAM user behind these SMTP credentials may not send with Amazon SES as {sender}.",
		Who:    ladder.You,
		Remedy: "Attach a policy that allows ses:SendRawEmail for the identity {sender_domain} to the IAM user named in the reply.",
		match:  pattern{text: []string{"ses:sendrawemail", "is not authorized to perform"}},
	},
	{
		Code: "smtp_ses_paused", Group: GroupSMTP, Seen: "554 Sending paused for this account. For more information, please check the inbox of the email address associated with your AWS account.",
		Cause:  "Amazon has paused sending for this account.",
		Who:    ladder.You,
		Remedy: "Read the mail from Amazon and Amazon SES > Account dashboard > Reputation metrics; the way back is a support case.",
		match:  pattern{provider: provider.SES, text: []string{"sending paused", "account is paused", "not subscribed", "shut down"}},
	},
	{
		Code: "smtp_ses_throttled", Group: GroupSMTP, Seen: "454 Throttling failure: Maximum sending rate exceeded.",
		Cause:     "Amazon SES limits this account: too many messages a second, or the daily quota is used up.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself. Request a higher quota under Amazon SES > Account dashboard if it happens daily.",
		Temporary: true, Throttled: true,
		match: pattern{text: []string{"throttling failure", "daily message quota exceeded", "maximum sending rate"}},
	},
	{
		Code: "smtp_ses_connections", Group: GroupSMTP, Seen: "421 Too many concurrent SMTP connections",
		Cause:     "{host} has too many connections from this account.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself. Set a lower limit of connections at the account if it happens often.",
		Temporary: true, Throttled: true,
		match: pattern{text: []string{"too many concurrent", "too many connections", "maximum number of concurrent", "concurrent connection"}},
	},
	{
		Code: "smtp_sendgrid_sender", Group: GroupSMTP, Seen: "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",
		Cause:  "SendGrid has not verified {sender}.",
		Who:    ladder.You,
		Remedy: "SendGrid > Settings > Sender Authentication: authenticate the domain {sender_domain}, or verify {sender} as single sender.",
		match:  pattern{text: []string{"verified sender identity", "not authorized to send from that email"}},
	},
	{
		Code: "smtp_sendgrid_credits", Group: GroupSMTP, Seen: "451 Authentication failed: Maximum credits exceeded",
		Cause:     "The SendGrid account has used up its messages.",
		Who:       ladder.You,
		Remedy:    "Wait for the next day or month, or choose a larger plan. The password is right.",
		Temporary: true, Throttled: true,
		match: pattern{text: []string{"maximum credits exceeded"}},
	},
	{
		Code: "smtp_sendgrid_key", Group: GroupSMTP, Seen: "535 Authentication failed: The provided authorization grant is invalid, expired, or revoked",
		Cause: "SendGrid does not accept this API key.",
		Who:   ladder.You,
		Remedy: "The username is the word apikey, the password an API key with the permission Mail Send (SendGrid > Settings > API Keys). A key is " +
			"shown once; make a new one if it is lost.",
		match: pattern{provider: provider.SendGrid, codes: []string{"535", "550"}, text: []string{"auth"}},
	},
	{
		Code: "smtp_mailgun_sandbox", Group: GroupSMTP,
		Seen:   "421 4.7.0 Domain sandbox123.mailgun.org is not allowed to send: Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients in Account Settings.",
		Cause:  "Mailgun's sandbox domain sends to authorised recipients only, and {recipient} is none.",
		Who:    ladder.You,
		Remedy: "Add {recipient} as authorised recipient in Mailgun, or add and verify your own domain and send from it.",
		match:  pattern{text: []string{"sandbox subdomains", "is not allowed to send"}},
	},
	{
		Code: "smtp_mailgun_credentials", Group: GroupSMTP, Seen: "535 5.7.0 Authentication failed",
		Cause: "Mailgun does not accept {username}.",
		Who:   ladder.You,
		Remedy: "Use the SMTP credentials of the sending domain (Mailgun > Send > Sending > Domain settings > SMTP credentials), not the API key. A domain " +
			"in the EU region needs smtp.eu.mailgun.org, others smtp.mailgun.org.",
		match: pattern{provider: provider.Mailgun, steps: []ladder.Name{ladder.Auth}, codes: []string{"535", "550"}},
	},
	{
		Code: "smtp_postmark_sender", Group: GroupSMTP, Seen: "550 The 'From' address you supplied is not a Sender Signature on your account.",
		Cause:  "Postmark has not confirmed {sender}.",
		Who:    ladder.You,
		Remedy: "Postmark > Sender Signatures: add and confirm {sender}, or verify the domain {sender_domain}.",
		match:  pattern{text: []string{"sender signature"}},
	},
	{
		Code: "smtp_postmark_pending", Group: GroupSMTP, Seen: "550 While your account is pending approval, all recipient addresses must share the same domain as the 'From' address.",
		Cause:  "The Postmark account is not approved yet, so it sends only within {sender_domain}.",
		Who:    ladder.You,
		Remedy: "Request approval in Postmark; until then test with a recipient of {sender_domain}.",
		match:  pattern{text: []string{"pending approval"}},
	},
	{
		Code: "smtp_postmark_inactive", Group: GroupSMTP, Seen: "550 You tried to send to recipient(s) that have been marked as inactive.",
		Cause:  "Postmark no longer sends to {recipient}: an earlier message bounced or was reported as spam.",
		Who:    ladder.You,
		Remedy: "Ask for another address, or reactivate it: Postmark > message stream > Suppressions.",
		match:  pattern{text: []string{"marked as inactive", "inactive recipient"}},
	},
	{
		Code: "smtp_postmark_token", Group: GroupSMTP, Seen: "535 5.7.8 Authentication failed",
		Cause:  "Postmark does not accept this token.",
		Who:    ladder.You,
		Remedy: "Username and password are both the server API token (Postmark > server > API Tokens), or both halves of an SMTP token of the message stream.",
		match:  pattern{provider: provider.Postmark, steps: []ladder.Name{ladder.Auth}},
	},
	{
		Code: "smtp_zoho_credentials", Group: GroupSMTP, Seen: "535 Authentication Failed",
		Cause: "Zoho does not accept {username} with this password at {host}.",
		Who:   ladder.MailboxOwner,
		Remedy: "Three usual reasons: two-factor authentication needs an application password (Zoho > My Account > Security > App Passwords); SMTP access is off " +
			"(Zoho Mail > Settings > Mail accounts > SMTP); the account lives in another region (smtp.zoho.eu, .in, .com.au, .jp; with an own domain smtppro.zoho.com and its like).",
		match: pattern{provider: provider.Zoho, steps: []ladder.Name{ladder.Auth}},
	},
	{
		Code: "smtp_zoho_sender", Group: GroupSMTP, Seen: "553 Sender is not allowed to relay emails",
		Cause:  "Zoho lets {username} send only as itself or an own alias, not as {sender}.",
		Who:    ladder.You,
		Remedy: "Use {username} as sender e-mail, or add {sender} in Zoho Mail > Settings > Send mail as (or as alias by the administrator).",
		match:  pattern{provider: provider.Zoho, codes: []string{"553"}},
	},
	{
		Code: "smtp_zoho_blocked", Group: GroupSMTP, Seen: "550 5.4.6 Unusual sending activity detected. Please try after sometime",
		Cause:     "Zoho has blocked {username} from sending, because of too much or suspicious mail.",
		Who:       ladder.MailboxOwner,
		Remedy:    "Sign in at https://mail.zoho.com and lift the block there; Zoho Mail is not meant for bulk mail (their service for that is ZeptoMail).",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Zoho, text: []string{"unusual sending activity", "outgoing blocked", "sending limit"}},
	},
	{
		Code: "smtp_fastmail_credentials", Group: GroupSMTP, Seen: "535 5.7.8 Incorrect username or password, or app password required",
		Cause:  "Fastmail does not accept {username} with this password.",
		Who:    ladder.MailboxOwner,
		Remedy: "Fastmail wants an app password: Settings > Privacy & Security > Connected apps & API tokens > App passwords, with access to SMTP. The username is the whole address.",
		match:  pattern{provider: provider.Fastmail, steps: []ladder.Name{ladder.Auth}},
	},
	{
		Code: "smtp_fastmail_sender", Group: GroupSMTP, Seen: "551 5.7.1 Not authorised to send from this header address",
		Cause:  "Fastmail does not let {username} send as {sender}.",
		Who:    ladder.MailboxOwner,
		Remedy: "Fastmail > Settings > My email addresses: add {sender} as alias or sending identity, or use {username} as sender e-mail.",
		match:  pattern{text: []string{"authorised to send from this", "authorized to send from this"}},
	},
	{
		Code: "smtp_yahoo_attempts", Group: GroupSMTP, Seen: "535 5.7.0 (#AUTH005) Too many bad auth attempts.",
		Cause: "Yahoo has locked {username} after sign-ins with a wrong password.",
		Who:   ladder.MailboxOwner,
		Remedy: "Make an app password (https://login.yahoo.com/account/security > App passwords), enter it under Settings > Credentials, wait an hour and " +
			"test once.",
		match: pattern{provider: provider.Yahoo, text: []string{"auth005", "too many bad auth"}},
	},
	{
		Code: "smtp_yahoo_credentials", Group: GroupSMTP, Seen: "535 5.7.0 (#MBR1212) Incorrect username or password.",
		Cause:  "Yahoo does not accept {username} with this password; it takes no normal passwords from programs.",
		Who:    ladder.MailboxOwner,
		Remedy: "Make an app password: https://login.yahoo.com/account/security > App passwords, and enter it under Settings > Credentials.",
		match:  pattern{provider: provider.Yahoo, steps: []ladder.Name{ladder.Auth}},
	},
	{
		Code: "smtp_yahoo_sender", Group: GroupSMTP, Seen: "550 Request failed; Mailbox unavailable",
		Cause:  "Yahoo does not let {username} send as {sender}.",
		Who:    ladder.You,
		Remedy: "Use {username} as sender e-mail and leave Return e-mail empty.",
		match:  pattern{provider: provider.Yahoo, text: []string{"request failed", "from address"}},
	},
	{
		Code: "smtp_yahoo_deferred", Group: GroupSMTP, Seen: "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
		Cause:     "Yahoo slows this sender down, because of its volume or complaints.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself. Publish SPF, DKIM and DMARC for {sender_domain} and see https://senders.yahooinc.com.",
		Temporary: true, Throttled: true,
		match: pattern{text: []string{"[ts0", "[tss0", "temporarily deferred due to"}},
	},
}
