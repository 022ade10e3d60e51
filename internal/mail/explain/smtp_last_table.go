package explain

import "orbit/internal/mail/ladder"

// lastSMTP explains by the step and the class of the reply alone, so that no reply stays unexplained.
var lastSMTP = []Entry{
	{
		Code: "smtp_greeting_refused", Group: GroupSMTP, Seen: "554 No SMTP service here",
		Cause:  "{host} refuses to talk to this machine.",
		Who:    ladder.ServerAdmin,
		Remedy: "This machine's address is on a block list or not on the allow list of {host}. Ask for its log; the reply often names the list.",
		match:  pattern{steps: []ladder.Name{ladder.Greeting, ladder.Connect}, codes: []string{"5*"}},
	},
	{
		Code: "smtp_busy", Group: GroupSMTP, Seen: "421 Service not available, closing transmission channel",
		Cause:  "{host} has no time at the moment.",
		Who:    ladder.Nobody,
		Remedy: "It is tried again by itself. If it stays so for hours, ask the administrator of {host}.",
		match:  pattern{steps: []ladder.Name{ladder.Greeting, ladder.Connect}, codes: []string{"4*"}}, Temporary: true,
	},
	{
		Code: "smtp_ehlo_refused", Group: GroupSMTP, Seen: "550 Access denied",
		Cause: "{host} does not accept how this machine introduces itself.",
		Who:   ladder.You,
		Remedy: "The name in EHLO must be this machine's full name. Check it, and that its address resolves back to it:\n" +
			"hostname -f",
		match: pattern{steps: []ladder.Name{ladder.Hello}},
	},
	{
		Code: "smtp_starttls_refused", Group: GroupSMTP, Seen: "454 TLS not available due to temporary reason",
		Cause:  "{host} offers STARTTLS but refuses to start it.",
		Who:    ladder.ServerAdmin,
		Remedy: "The server's certificate or key cannot be loaded, mostly. Ask for its log; nothing was sent without encryption.",
		match:  pattern{steps: []ladder.Name{ladder.TLS}},
	},
	{
		Code: "smtp_auth_later", Group: GroupSMTP, Seen: "454 Temporary authentication failure",
		Cause:  "{host} could not check the sign-in of {username} at the moment.",
		Who:    ladder.ServerAdmin,
		Remedy: "It is tried again by itself. If it stays so, the server has lost its directory or password service.",
		match:  pattern{steps: []ladder.Name{ladder.Auth}, codes: []string{"4*"}}, Temporary: true,
	},
	{
		Code: "smtp_auth_token_refused", Group: GroupSMTP, Seen: "535 Authentication failed (with an access token)",
		Cause: "{host} did not accept the access token of {username}.",
		Who:   ladder.You,
		Remedy: "Check that the token was authorised for {username} and not for another mailbox, and that its scope covers SMTP. " +
			"Authorise the account again if the scope was changed.",
		Authorise: true,
		match:     pattern{steps: []ladder.Name{ladder.Auth}, codes: []string{"5*"}, signIn: token},
	},
	{
		Code: "smtp_auth_refused", Group: GroupSMTP, Seen: "535 Authentication failed",
		Cause: "{host} did not accept user {username} with this password.",
		Who:   ladder.You,
		Remedy: "Check the username (often the whole address) and enter the password again under Settings > Credentials. Where a second " +
			"factor protects the mailbox, the provider wants an application password or OAuth 2.0.",
		match: pattern{steps: []ladder.Name{ladder.Auth}, codes: []string{"5*"}},
	},
	{
		Code: "smtp_sender_later", Group: GroupSMTP, Seen: "451 Sender address cannot be checked now",
		Cause:  "{host} does not take mail from {sender} at the moment.",
		Who:    ladder.Nobody,
		Remedy: "It is tried again by itself. If it stays so, check that the domain {sender_domain} exists in the DNS.",
		match:  pattern{steps: []ladder.Name{ladder.MailFrom}, codes: []string{"4*"}}, Temporary: true,
	},
	{
		Code: "smtp_sender_refused", Group: GroupSMTP, Seen: "550 Sender rejected",
		Cause: "{host} does not let {username} send as {sender}.",
		Who:   ladder.ServerAdmin,
		Remedy: "Use the sender address that belongs to {username}, or have {sender} allowed for it. Providers want the address or its domain " +
			"verified first.",
		match: pattern{steps: []ladder.Name{ladder.MailFrom}, codes: []string{"5*"}},
	},
	{
		Code: "smtp_recipient_later", Group: GroupSMTP, Seen: "450 Mailbox temporarily unavailable",
		Cause:  "{host} does not take mail for {recipient} at the moment.",
		Who:    ladder.Nobody,
		Remedy: "It is tried again by itself.",
		match:  pattern{steps: []ladder.Name{ladder.RcptTo}, codes: []string{"4*"}}, Temporary: true,
	},
	{
		Code: "smtp_recipient_refused", Group: GroupSMTP, Seen: "550 Recipient rejected",
		Cause: "{host} does not take mail for {recipient}.",
		Who:   ladder.You,
		Remedy: "Check the address. If it is right, the server may not relay for this account: sign in, or have {host} accept mail for " +
			"{recipient_domain} from this machine.",
		match: pattern{steps: []ladder.Name{ladder.RcptTo}, codes: []string{"5*"}},
	},
	{
		Code: "smtp_message_later", Group: GroupSMTP, Seen: "451 Requested action aborted: error in processing",
		Cause:  "{host} could not take the message at the moment.",
		Who:    ladder.Nobody,
		Remedy: "It is tried again by itself. If it stays so, ask the administrator of {host}.",
		match:  pattern{codes: []string{"4*"}}, Temporary: true,
	},
	{
		Code: "smtp_message_refused", Group: GroupSMTP, Seen: "554 Transaction failed",
		Cause: "{host} refused the message.",
		Who:   ladder.ServerAdmin,
		Remedy: "The reply says why: mostly content that looks like spam, a sender that may not use this server, or missing SPF, DKIM or " +
			"DMARC records of {sender_domain}. Ask the administrator of {host} with the reply and the time.",
		match: pattern{steps: []ladder.Name{ladder.Data, ladder.Reply}, codes: []string{"5*"}},
	},
	{
		Code: "smtp_unexpected", Group: GroupSMTP, Seen: "(a reply with a code that does not fit the command)",
		Cause:  "{host} gave an answer that does not fit at this point.",
		Who:    ladder.ServerAdmin,
		Remedy: "A firewall that rewrites SMTP, or a faulty server. Show the transcript of this visit to the administrator of {host}.",
	},
}
