package explain

import "orbit/internal/mail/ladder"

// pinAdvice ends the remedies where the administrator may know the certificate better than any authority.
const pinAdvice = "\nIf you know that this is the right server, pin its certificate (SHA-256 {fingerprint})."

// TLS codes are chosen by tlsCode and networkCode, so the entries need no pattern.
var tlsEntries = []Entry{
	{
		Code: "tls_expired", Group: GroupTLS, Seen: "x509: certificate has expired",
		Cause: "The certificate of {host} ({subject}) expired on {not_after}.",
		Who:   ladder.ServerAdmin,
		Remedy: "Renew the certificate on {host} and reload the service. If it was renewed already, the service still uses the old file. " +
			"This machine's clock says {now}; correct it if that is wrong." + pinAdvice,
	},
	{
		Code: "tls_not_yet_valid", Group: GroupTLS, Seen: "x509: certificate is not yet valid",
		Cause: "The certificate of {host} is valid only from {not_before}.",
		Who:   ladder.You,
		Remedy: "This machine's clock says {now}. If that is wrong, set it (timedatectl set-ntp true). " +
			"If it is right, the certificate was installed too early; ask the administrator of {host}.",
		Temporary: true,
	},
	{
		Code: "tls_clock_off", Group: GroupTLS, Seen: "x509: certificate has expired or is not yet valid (with a clock in the past)",
		Cause:     "This machine's clock is wrong: it says {now}.",
		Who:       ladder.You,
		Remedy:    "Set the clock; certificates and tokens cannot be checked without it:\ntimedatectl set-ntp true",
		Temporary: true,
	},
	{
		Code: "tls_wrong_name", Group: GroupTLS, Seen: "x509: certificate is valid for mail.example.net, not mail.example.com",
		Cause: "The certificate is not for {host}; it names {names}.",
		Who:   ladder.You,
		Remedy: "Enter one of the names of the certificate as host, if it is the same server. Otherwise the administrator of {host} must " +
			"add the name to the certificate." + pinAdvice,
	},
	{
		Code: "tls_no_names", Group: GroupTLS, Seen: "x509: certificate relies on legacy Common Name field",
		Cause: "The certificate of {host} has no subject alternative name, so it fits no server.",
		Who:   ladder.ServerAdmin,
		Remedy: "Make a new certificate for {host} with subject alternative name DNS:{host}; the common name alone has not counted for " +
			"years." + pinAdvice,
	},
	{
		Code: "tls_self_signed", Group: GroupTLS, Seen: "x509: certificate signed by unknown authority (self-signed)",
		Cause: "The certificate of {host} is self-signed: nobody vouches for it.",
		Who:   ladder.You,
		Remedy: "Compare the fingerprint with the one on the server, then pin the certificate (SHA-256 {fingerprint}). On the server:\n" +
			"openssl x509 -noout -fingerprint -sha256 -in /path/to/certificate.pem\n" +
			"Or have the server use a certificate of a known authority.",
	},
	{
		Code: "tls_unknown_authority", Group: GroupTLS, Seen: "x509: certificate signed by unknown authority",
		Cause: "The certificate of {host} comes from {issuer}, which this machine does not know.",
		Who:   ladder.You,
		Remedy: "If {issuer} is your own authority, choose \"own CA\" and paste its root certificate. If a firewall opens TLS on the way, its " +
			"authority appears here: have {host} excepted." + pinAdvice,
	},
	{
		Code: "tls_incomplete_chain", Group: GroupTLS, Seen: "x509: certificate signed by unknown authority (the server sent one certificate)",
		Cause: "{host} sent its certificate alone, and its issuer {issuer} is not known to this machine.",
		Who:   ladder.ServerAdmin,
		Remedy: "Configure the full chain on {host}: the file with the intermediate certificates (often fullchain.pem). " +
			"If {issuer} is your own authority, choose \"own CA\" and paste its root certificate." + pinAdvice,
	},
	{
		Code: "tls_weak_key", Group: GroupTLS, Seen: "RSA key of 512 bits is too short",
		Cause:  "The certificate of {host} has a key that is too short to protect anything ({bits}).",
		Who:    ladder.ServerAdmin,
		Remedy: "Make a new key and certificate on {host}: RSA with 2048 bits or more, or ECDSA P-256.",
	},
	{
		Code: "tls_weak_signature", Group: GroupTLS, Seen: "x509: cannot verify signature: insecure algorithm SHA1-RSA",
		Cause:  "The certificate of {host} or of its issuer is signed with an algorithm that is no longer safe (MD5 or SHA-1).",
		Who:    ladder.ServerAdmin,
		Remedy: "Have the certificate issued again with SHA-256." + pinAdvice,
	},
	{
		Code: "tls_revoked", Group: GroupTLS, Seen: "(the stapled OCSP answer says \"revoked\")",
		Cause:  "The certificate of {host} was revoked by {issuer} on {revoked_at}.",
		Who:    ladder.ServerAdmin,
		Remedy: "Its key may be in wrong hands. Have a new key and certificate installed on {host}; do not pin the old one.",
	},
	{
		Code: "tls_wrong_purpose", Group: GroupTLS, Seen: "x509: certificate specifies an incompatible key usage",
		Cause:  "The certificate of {host} was not issued for servers.",
		Who:    ladder.ServerAdmin,
		Remedy: "Have a certificate issued for {host} with extended key usage \"TLS Web Server Authentication\"." + pinAdvice,
	},
	{
		Code: "tls_chain_rules", Group: GroupTLS, Seen: "x509: certificate is not authorized to sign other certificates (and similar)",
		Cause:  "The certificate chain of {host} breaks the rules of its own authorities.",
		Who:    ladder.ServerAdmin,
		Remedy: "One certificate of the chain may not vouch for the next, or not for this name. Have the certificate issued again by a proper authority." + pinAdvice,
	},
	{
		Code: "tls_bad_certificate", Group: GroupTLS, Seen: "tls: failed to parse certificate from server",
		Cause:  "{host} sent a certificate that cannot be read.",
		Who:    ladder.ServerAdmin,
		Remedy: "Install a proper certificate on {host}. See what it sends:\nopenssl s_client -connect {sh:server} {starttls} -showcerts",
	},
	{
		Code: "tls_no_system_roots", Group: GroupTLS, Seen: "x509: failed to load system roots and no roots provided",
		Cause:  "This machine has no list of certificate authorities.",
		Who:    ladder.You,
		Remedy: "Install it and start Orbit again:\napt-get install ca-certificates",
	},
	{
		Code: "tls_pin_mismatch", Group: GroupTLS, Seen: "fingerprint is 5f3a…, pinned is 9c01…",
		Cause: "{host} shows another certificate than the pinned one: pinned is {pinned}, shown is {fingerprint}.",
		Who:   ladder.You,
		Remedy: "Ask the administrator of {host} whether the certificate was renewed. If it was, pin the new fingerprint {fingerprint}. " +
			"If not, somebody may be listening: do not pin it.",
	},
	{
		Code: "tls_version", Group: GroupTLS, Seen: "tls: server selected unsupported protocol version 301",
		Cause:  "{host} speaks only outdated versions of TLS; Orbit uses {versions}.",
		Who:    ladder.ServerAdmin,
		Remedy: "Enable TLS 1.2 or 1.3 on {host}; SSL 3, TLS 1.0 and TLS 1.1 are broken and retired (RFC 8996).",
	},
	{
		Code: "tls_cipher", Group: GroupTLS, Seen: "remote error: tls: handshake failure",
		Cause: "{host} and Orbit found no encryption that both accept.",
		Who:   ladder.ServerAdmin,
		Remedy: "Enable a modern cipher suite on {host} (ECDHE with AES-GCM or ChaCha20-Poly1305) and TLS 1.2 or 1.3. Some servers also " +
			"say this when they want a client certificate, which mail accounts do not have. See what it offers:\nopenssl s_client -connect {sh:server} {starttls}",
	},
	{
		Code: "tls_unknown_name_alert", Group: GroupTLS, Seen: "remote error: tls: unrecognized name",
		Cause:  "The server at {server} does not know itself by the name {host}.",
		Who:    ladder.You,
		Remedy: "Check the host's spelling; behind a load balancer the name must be one that is configured there.",
	},
	{
		Code: "tls_client_certificate", Group: GroupTLS, Seen: "remote error: tls: certificate required",
		Cause:  "{host} wants a client certificate, which mail accounts do not have.",
		Who:    ladder.ServerAdmin,
		Remedy: "Have the demand for client certificates switched off for this machine, or use a port of {host} that does not ask for them.",
	},
	{
		Code: "tls_handshake", Group: GroupTLS, Seen: "(any other alert)",
		Cause:  "{host} broke off the agreement on encryption: {detail}.",
		Who:    ladder.ServerAdmin,
		Remedy: "Ask for the log of {host} at this time. See how far it goes:\nopenssl s_client -connect {sh:server} {starttls}",
	},
	{
		Code: "tls_plain_greeting", Group: GroupTLS, Seen: "tls: first record does not look like a TLS handshake (a mail server's greeting)",
		Cause:  "Port {port} of {host} starts without encryption, but the account is set to TLS from the start.",
		Who:    ladder.You,
		Remedy: "Set the type of the secure connection to STARTTLS, or use port {tls_port} with TLS from the start.",
	},
	{
		Code: "tls_not_tls", Group: GroupTLS, Seen: "tls: first record does not look like a TLS handshake",
		Cause:  "What answers at {server} does not speak TLS.",
		Who:    ladder.You,
		Remedy: "Check host and port: for {protocol}, {tls_port} speaks TLS from the start and {plain_port} uses STARTTLS.",
	},
	{
		Code: "tls_wanted_by_server", Group: GroupTLS, Seen: "(silence, an alert or EOF where the greeting should be, on port 465, 993 or 995)",
		Cause:  "Port {port} of {host} speaks TLS from the start, but the account is set to {security}.",
		Who:    ladder.You,
		Remedy: "Set the type of the secure connection to \"TLS from the start\" (ssl), or use port {plain_port} with STARTTLS.",
	},
	{
		Code: "tls_timeout", Group: GroupTLS, Seen: "(silence during the handshake)",
		Cause: "{server} did not answer while {during}.",
		Who:   ladder.NetworkTeam,
		Remedy: "Mostly a firewall that inspects TLS, or a wrong MTU on the way (large packets get lost). Try from this machine:\n" +
			"openssl s_client -connect {sh:server} {starttls}",
		Temporary: true,
	},
	{
		Code: "tls_dropped", Group: GroupTLS, Seen: "EOF or reset during the handshake",
		Cause: "{server} closed the connection while {during}.",
		Who:   ladder.ServerAdmin,
		Remedy: "The port does not speak TLS, the server's certificate is not set up, or a firewall cuts TLS. Check the type of the secure " +
			"connection ({tls_port}: TLS from the start, {plain_port}: STARTTLS) and the log of {host}.",
		Temporary: true,
	},
	{
		Code: "tls_bad_rule", Group: GroupTLS, Seen: "(the account's own CA, pinned fingerprint or host cannot be read)",
		Cause:  "The account's certificate settings cannot be used: {reason}.",
		Who:    ladder.You,
		Remedy: "Correct the host, the pinned fingerprint or the own CA at the account.",
	},
}
