package explain

import (
	"slices"

	"orbit/internal/mail/ladder"
)

// connectorEntries are chosen by code: a connector says numbers, not words.
var connectorEntries = slices.Concat(hopEntries, agentEntries, socksEntries, httpConnectEntries, sshEntries)

// hopEntries are about reaching a connector of any kind.
var hopEntries = []Entry{
	{
		Code: "connector_name_unknown", Group: GroupConnector, Seen: "lookup gate.example.com: no such host",
		Cause:  "The network connector {connector} cannot be reached: its address {connector_host} does not exist in the DNS.",
		Who:    ladder.You,
		Remedy: "Correct the address under Settings > Network Connectors > {connector}. Try the name on this machine:\ngetent ahosts {sh:connector_host}",
	},
	{
		Code: "connector_dns_failed", Group: GroupConnector, Seen: "lookup gate.example.com: server misbehaving / i/o timeout",
		Cause:     "The network connector {connector} cannot be reached: the name server gave no answer about {connector_host}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Check that this machine reaches its name server, or enter the connector's IP address. Try the name on this machine:\ngetent ahosts {sh:connector_host}",
		Temporary: true,
	},
	{
		Code: "connector_refused", Group: GroupConnector, Seen: "connect: connection refused",
		Cause: "The network connector {connector} is down: nothing accepts connections at {connector_server}.",
		Who:   ladder.NetworkTeam,
		Remedy: "Start the {kind} on {connector_host}, or correct address and port under Settings > Network Connectors > {connector}. " +
			"A service that listens on 127.0.0.1 only cannot be reached from here.",
		Temporary: true,
	},
	{
		Code: "connector_timeout", Group: GroupConnector, Seen: "dial tcp: i/o timeout",
		Cause:     "The network connector {connector} does not answer: the connection to {connector_server} timed out.",
		Who:       ladder.NetworkTeam,
		Remedy:    "The machine is off, or a firewall drops the packets. Allow TCP from this machine to {connector_server}.",
		Temporary: true,
	},
	{
		Code: "connector_unreachable", Group: GroupConnector, Seen: "connect: network is unreachable / no route to host",
		Cause:     "There is no route from this machine to the network connector {connector} at {connector_host}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Check the routing and the VPN of this machine. See the way it takes:\nip route get $(getent hosts {sh:connector_host} | cut -d' ' -f1)",
		Temporary: true,
	},
	{
		Code: "connector_reset", Group: GroupConnector, Seen: "read: connection reset by peer",
		Cause:     "{connector_server} cut the connection to the network connector {connector} at once.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Ask whether the {kind} on {connector_host} accepts this machine's address, and for its log at this time.",
		Temporary: true,
	},
	{
		Code: "connector_dropped", Group: GroupConnector, Seen: "EOF while signing in at the connector",
		Cause: "The network connector {connector} closed the connection before anything was agreed.",
		Who:   ladder.NetworkTeam,
		Remedy: "It mostly does not accept this machine's address, or what answers at {connector_server} is not a {kind}. Check address and port, " +
			"and ask for the log of {connector_host} at this time.",
		Temporary: true,
	},
	{
		Code: "connector_silent", Group: GroupConnector, Seen: "(silence after the connection to the connector was opened)",
		Cause: "{connector_server} accepted the connection and then said nothing that a {kind} says.",
		Who:   ladder.NetworkTeam,
		Remedy: "Check that the port is that of the {kind}: a service that waits for TLS, or a mail server, stays silent too. Otherwise the " +
			"network connector {connector} is overloaded.",
		Temporary: true,
	},
	{
		Code: "connector_dropped_request", Group: GroupConnector, Seen: "EOF after the request for the destination",
		Cause:     "The network connector {connector} closed the connection when it was asked for {server}, without saying why.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Many proxies close instead of answering when a rule forbids the destination or it cannot be reached. Ask for the log of {connector_host} at this time.",
		Temporary: true,
	},
	{
		Code: "connector_far_timeout", Group: GroupConnector, Seen: "(no answer to the request for the destination)",
		Cause: "The network connector {connector} was asked for {server} and gave no answer in time.",
		Who:   ladder.NetworkTeam,
		Remedy: "The connector itself answers, so the packets are lost behind it: a firewall between {connector_host} and {host}. " +
			"Allow TCP from {connector_host} to {server}.",
		Temporary: true,
	},
	{
		Code: "connector_cancelled", Group: GroupConnector, Seen: "context canceled",
		Cause:     "The attempt was stopped while it used the network connector {connector}.",
		Who:       ladder.You,
		Remedy:    "Nothing is wrong. Start it again when you want.",
		Temporary: true,
	},
	{
		Code: "connector_secret_not_approved", Group: GroupConnector, Seen: "(the secret was never entered for this connector)",
		Cause: "The secret of {username} was entered for another destination, not for the network connector {connector} at {connector_server}.",
		Who:   ladder.You,
		Remedy: "Open Settings > Network Connectors > {connector}, enter the secret and save. Kind, address, port and username belong to the " +
			"destination, so a changed address never receives a password that was meant for another.",
	},
	{
		Code: "connector_busy", Group: GroupConnector, Seen: "(too many connections at once through one connector)",
		Cause:     "The network connector {connector} carries as many connections as Orbit puts through one at a time.",
		Who:       ladder.Nobody,
		Remedy:    "It goes on by itself when connections end. If that happens often, spread the accounts over two connectors.",
		Temporary: true,
	},
	{
		Code: "connector_other", Group: GroupConnector, Seen: "(any other error on the way to a connector)",
		Cause:     "The connection to the network connector {connector} at {connector_server} failed.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Try again. If it stays so, the technical error is in Orbit's log; show it to whoever runs {connector_host}.",
		Temporary: true,
	},
}

// socksEntries are what a SOCKS5 proxy can say (RFC 1928, RFC 1929).
var socksEntries = []Entry{
	{
		Code: "socks5_not_socks", Group: GroupConnector, Seen: "(the first byte of the answer is not 5)",
		Cause:  "What answers at {connector_server} is not a SOCKS5 proxy.",
		Who:    ladder.You,
		Remedy: "Check address, port and kind of the network connector {connector}: 1080 is usual for SOCKS5; 3128 and 8080 belong to HTTP proxies, and SOCKS4 is not enough.",
	},
	{
		Code: "socks5_method", Group: GroupConnector, Seen: "05 FF (no acceptable methods)",
		Cause: "The SOCKS5 proxy at {connector_server} accepts none of the ways to sign in that {connector} has.",
		Who:   ladder.You,
		Remedy: "Without a credential the proxy wants one: choose a credential for {connector}. With one it wants no password or another kind " +
			"of sign-in (GSSAPI), or does not accept this machine's address: ask for its log.",
	},
	{
		Code: "socks5_password", Group: GroupConnector, Seen: "01 01 (username or password refused)",
		Cause:  "The SOCKS5 proxy at {connector_server} does not accept username and password of {username}.",
		Who:    ladder.You,
		Remedy: "Replace the secret of the credential of {connector} under Settings > Credentials, and test the connector.",
	},
	{
		Code: "socks5_1", Group: GroupConnector, Seen: "SOCKS reply 1: general failure",
		Cause:     "The SOCKS5 proxy {connector} could not connect to {server} and says no reason.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Often the name {host} does not resolve on the proxy's side. Ask for the log of {connector_host} at this time.",
		Temporary: true,
	},
	{
		Code: "socks5_2", Group: GroupConnector, Seen: "SOCKS reply 2: connection not allowed by ruleset",
		Cause:  "The rules of the SOCKS5 proxy {connector} do not allow a connection to {server}.",
		Who:    ladder.NetworkTeam,
		Remedy: "Have {host} and port {port} allowed on {connector_host}. Dante has a \"socks pass\" rule for it in danted.conf, with the line:\nfrom: 0/0 to: {host} port = {port}",
	},
	{
		Code: "socks5_3", Group: GroupConnector, Seen: "SOCKS reply 3: network unreachable",
		Cause:     "The SOCKS5 proxy {connector} has no route to {host}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Check the routing of {connector_host}. If {host} has an IPv6 address, the proxy may lack IPv6.",
		Temporary: true,
	},
	{
		Code: "socks5_4", Group: GroupConnector, Seen: "SOCKS reply 4: host unreachable",
		Cause:     "The SOCKS5 proxy {connector} cannot reach {host}: it does not resolve there, or does not answer.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Try on {connector_host}:\ngetent ahosts {sh:host}\nThen check routing and firewall between it and {server}.",
		Temporary: true,
	},
	{
		Code: "socks5_5", Group: GroupConnector, Seen: "SOCKS reply 5: connection refused",
		Cause:     "{host} refused the connection of the SOCKS5 proxy {connector}: nothing accepts connections on port {port}.",
		Who:       ladder.You,
		Remedy:    "Check host and port of the account. If they are right, the service on {host} is stopped or rejects the address of {connector_host}.",
		Temporary: true,
	},
	{
		Code: "socks5_6", Group: GroupConnector, Seen: "SOCKS reply 6: TTL expired",
		Cause:     "The packets of the SOCKS5 proxy {connector} to {server} expired on the way.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Mostly a routing loop behind {connector_host}, or a firewall that drops. See the way on that machine:\ntraceroute {sh:host}",
		Temporary: true,
	},
	{
		Code: "socks5_7", Group: GroupConnector, Seen: "SOCKS reply 7: command not supported",
		Cause:  "The SOCKS5 proxy {connector} does not do what it was asked for: to open a connection (CONNECT).",
		Who:    ladder.NetworkTeam,
		Remedy: "Have the command CONNECT enabled on {connector_host}, or use another connector.",
	},
	{
		Code: "socks5_8", Group: GroupConnector, Seen: "SOCKS reply 8: address type not supported",
		Cause:  "The SOCKS5 proxy {connector} does not take the address {host}.",
		Who:    ladder.NetworkTeam,
		Remedy: "A proxy that takes no names cannot look {host} up: have it updated, or enter an IP address as host. One without IPv6 needs an IPv4 address.",
	},
	{
		Code: "socks5_other", Group: GroupConnector, Seen: "SOCKS reply 9 and above",
		Cause:  "The SOCKS5 proxy {connector} refused the connection to {server} with the number {code}, which the standard does not know.",
		Who:    ladder.NetworkTeam,
		Remedy: "Ask for the log of {connector_host} at this time.",
	},
	{
		Code: "socks5_malformed", Group: GroupConnector, Seen: "(an answer that breaks RFC 1928)",
		Cause:  "The SOCKS5 proxy {connector} answered something that the standard does not allow.",
		Who:    ladder.NetworkTeam,
		Remedy: "Check that {connector_server} is a SOCKS5 proxy and have it updated.",
	},
	{
		Code: "socks5_long", Group: GroupConnector, Seen: "(a name, username or password of more than 255 bytes)",
		Cause:  "SOCKS5 carries no names, usernames and passwords of more than 255 bytes, and one of {connector} is longer.",
		Who:    ladder.You,
		Remedy: "Shorten it, or use another kind of connector.",
	},
}
