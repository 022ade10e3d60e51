package explain

import "orbit/internal/mail/ladder"

// Situations that Orbit notices itself; named.go chooses among them.
var namedEntries = []Entry{
	{
		Code: "starttls_not_offered", Group: GroupSMTP, Seen: "(no STARTTLS in the answer to EHLO, CAPABILITY or CAPA)",
		Cause: "{host} does not offer STARTTLS on port {port}, but the account demands it; it offers {offered}.",
		Who:   ladder.ServerAdmin,
		Remedy: "Use port {tls_port} with TLS from the start, or have STARTTLS enabled on {host}. If it was offered before, a firewall on " +
			"the way removes it (Cisco: \"no inspect esmtp\"). Nothing was sent without encryption.",
	},
	{
		Code: "auth_not_offered", Group: GroupSMTP, Seen: "(no AUTH in the answer to EHLO, CAPABILITY or CAPA)",
		Cause: "{host} offers no sign-in on port {port}; it offers {offered}.",
		Who:   ladder.You,
		Remedy: "If the server knows this machine by its address (an internal SMTP relay), switch Use authentication off. Otherwise use the " +
			"port for those who sign in: {plain_port} with STARTTLS or {tls_port} with TLS from the start.",
	},
	{
		Code: "auth_not_offered_plain", Group: GroupSMTP, Seen: "(no AUTH in the answer to EHLO, CAPABILITY or CAPA, without secure connection)",
		Cause:  "{host} offers no sign-in without encryption.",
		Who:    ladder.You,
		Remedy: "Switch Use secure connection on: STARTTLS on port {plain_port}, or TLS from the start on port {tls_port}.",
	},
	{
		Code: "auth_without_tls", Group: GroupSMTP, Seen: "(a password or token would travel without encryption)",
		Cause: "The account has no secure connection, so its password or token would be readable on the way to {host}; Orbit did not send it.",
		Who:   ladder.You,
		Remedy: "Switch Use secure connection on: STARTTLS on port {plain_port}, or TLS from the start on port {tls_port}. " +
			"An internal SMTP relay that needs no sign-in works with Use authentication off.",
	},
	{
		Code: "auth_no_mechanism", Group: GroupSMTP, Seen: "(AUTH with other mechanisms only)",
		Cause: "{host} offers no way to sign in with user and password that Orbit knows; it offers {offered}.",
		Who:   ladder.You,
		Remedy: "If XOAUTH2 or OAUTHBEARER is among them, set Authentication type to OAuth 2.0. Otherwise have PLAIN over TLS, " +
			"SCRAM-SHA-256 or CRAM-MD5 enabled on {host}. (NTLM and GSSAPI are for Windows domains; Orbit does not speak them.)",
	},
	{
		Code: "auth_no_oauth_mechanism", Group: GroupSMTP, Seen: "(AUTH without XOAUTH2 and OAUTHBEARER)",
		Cause: "{host} does not take OAuth 2.0 tokens on port {port}; it offers {offered}.",
		Who:   ladder.You,
		Remedy: "Check the host: it must be the provider's own server for {protocol} ({token_servers}). For another server, and for Orbit's own " +
			"proxy on this machine, set Authentication to password.",
	},
	{
		Code: "auth_server_not_proven", Group: GroupSMTP, Seen: "(SCRAM: the server's signature is missing or wrong)",
		Cause: "{host} accepted {username} without proving that it knows the password, so it may not be the server it claims to be; " +
			"nothing was sent. The password itself did not leave Orbit.",
		Who: ladder.ServerAdmin,
		Remedy: "Check the host and the certificate rule of the account. If both are right, have the SCRAM set-up of {host} repaired " +
			"(mostly a stored password that was copied from another server), or SCRAM switched off there.",
	},
	{
		Code: "starttls_injected", Group: GroupSMTP, Seen: "(more bytes than the reply to STARTTLS, in the clear)",
		Cause: "Something was sent in the clear between the reply of {host} to STARTTLS and the start of TLS, as if it had come encrypted.",
		Who:   ladder.NetworkTeam,
		Remedy: "Treat it as an attempt to inject commands (CVE-2011-0411) until it is explained: look for a device between this machine and " +
			"{server} that rewrites SMTP, and update the server. TLS from the start on port {tls_port} has no such gap.",
	},
	{
		Code: "reply_malformed", Group: GroupSMTP, Seen: "(a line without a reply code, a line or a reply without end)",
		Cause: "{server} broke the rules of {protocol} while {during}: its answer has no valid reply code or no end.",
		Who:   ladder.ServerAdmin,
		Remedy: "Mostly a device between this machine and {host} that rewrites {protocol} (Cisco: \"no inspect esmtp\"), or a program " +
			"that only pretends to be a mail server. Ask for the log of {host}, and try TLS from the start on port {tls_port}.",
	},
	{
		Code: "smtputf8_not_offered", Group: GroupSMTP, Seen: "(no SMTPUTF8 in the answer to EHLO)",
		Cause: "{sender} or {recipient} has letters outside ASCII before the @, and {host} does not take such addresses (SMTPUTF8).",
		Who:   ladder.ServerAdmin,
		Remedy: "Use an address in ASCII (most people with such an address have one as well), or send through a server that offers SMTPUTF8. " +
			"On Postfix:\npostconf -e smtputf8_enable=yes && postfix reload",
	},
	{
		Code: "8bitmime_not_offered", Group: GroupSMTP, Seen: "(no 8BITMIME in the answer to EHLO)",
		Cause:  "The message has lines in 8 bits, and {host} takes 7 bits only.",
		Who:    ladder.ServerAdmin,
		Remedy: "Have 8BITMIME enabled on {host}, or send through another server; a message that is already signed cannot be re-encoded.",
	},
	{
		Code: "message_too_large", Group: GroupSMTP, Seen: "(SIZE in the answer to EHLO is smaller than the message)",
		Cause:  "The message has {size}; {host} takes at most {max_size}. It was not sent.",
		Who:    ladder.You,
		Remedy: "Send less: leave attachments out or link to them (an attachment grows by a third on its way). Or have the limit of {host} raised.",
	},
	{
		Code: "credential_not_approved", Group: GroupSMTP, Seen: "(the secret was never entered for this destination)",
		Cause: "The secret of {username} was entered for another destination, not for {server} with these settings.",
		Who:   ladder.You,
		Remedy: "Enter the secret again at the account and save. Host, port, username, type of secure connection and certificate rule " +
			"belong to the destination: so a changed host never receives a password that was meant for another.",
	},
	{
		Code: "token_not_approved", Group: GroupSMTP, Seen: "(nobody has approved that the access token goes to this server)",
		Cause: "Orbit does not send the access token of {username} to {server} with these settings: it is no server of the provider, and nobody has approved it.",
		Who:   ladder.You,
		Remedy: "Save the account or listener, then authorise {username} again; where the registration needs nobody, enter its secret again. " +
			"That approves the servers which are in use. If you do not know the server, find out in the audit trail who entered it.",
	},
	{
		Code: "destination_forbidden", Group: GroupNetwork, Seen: "(refused by the network rules, always)",
		Cause:  "Orbit never connects to {address}: {rule}. Nothing was dialled.",
		Who:    ladder.You,
		Remedy: "Check the host {host}. If its name really has this address in the DNS, the record is wrong or somebody wants Orbit to reach inside.",
	},
	{
		Code: "destination_not_allowed", Group: GroupNetwork, Seen: "(refused by the network rules, unless configured)",
		Cause:  "The network rules do not let Orbit connect to {address}: {rule}. Nothing was dialled.",
		Who:    ladder.You,
		Remedy: "If {host} is the right server, change {variable} and start Orbit again: {setting}",
	},
	{
		Code: "connector_unusable", Group: GroupNetwork, Seen: "(the network connector cannot carry a connection)",
		Cause: "The network connector {connector} cannot be used: {reason}. Nothing was dialled.",
		Who:   ladder.You,
		Remedy: "Repair or activate it under Settings > Network connectors, or choose another at the account or as default. Orbit never " +
			"goes directly where a connector is configured.",
	},
	{
		Code: "clock_off", Group: GroupNetwork, Seen: "(this machine's clock differs from the server's by more than five minutes)",
		Cause:  "This machine's clock differs from that of {host} by {difference}.",
		Who:    ladder.You,
		Remedy: "Set the clock; certificates and tokens are refused with a wrong one:\ntimedatectl set-ntp true",
	},
	{
		Code: "host_invalid", Group: GroupNetwork, Seen: "(the host of the account is no host name)",
		Cause:  "The account's host or port cannot be used: {reason}.",
		Who:    ladder.You,
		Remedy: "Enter the name or the address of the server alone: without https://, without a path, and with the port in its own field.",
	},
	{
		Code: "http_refused", Group: GroupOAuth, Seen: "(an endpoint with http:// instead of https://)",
		Cause:  "The address at {token_host} is not encrypted, so Orbit does not send secrets there.",
		Who:    ladder.You,
		Remedy: "Write permission URL and token URL of the registration with https://. For a test on this machine allow the address: ORBIT_ALLOWED_DESTINATIONS.",
	},
	{
		Code: "redirect_refused", Group: GroupOAuth, Seen: "(a token endpoint that redirects to another host)",
		Cause:  "{token_host} wanted to redirect the request to {address}; Orbit does not send secrets there.",
		Who:    ladder.You,
		Remedy: "Check the token URL of the registration. If the provider has moved, enter its new address.",
	},
}
