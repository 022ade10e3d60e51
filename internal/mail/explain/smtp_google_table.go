package explain

import (
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

// applicationPassword is the way in with a password where a second factor protects the mailbox.
const applicationPassword = "The mailbox owner makes an application password at https://myaccount.google.com/apppasswords (2-Step Verification must be " +
	"on; an administrator can forbid it) and you enter it under Settings > Credentials. Or set Authentication type to OAuth 2.0."

var googleSMTP = []Entry{
	{
		Code: "smtp_534_5.7.9", Group: GroupSMTP,
		Seen:   "534 5.7.9 Application-specific password required. For more information, go to https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp",
		Cause:  "Google does not take the normal password of {username}, because a second factor protects it.",
		Who:    ladder.MailboxOwner,
		Remedy: applicationPassword,
		match:  pattern{provider: provider.Google, codes: []string{"534"}, enhanced: []string{"5.7.9"}, text: []string{"application-specific", "invalidsecondfactor"}},
	},
	{
		Code: "smtp_534_5.7.14", Group: GroupSMTP, Seen: "534 5.7.14 Please log in via your web browser and then try again. - gsmtp",
		Cause: "Google suspects that somebody else signs in as {username}.",
		Who:   ladder.MailboxOwner,
		Remedy: "Sign in as {username} in a browser, best from this network, confirm that it was you (https://accounts.google.com/DisplayUnlockCaptcha), " +
			"then try again. " + applicationPassword,
		match: pattern{provider: provider.Google, codes: []string{"534"}},
	},
	{
		Code: "smtp_535_5.7.8_google_token", Group: GroupSMTP, Seen: "535 5.7.8 Username and Password not accepted. (with an access token) - gsmtp",
		Cause: "Google did not accept the access token for {username}.",
		Who:   ladder.You,
		Remedy: "The token must be for {username} and have the scope https://mail.google.com/ (gmail.send alone does not do for SMTP). Authorise again with " +
			"this mailbox. A service account needs domain-wide delegation for this scope and {username} as subject.",
		Authorise: true,
		match:     pattern{provider: provider.Google, codes: []string{"535"}, signIn: token},
	},
	{
		Code: "smtp_535_5.7.8_google", Group: GroupSMTP,
		Seen:   "535 5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials - gsmtp",
		Cause:  "Google does not accept {username} with this password.",
		Who:    ladder.MailboxOwner,
		Remedy: "Google Workspace takes no normal passwords here since 2025, and Gmail none with 2-Step Verification. " + applicationPassword,
		match:  pattern{provider: provider.Google, codes: []string{"535"}},
	},
	{
		Code: "smtp_454_4.7.0_google", Group: GroupSMTP, Seen: "454 4.7.0 Too many login attempts, please try again later. - gsmtp",
		Cause:     "Google has had too many sign-ins of {username} in a short time.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself. If other programs sign in as {username} too, give Orbit an account of its own.",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Google, codes: []string{"454"}},
	},
	{
		Code: "smtp_550_5.4.5", Group: GroupSMTP, Seen: "550 5.4.5 Daily user sending limit exceeded. - gsmtp",
		Cause: "{username} has reached Google's daily limit (2,000 messages with Google Workspace, 500 with Gmail).",
		Who:   ladder.Nobody,
		Remedy: "Sending goes on by itself within 24 hours. Spread the mail over several accounts, or use Google's SMTP relay " +
			"(smtp-relay.gmail.com), whose limit is 10,000.",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Google, enhanced: []string{"5.4.5"}},
	},
	{
		Code: "smtp_550_5.7.1_relay_limit", Group: GroupSMTP, Seen: "550 5.7.1 Daily SMTP relay sending limit exceeded for customer. - gsmtp",
		Cause:     "The organisation has reached the daily limit of Google's SMTP relay.",
		Who:       ladder.GoogleAdmin,
		Remedy:    "Sending goes on by itself within 24 hours. The limit depends on the number of licences.",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Google, text: []string{"relay sending limit", "relay limit exceeded", "daily smtp relay"}},
	},
	{
		Code: "smtp_550_5.7.1_relay_denied", Group: GroupSMTP, Seen: "550 5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've registered doesn't match - gsmtp",
		Cause: "Google's SMTP relay does not know this machine's address.",
		Who:   ladder.GoogleAdmin,
		Remedy: "Google Admin console > Apps > Google Workspace > Gmail > Routing > SMTP relay service: add this machine's public address, or demand " +
			"sign-in there and switch Use authentication on here.",
		match: pattern{provider: provider.Google, text: []string{"credentials for relay", "mail relay denied", "relay denied"}},
	},
	{
		Code: "smtp_550_5.7.26", Group: GroupSMTP,
		Seen:   "550 5.7.26 This message does not pass authentication checks (SPF and DKIM both do not pass). - gsmtp",
		Cause:  "Google takes no mail from {sender_domain}, because neither SPF nor DKIM passes or DMARC fails.",
		Who:    ladder.You,
		Remedy: dnsAdvice,
		match:  pattern{provider: provider.Google, enhanced: []string{"5.7.26", "5.7.27", "5.7.30", "5.7.24", "4.7.26", "4.7.27", "4.7.30", "4.7.24", "4.7.32", "5.7.32"}},
	},
	{
		Code: "smtp_550_5.7.25", Group: GroupSMTP, Seen: "550 5.7.25 The IP address sending this message does not have a PTR record setup. - gsmtp",
		Cause:  "The address of the sending machine has no name in the DNS that leads back to it.",
		Who:    ladder.NetworkTeam,
		Remedy: "Have the hosting provider set a PTR record for the machine's public address, and an A or AAAA record for that name. Or send through an account with sign-in.",
		match:  pattern{provider: provider.Google, enhanced: []string{"5.7.25", "4.7.23", "4.7.25", "5.7.23"}},
	},
	{
		Code: "smtp_421_4.7.0_ehlo", Group: GroupSMTP, Seen: "421 4.7.0 Try again later, closing connection. (EHLO) - gsmtp",
		Cause: "Google's SMTP relay does not take how this machine introduces itself, or sees too many connections of it.",
		Who:   ladder.You,
		Remedy: "The name in EHLO must be this machine's full name, not localhost or an address in brackets. Check it:\n" +
			"hostname -f",
		Temporary: true,
		match:     pattern{provider: provider.Google, codes: []string{"421"}, text: []string{"try again later, closing connection"}},
	},
	{
		Code: "smtp_421_4.7.28", Group: GroupSMTP, Seen: "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address. - gsmtp",
		Cause:     "Google slows this sender down, because much of its mail looks unwanted.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself. Publish SPF, DKIM and DMARC for {sender_domain} and watch https://postmaster.google.com.",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Google, text: []string{"unusual rate", "suspicious due to"}},
	},
	{
		Code: "smtp_450_4.2.1_google", Group: GroupSMTP, Seen: "450 4.2.1 The user you are trying to contact is receiving mail too quickly. - gsmtp",
		Cause:     "The mailbox {recipient} gets more mail than Google lets in at a time.",
		Who:       ladder.Nobody,
		Remedy:    "It is tried again by itself.",
		Temporary: true, Throttled: true,
		match: pattern{provider: provider.Google, enhanced: []string{"4.2.1", "5.2.1"}, text: []string{"receiving mail"}},
	},
	{
		Code: "smtp_552_5.7.0_google", Group: GroupSMTP, Seen: "552 5.7.0 This message was blocked because its content presents a potential security issue. - gsmtp",
		Cause:  "Google blocks the message because of an attachment (a program, an archive with a password) or a link.",
		Who:    ladder.You,
		Remedy: "Send the file in another form, or a link to a file store.",
		match:  pattern{provider: provider.Google, codes: []string{"552"}, enhanced: []string{"5.7.0"}},
	},
}
