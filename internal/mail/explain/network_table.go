package explain

import (
	"slices"

	"orbit/internal/mail/ladder"
)

// connectionEntries are all that networkCode chooses among: a TLS port that is spoken to in the clear, or the
// reverse, looks like an error of the network first.
var connectionEntries = slices.Concat(networkEntries, tlsEntries)

// Network codes are chosen by networkCode, so the entries need no pattern.
var networkEntries = []Entry{
	{
		Code: "net_name_unknown", Group: GroupNetwork, Seen: "lookup mail.example.com: no such host",
		Cause: "The name {host} does not exist in the DNS.",
		Who:   ladder.You,
		Remedy: "Check the spelling of the host. If it is right, ask the owner of the name whether it was moved, " +
			"or whether it exists only in another network. Try it on this machine:\ngetent ahosts {sh:host}",
	},
	{
		Code: "net_dns_silent", Group: GroupNetwork, Seen: "lookup mail.example.com: i/o timeout",
		Cause: "The name server did not answer when asked for {host}.",
		Who:   ladder.NetworkTeam,
		Remedy: "Check that this machine reaches its name server (UDP and TCP port 53); in a container, that its DNS is set. " +
			"The servers it asks:\ncat /etc/resolv.conf",
		Temporary: true,
	},
	{
		Code: "net_dns_failed", Group: GroupNetwork, Seen: "lookup mail.example.com: server misbehaving",
		Cause: "The name server could not answer for {host}.",
		Who:   ladder.NetworkTeam,
		Remedy: "The name server is reachable but failed (SERVFAIL or REFUSED): a broken zone, a failed DNSSEC check or a resolver that " +
			"does not serve this machine. Try it on this machine:\ngetent ahosts {sh:host}",
		Temporary: true,
	},
	{
		Code: "net_no_address", Group: GroupNetwork, Seen: "the name exists and has no address",
		Cause:  "The name {host} exists but has no address (neither A nor AAAA).",
		Who:    ladder.You,
		Remedy: "Enter the name of the mail server itself, not the mail domain: often mail.{host} or smtp.{host}.",
	},
	{
		Code: "net_refused", Group: GroupNetwork, Seen: "connect: connection refused",
		Cause: "{host} is there, but nothing accepts connections on port {port}.",
		Who:   ladder.You,
		Remedy: "Check the port: {plain_port} with STARTTLS or {tls_port} with TLS from the start is usual for {protocol}. If it is right, " +
			"the service on {host} is stopped, or listens on another address, or a firewall rejects this machine.",
		Temporary: true,
	},
	{
		Code: "net_connect_timeout", Group: GroupNetwork, Seen: "dial tcp: i/o timeout",
		Cause: "No answer from {server}: the connection attempt timed out.",
		Who:   ladder.NetworkTeam,
		Remedy: "Something drops the packets silently, mostly a firewall between this machine and {host}, or a hosting provider that blocks " +
			"outgoing port {port} (port 25 nearly always). Allow TCP from this machine to {server}, or use port {plain_port} or {tls_port}.",
		Temporary: true,
	},
	{
		Code: "net_unreachable", Group: GroupNetwork, Seen: "connect: network is unreachable / no route to host",
		Cause: "There is no route from this machine to {host}.",
		Who:   ladder.NetworkTeam,
		Remedy: "Check the routing and the VPN of this machine. If {host} has only an IPv6 address, this machine needs IPv6. See the way it takes:\n" +
			"ip route get $(getent hosts {sh:host} | cut -d' ' -f1)",
		Temporary: true,
	},
	{
		Code: "net_reset", Group: GroupNetwork, Seen: "read: connection reset by peer",
		Cause: "{server} cut the connection while {during}.",
		Who:   ladder.NetworkTeam,
		Remedy: "A firewall, a load balancer or the server itself rejects this machine. Ask for the log of {host} at this time, and whether " +
			"this machine's address is allowed.",
		Temporary: true,
	},
	{
		Code: "net_forbidden_here", Group: GroupNetwork, Seen: "connect: operation not permitted / permission denied",
		Cause: "This machine itself forbids the connection to {server}.",
		Who:   ladder.NetworkTeam,
		Remedy: "A local firewall (nftables, iptables), a container's network policy, SELinux or a systemd unit with IPAddressDeny " +
			"refuses it. Allow outgoing TCP to {server} for Orbit.",
	},
	{
		Code: "net_no_resources", Group: GroupNetwork, Seen: "socket: too many open files / no buffer space available",
		Cause: "This machine has no more file descriptors or memory for another connection.",
		Who:   ladder.You,
		Remedy: "Raise the limit of open files for Orbit (systemd: LimitNOFILE=65536) and restart it. See the limit of this shell:\n" +
			"ulimit -n",
		Temporary: true,
	},
	{
		Code: "net_greeting_timeout", Group: GroupNetwork, Seen: "(silence after the connection was opened)",
		Cause: "{server} accepted the connection but sent no greeting.",
		Who:   ladder.ServerAdmin,
		Remedy: "The server is overloaded, delays unknown clients on purpose, waits for a reverse DNS answer, or a virus scanner or firewall " +
			"sits in between. If the port speaks TLS from the start, choose that as type of the secure connection.",
		Temporary: true,
	},
	{
		Code: "net_answer_timeout", Group: GroupNetwork, Seen: "read: i/o timeout",
		Cause:     "{server} stopped answering while {during}.",
		Who:       ladder.ServerAdmin,
		Remedy:    "The server is overloaded or lost a service behind it (directory, spam filter). Try again; if it stays so, ask for the log of {host}.",
		Temporary: true,
	},
	{
		Code: "net_reply_timeout", Group: GroupNetwork, Seen: "(no reply to the end of the message)",
		Cause: "{server} took the message but did not confirm it in time: it may or may not be delivered.",
		Who:   ladder.ServerAdmin,
		Remedy: "Ask for the log of {host} for this message. A content filter that takes long is the usual reason; small messages that pass " +
			"and large ones that do not point to a wrong MTU on the way.",
		Temporary: true,
	},
	{
		Code: "net_dropped_greeting", Group: GroupNetwork, Seen: "EOF before the greeting",
		Cause: "{server} closed the connection without a greeting.",
		Who:   ladder.ServerAdmin,
		Remedy: "The server does not want this machine's address (block list, allow list, too many connections at once), or the port speaks " +
			"TLS from the start. Ask for the log of {host}, or try port {tls_port} with TLS from the start.",
		Temporary: true,
	},
	{
		Code: "net_dropped_ehlo", Group: GroupNetwork, Seen: "EOF after EHLO",
		Cause: "{server} closed the connection while {during}.",
		Who:   ladder.ServerAdmin,
		Remedy: "Mostly a rule against this machine's name or address, or a firewall that inspects the protocol. Ask for the log of {host}; " +
			"check that this machine has a full host name:\nhostname -f",
		Temporary: true,
	},
	{
		Code: "net_dropped_token", Group: GroupNetwork, Seen: "EOF while the token was fetched",
		Cause:     "The identity provider closed the connection while {during}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Try again. If it stays so, allow HTTPS from this machine to the token URL, without a proxy that opens TLS.",
		Temporary: true,
	},
	{
		Code: "net_dropped_auth", Group: GroupNetwork, Seen: "EOF after AUTH",
		Cause: "{server} closed the connection while {username} was signing in.",
		Who:   ladder.ServerAdmin,
		Remedy: "Some servers close instead of refusing: after wrong passwords, when the account is locked, or when sign-in without " +
			"encryption is forbidden. Check user and password, use a secure connection, and ask for the log of {host}.",
		Temporary: true,
	},
	{
		Code: "net_dropped_mail_from", Group: GroupNetwork, Seen: "EOF after MAIL FROM",
		Cause:     "{server} closed the connection when {sender} was named as sender.",
		Who:       ladder.ServerAdmin,
		Remedy:    "The server mostly has a rule against this sender or has lost a service behind it. Ask for the log of {host} at this time.",
		Temporary: true,
	},
	{
		Code: "net_dropped_rcpt_to", Group: GroupNetwork, Seen: "EOF after RCPT TO",
		Cause:     "{server} closed the connection when {recipient} was named as recipient.",
		Who:       ladder.ServerAdmin,
		Remedy:    "The server mostly has a rule against this recipient or has lost a service behind it. Ask for the log of {host} at this time.",
		Temporary: true,
	},
	{
		Code: "net_dropped_data", Group: GroupNetwork, Seen: "EOF while the message was sent",
		Cause: "{server} closed the connection in the middle of the message; it was not delivered.",
		Who:   ladder.ServerAdmin,
		Remedy: "A content or virus filter, a size limit enforced by closing, or an unstable line. Send a shorter message without attachment; " +
			"if that passes, ask for the limits of {host}.",
		Temporary: true,
	},
	{
		Code: "net_dropped_reply", Group: GroupNetwork, Seen: "EOF after the end of the message",
		Cause: "{server} closed the connection after the message and before its reply: it may or may not be delivered.",
		Who:   ladder.ServerAdmin,
		Remedy: "Ask for the log of {host} for this message before sending it again. A repetition carries the same Message-ID, so that most " +
			"mailboxes show it once.",
		Temporary: true,
	},
	{
		Code: "net_dropped_mailbox", Group: GroupNetwork, Seen: "EOF after SELECT or STAT",
		Cause:     "{server} closed the connection while {during}.",
		Who:       ladder.ServerAdmin,
		Remedy:    "The mailbox is damaged, locked or too large for the server, or too many connections use it. Ask for the log of {host}.",
		Temporary: true,
	},
	{
		Code: "net_not_a_mail_server", Group: GroupNetwork, Seen: "(an answer that is not SMTP, IMAP or POP3)",
		Cause: "What answers at {server} is not a mail server of the kind {protocol}.",
		Who:   ladder.You,
		Remedy: "Check host and port: {plain_port} with STARTTLS or {tls_port} with TLS from the start is usual for {protocol}. " +
			"The answer itself is not shown, because it belongs to another service.",
	},
	{
		Code: "net_cancelled", Group: GroupNetwork, Seen: "context canceled",
		Cause:     "The attempt was stopped while {during}.",
		Who:       ladder.You,
		Remedy:    "Nothing is wrong. Start it again when you want.",
		Temporary: true,
	},
	{
		Code: "net_other", Group: GroupNetwork, Seen: "(any other error of the network)",
		Cause:     "The connection to {server} failed while {during}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Try again. If it stays so, the technical error is in Orbit's log; show it to whoever runs the network between this machine and {host}.",
		Temporary: true,
	},
}
