package explain

import "orbit/internal/mail/ladder"

// httpConnectEntries are what an HTTP proxy can answer to CONNECT (RFC 9110 9.3.6).
var httpConnectEntries = []Entry{
	{
		Code: "http_connect_not_http", Group: GroupConnector, Seen: "(an answer that does not begin with HTTP/)",
		Cause:  "What answers at {connector_server} is not an HTTP proxy.",
		Who:    ladder.You,
		Remedy: "Check address, port and kind of the network connector {connector}: 3128 and 8080 are usual for HTTP proxies, 1080 for SOCKS5, 22 for SSH.",
	},
	{
		Code: "http_connect_403", Group: GroupConnector, Seen: "HTTP/1.1 403 Forbidden",
		Cause: "The HTTP proxy {connector} forbids connections to {server}.",
		Who:   ladder.NetworkTeam,
		Remedy: "Most proxies allow CONNECT to port 443 only. Have {host} and port {port} allowed on {connector_host}.\n" +
			"Squid: acl mail_ports port {port}, and http_access allow CONNECT mail_ports before http_access deny CONNECT !SSL_ports\n" +
			"tinyproxy: ConnectPort {port}",
	},
	{
		Code: "http_connect_407_missing", Group: GroupConnector, Seen: "HTTP/1.1 407 Proxy Authentication Required",
		Cause:  "The HTTP proxy {connector} wants a sign-in, and the connector has no credential.",
		Who:    ladder.You,
		Remedy: "Choose a credential with the proxy's username and password under Settings > Network Connectors > {connector}.",
	},
	{
		Code: "http_connect_407_wrong", Group: GroupConnector, Seen: "HTTP/1.1 407 Proxy Authentication Required (with a password; tinyproxy says 401)",
		Cause:  "The HTTP proxy {connector} does not accept username and password of {username}.",
		Who:    ladder.You,
		Remedy: "Replace the secret of the credential of {connector} under Settings > Credentials, and test the connector.",
	},
	{
		Code: "http_connect_407_scheme", Group: GroupConnector, Seen: "Proxy-Authenticate: Negotiate / NTLM",
		Cause:  "The HTTP proxy {connector} wants a kind of sign-in that Orbit does not have: {offered}.",
		Who:    ladder.NetworkTeam,
		Remedy: "Have Basic enabled for Orbit's user on {connector_host}, or this machine's address let in without a sign-in.",
	},
	{
		Code: "http_connect_502", Group: GroupConnector, Seen: "HTTP/1.1 502 Bad Gateway",
		Cause:     "The HTTP proxy {connector} could not connect to {server}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "{host} refused, or is not known on the proxy's side. Try on {connector_host}:\ngetent ahosts {sh:host}",
		Temporary: true,
	},
	{
		Code: "http_connect_503", Group: GroupConnector, Seen: "HTTP/1.1 503 Service Unavailable",
		Cause:     "The HTTP proxy {connector} cannot serve the connection to {server} now.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Squid says so too when {host} does not resolve or refuses. Otherwise the proxy is overloaded. Ask for the log of {connector_host} at this time.",
		Temporary: true,
	},
	{
		Code: "http_connect_504", Group: GroupConnector, Seen: "HTTP/1.1 504 Gateway Timeout",
		Cause:     "The HTTP proxy {connector} got no answer from {server}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "A firewall between {connector_host} and {host} drops the packets. Allow TCP from {connector_host} to {server}.",
		Temporary: true,
	},
	{
		Code: "http_connect_no_proxy", Group: GroupConnector, Seen: "HTTP/1.1 400, 404, 405 or 501",
		Cause:  "What answers at {connector_server} speaks HTTP and does not do CONNECT: it says {code}.",
		Who:    ladder.You,
		Remedy: "It is mostly a web server, not a proxy. Check address and port of the network connector {connector}; on a proxy have the method CONNECT enabled.",
	},
	{
		Code: "http_connect_other", Group: GroupConnector, Seen: "HTTP/1.1 (any other status)",
		Cause:  "The HTTP proxy {connector} refused the connection to {server} with the status {code}.",
		Who:    ladder.NetworkTeam,
		Remedy: "Its words are below. Ask for the log of {connector_host} at this time.",
	},
	{
		Code: "http_connect_malformed", Group: GroupConnector, Seen: "(an answer without end, or with a broken status line)",
		Cause:  "The HTTP proxy {connector} answered something that is no HTTP.",
		Who:    ladder.NetworkTeam,
		Remedy: "Check that {connector_server} is an HTTP proxy, and have it updated.",
	},
}

// sshEntries are what an SSH server can say on the way to a destination (RFC 4252, RFC 4254).
var sshEntries = []Entry{
	{
		Code: "ssh_not_ssh", Group: GroupConnector, Seen: "(an answer that does not begin with SSH-2.0-)",
		Cause:  "What answers at {connector_server} is not an SSH server.",
		Who:    ladder.You,
		Remedy: "Check address, port and kind of the network connector {connector}; 22 is usual for SSH.",
	},
	{
		Code: "ssh_host_key_unconfirmed", Group: GroupConnector, Seen: "(the first connection to an SSH server)",
		Cause: "Nobody has confirmed yet that {connector_server} is the right SSH server. It shows the host key {fingerprint}.",
		Who:   ladder.You,
		Remedy: "Compare the key with the server's own, then press Confirm host key under Settings > Network Connectors > {connector}. On the server:\n" +
			"for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done",
	},
	{
		Code: "ssh_host_key_changed", Group: GroupConnector, Seen: "(another host key than the confirmed one)",
		Cause: "The SSH server at {connector_server} shows another host key than the confirmed one: {fingerprint} instead of {pinned}. Nothing was sent to it.",
		Who:   ladder.You,
		Remedy: "Somebody reinstalled the server, or somebody else answers in its place. Ask whoever runs it. Only if the new key is really its own, press " +
			"Confirm host key under Settings > Network Connectors > {connector}. On the server:\n" +
			"for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done",
	},
	{
		Code: "ssh_no_credential", Group: GroupConnector, Seen: "(an SSH connector without a credential)",
		Cause:  "The SSH server {connector} wants a sign-in, and the connector has no credential.",
		Who:    ladder.You,
		Remedy: "Choose a credential whose secret is the password or the private key under Settings > Network Connectors > {connector}.",
	},
	{
		Code: "ssh_password", Group: GroupConnector, Seen: "ssh: unable to authenticate (with a password)",
		Cause: "The SSH server {connector} does not accept username and password of {username}.",
		Who:   ladder.You,
		Remedy: "Replace the secret of the credential of {connector} under Settings > Credentials. Many servers take keys only: then store the private " +
			"key as secret. On the server (sshd_config):\nPasswordAuthentication yes",
	},
	{
		Code: "ssh_key", Group: GroupConnector, Seen: "ssh: unable to authenticate (with a private key)",
		Cause:  "The SSH server {connector} does not accept the private key of {username}.",
		Who:    ladder.You,
		Remedy: "Add the public key to the file ~/.ssh/authorized_keys of {username} on {connector_host}. From the private key it is made by:\nssh-keygen -y -f id_ed25519",
	},
	{
		Code: "ssh_key_unreadable", Group: GroupConnector, Seen: "ssh: no key found / this private key is passphrase protected",
		Cause:  "The secret of the credential of {connector} begins like a private key and cannot be used: {detail}.",
		Who:    ladder.You,
		Remedy: "Store a private key in OpenSSH or PEM form without passphrase. The passphrase of a copy is removed by:\nssh-keygen -p -N '' -f id_ed25519",
	},
	{
		Code: "ssh_algorithms", Group: GroupConnector, Seen: "ssh: no common algorithm for key exchange",
		Cause:  "The SSH server at {connector_server} and Orbit have no method in common: {detail}.",
		Who:    ladder.NetworkTeam,
		Remedy: "The server offers outdated methods only, or a hardened configuration leaves none of the usual ones. Have OpenSSH on {connector_host} updated.",
	},
	{
		Code: "ssh_handshake", Group: GroupConnector, Seen: "ssh: handshake failed",
		Cause:     "The SSH server at {connector_server} did not come to an agreement with Orbit: {detail}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Ask for the log of {connector_host} at this time (journalctl -u ssh).",
		Temporary: true,
	},
	{
		Code: "ssh_prohibited", Group: GroupConnector, Seen: "ssh: rejected: administratively prohibited (open failed)",
		Cause: "The SSH server {connector} does not allow {username} to connect to {server} through it.",
		Who:   ladder.NetworkTeam,
		Remedy: "Have forwarding allowed on {connector_host}, in sshd_config (and no no-port-forwarding in authorized_keys):\n" +
			"AllowTcpForwarding local\nPermitOpen {host}:{port}",
	},
	{
		Code: "ssh_connect_failed", Group: GroupConnector, Seen: "ssh: rejected: connect failed (Connection refused)",
		Cause:     "The SSH server {connector} could not connect to {server}: {detail}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Check host and port of the account, then try on {connector_host}:\nnc -vz {sh:host} {port}",
		Temporary: true,
	},
	{
		Code: "ssh_no_forwarding", Group: GroupConnector, Seen: "ssh: rejected: unknown channel type",
		Cause:  "The SSH server {connector} cannot forward connections.",
		Who:    ladder.NetworkTeam,
		Remedy: "Devices with a small SSH server mostly cannot. Use a machine with OpenSSH as jump host.",
	},
	{
		Code: "ssh_resource_shortage", Group: GroupConnector, Seen: "ssh: rejected: resource shortage",
		Cause:     "The SSH server {connector} has no room for another connection.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Wait until connections end, or raise the limits of {connector_host}.",
		Temporary: true,
	},
	{
		Code: "ssh_channel_other", Group: GroupConnector, Seen: "ssh: rejected (any other reason)",
		Cause:  "The SSH server {connector} did not open a connection to {server}.",
		Who:    ladder.NetworkTeam,
		Remedy: "Its words are below. Ask for the log of {connector_host} at this time.",
	},
}
