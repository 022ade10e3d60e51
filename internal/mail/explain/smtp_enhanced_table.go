package explain

import "orbit/internal/mail/ladder"

// enhancedSMTP explains by the status code of RFC 3463 and of the IANA registry (RFC 5248) alone. "*" stands for
// the class: whether a status is temporary is said by the reply's code.
var enhancedSMTP = []Entry{
	status("1.1", "550 5.1.1 Bad destination mailbox address", "There is no mailbox {recipient}.",
		ladder.You, "Correct the address. It counts as bounced."),
	status("1.2", "550 5.1.2 Bad destination system address", "The domain {recipient_domain} does not exist or takes no mail.",
		ladder.You, "Check the part after the @:\ndig +short MX {sh:recipient_domain}"),
	status("1.3", "501 5.1.3 Bad recipient address syntax", "{host} cannot read the address {recipient}.",
		ladder.You, "Correct the address: one @, no blanks, no name around it."),
	status("1.4", "550 5.1.4 Destination mailbox address ambiguous", "{recipient} means more than one mailbox.",
		ladder.ServerAdmin, "Have the double entry removed from the directory of {host}."),
	status("1.6", "551 5.1.6 Mailbox has moved", "The mailbox {recipient} has moved without a forwarding address.",
		ladder.You, "Ask for the new address."),
	status("1.7", "501 5.1.7 Bad sender's mailbox address syntax", "{host} cannot read the sender address {sender}.",
		ladder.You, "Correct sender e-mail and Return e-mail: one @, no blanks, no name around it."),
	status("1.8", "553 5.1.8 Bad sender's system address", "The domain {sender_domain} does not exist in the DNS, or takes no mail back.",
		ladder.You, "Check the spelling of the sender e-mail. The domain needs an MX or an address record:\ndig +short MX {sh:sender_domain}"),
	status("1.10", "556 5.1.10 Recipient address has null MX", "The domain {recipient_domain} takes no mail at all, by its own declaration.",
		ladder.You, "Correct the address."),
	status("2.1", "550 5.2.1 Mailbox disabled, not accepting messages", "The mailbox {recipient} is disabled.",
		ladder.You, "Ask for another address, or have the mailbox enabled."),
	status("2.2", "552 5.2.2 (any other words)", "The mailbox {recipient} is full.",
		ladder.MailboxOwner, "The owner of {recipient} must make room."),
	status("2.3", "552 5.2.3 (any other words)", "The message ({size}) is larger than the mailbox {recipient} takes.",
		ladder.You, "Send less: leave attachments out or link to them."),
	status("2.4", "550 5.2.4 Mailing list expansion problem", "The distribution list {recipient} is broken.",
		ladder.ServerAdmin, "Have the members of the list checked."),
	status("2.121", "450 4.2.121 Recipient limit for messages from this sender", "{recipient} gets more mail from {sender} than the server lets in within an hour.",
		ladder.Nobody, "It is tried again by itself.").throttled(),
	status("2.122", "450 4.2.122 Recipient limit for messages per hour", "{recipient} gets more mail than the server lets in within an hour.",
		ladder.Nobody, "It is tried again by itself.").throttled(),
	status("2.*", "550 5.2.0 Other mailbox status", "The mailbox {recipient} cannot take the message.",
		ladder.ServerAdmin, "The reply says why; ask the administrator of {recipient_domain}."),
	status("3.1", "452 4.3.1 Insufficient system storage", "{host} has no room for the message.",
		ladder.ServerAdmin, "Make room on the disk of {host}. It is tried again by itself."),
	status("3.2", "421 4.3.2 System not accepting network messages", "{host} takes no mail at the moment (maintenance or overload).",
		ladder.Nobody, "It is tried again by itself. If it stays so, ask the administrator of {host}."),
	status("3.4", "552 5.3.4 (any other words)", "The message ({size}) is too large for {host}; its limit is {max_size}.",
		ladder.You, "Send less: leave attachments out or link to them. Or have the limit raised (Postfix: message_size_limit)."),
	status("3.5", "550 5.3.5 System incorrectly configured", "{host} is configured wrongly, by its own words.",
		ladder.ServerAdmin, "Ask the administrator of {host} with the reply and the time."),
	status("3.*", "451 4.3.0 Other mail system status", "{host} has a problem of its own.",
		ladder.ServerAdmin, "It is tried again by itself if the server allows it. Ask the administrator of {host} if it stays so."),
	status("4.4", "450 4.4.4 Unable to route", "{host} does not know where to send mail for {recipient_domain}.",
		ladder.You, "Check the address. If it is right, the DNS of {recipient_domain} or the routing of {host} is broken:\ndig +short MX {sh:recipient_domain}"),
	status("4.6", "550 5.4.6 Routing loop detected", "The message would run in a circle between servers.",
		ladder.ServerAdmin, "A forwarding of {recipient} leads back to itself."),
	status("4.*", "451 4.4.2 Bad connection", "{host} could not reach the next server or the directory.",
		ladder.ServerAdmin, "It is tried again by itself if the server allows it. Ask the administrator of {host} if it stays so."),
	status("5.3", "452 4.5.3 (any other words)", "The message has more recipients than {host} takes at once.",
		ladder.Nobody, "Orbit sends to each person alone; it is tried again later.").throttled(),
	status("5.*", "503 5.5.1 Invalid command", "{host} did not accept a command.",
		ladder.ServerAdmin, "A firewall that rewrites SMTP, or a faulty server. Show the transcript of this visit to the administrator of {host}."),
	status("6.*", "550 5.6.0 Other or undefined media error", "{host} does not accept the form of the message.",
		ladder.You, "The reply says what it dislikes: an attachment, a character set or a line that is too long."),
	status("7.2", "550 5.7.2 Mailing list expansion prohibited", "{sender} may not write to the distribution list {recipient}.",
		ladder.ServerAdmin, "Have {sender} allowed to write to the list."),
	status("7.4", "504 5.7.4 Security features not supported", "{host} does not know the way to sign in that was tried ({wanted}); it offers {offered}.",
		ladder.You, "Choose another authentication type at the account."),
	status("7.8", "535 5.7.8 Authentication credentials invalid", "{host} does not accept {username} with this secret.",
		ladder.You, "Check the username (often the whole address) and enter the password again under Settings > Credentials. Where a second factor protects "+
			"the mailbox, the provider wants an application password or OAuth 2.0.").atSignIn(),
	status("7.12", "432 4.7.12 A password transition is needed", "The password of {username} must be set anew for this way to sign in.",
		ladder.MailboxOwner, "Sign in once at the provider's web page or set the password again, then test again."),
	status("7.13", "535 5.7.13 User account disabled", "{host} has disabled {username}.",
		ladder.ServerAdmin, "Have the account enabled again, or use another one."),
	status("7.14", "535 5.7.14 Trust relationship required", "{host} wants a trust relationship with this machine.",
		ladder.ServerAdmin, "Ask the administrator of {host} how this machine may send."),
	status("7.15", "450 4.7.15 Priority level is too low", "{host} takes only urgent mail at the moment.",
		ladder.Nobody, "It is tried again by itself."),
	status("7.16", "552 5.7.16 Message is too big for the specified priority", "The message is too large for its priority.",
		ladder.You, "Send less: leave attachments out or link to them."),
	status("7.20", "550 5.7.20 (any other words)", "{host} takes no mail from {sender_domain} without a valid DKIM signature.",
		ladder.You, dnsAdvice),
	status("7.21", "550 5.7.21 (any other words)", "The DKIM signature of {sender_domain} is not accepted.",
		ladder.You, dnsAdvice),
	status("7.22", "550 5.7.22 (any other words)", "No DKIM signature of {sender_domain} itself is on the message.",
		ladder.You, dnsAdvice),
	status("7.23", "550 5.7.23 (any other words)", "The SPF record of {sender_domain} does not allow the server that sent the message.",
		ladder.You, dnsAdvice),
	status("7.24", "451 4.7.24 (any other words)", "The SPF record of {sender_domain} cannot be read.",
		ladder.You, dnsAdvice),
	status("7.25", "550 5.7.25 (any other words)", "The address of the sending machine has no name in the DNS that leads back to it.",
		ladder.NetworkTeam, "Have the hosting provider set a PTR record for the machine's public address. Or send through a provider with sign-in."),
	status("7.26", "550 5.7.26 Multiple authentication checks failed", "SPF, DKIM and DMARC of {sender_domain} fail.",
		ladder.You, dnsAdvice),
	status("7.27", "550 5.7.27 Sender address has null MX", "{sender_domain} declares that it takes no mail, so mail from it is refused.",
		ladder.You, "Use a sender address of a domain that takes mail, or correct its MX record."),
	status("7.28", "421 4.7.28 Mail flood detected", "{host} sees too much mail from this sender.",
		ladder.Nobody, "Orbit slows down by itself.").throttled(),
	status("7.30", "550 5.7.30 REQUIRETLS support required", "The message must stay encrypted on its whole way, and {host} cannot promise that.",
		ladder.ServerAdmin, "Ask the administrator of {host} to support REQUIRETLS."),
	{
		Code: "smtp_421_4.7", Group: GroupSMTP, Seen: "421 4.7.0 Try again later",
		Cause:     "{host} slows this sender down.",
		Who:       ladder.Nobody,
		Remedy:    "Orbit slows down by itself and tries again. If it stays so for hours, ask the administrator of {host} with the reply and the time.",
		Temporary: true, Throttled: true,
		match: pattern{codes: []string{"421"}, enhanced: []string{"4.7.*"}},
	},
	// At sign-in the password is meant, whatever the status says; lastSMTP explains that.
	status("7.*", "550 5.7.1 Delivery not authorized, message refused", "A rule of {host} forbids the message.",
		ladder.ServerAdmin, "The reply says which: mostly {username} may not send as {sender}, this machine may not use the server, or the content looks like spam. "+
			"Ask the administrator of {host} with the reply and the time.").afterSignIn(),
}

// status makes the entry for one status of RFC 3463, "subject.detail".
func status(detail, seen, cause string, who ladder.Who, remedy string) Entry {
	code := "smtp_status_" + detail
	if detail[len(detail)-1] == '*' {
		code = "smtp_status_" + detail[:len(detail)-1] + "x"
	}
	return Entry{
		Code: code, Group: GroupSMTP, Seen: seen, Cause: cause, Who: who, Remedy: remedy,
		match: pattern{enhanced: []string{"5." + detail, "4." + detail}},
	}
}

func (e Entry) throttled() Entry {
	e.Temporary, e.Throttled = true, true
	return e
}

func (e Entry) atSignIn() Entry {
	e.match.steps, e.match.signIn = []ladder.Name{ladder.Auth}, password
	return e
}

func (e Entry) afterSignIn() Entry {
	e.match.steps = []ladder.Name{ladder.MailFrom, ladder.RcptTo, ladder.Data, ladder.Reply}
	return e
}
