package explain

import (
	"orbit/internal/mail/ladder"
)

// Situations that Orbit itself notices, without an error of somebody else.

// NoSTARTTLS says that the account wants STARTTLS and the server does not offer it (or somebody strips it).
func NoSTARTTLS(c Context) ladder.Fault { return named("starttls_not_offered", c) }

// NoAuth says that the account signs in and the server offers no sign-in.
func NoAuth(c Context) ladder.Fault {
	if c.Security == Plain {
		return named("auth_not_offered_plain", c)
	}
	return named("auth_not_offered", c)
}

// NoMechanism says that the server offers none of the ways to sign in that this account can use.
func NoMechanism(c Context) ladder.Fault {
	if c.OAuth || c.AppOnly {
		return named("auth_no_oauth_mechanism", c)
	}
	return named("auth_no_mechanism", c)
}

// NoProof says that the server accepted a SCRAM sign-in without proving that it knows the password.
func NoProof(c Context) ladder.Fault { return named("auth_server_not_proven", c) }

// Injected says that something stood between the reply to STARTTLS and the first byte of TLS.
func Injected(c Context) ladder.Fault { return named("starttls_injected", c) }

// BrokenReply says that a mail server answered with something that is no reply of its protocol.
func BrokenReply(step ladder.Name, c Context) ladder.Fault {
	return byCode(namedEntries, "reply_malformed").fault(c.networkValues(step))
}

// PlainPassword says that a password would travel without encryption, which Orbit does not do.
func PlainPassword(c Context) ladder.Fault { return named("auth_without_tls", c) }

// NoSMTPUTF8 says that an address has letters outside ASCII and the server does not take those.
func NoSMTPUTF8(c Context) ladder.Fault { return named("smtputf8_not_offered", c) }

// No8BITMIME says that the message has 8-bit lines and the server does not take those.
func No8BITMIME(c Context) ladder.Fault { return named("8bitmime_not_offered", c) }

// TooLarge says that the message is larger than the server announced to take; it was not sent.
func TooLarge(c Context) ladder.Fault { return named("message_too_large", c) }

// NotApproved says that the credential's secret has not been entered for this destination.
func NotApproved(c Context) ladder.Fault { return named("credential_not_approved", c) }

// TokenWithheld says that nobody has approved that the access token goes to this server.
func TokenWithheld(c Context) ladder.Fault { return named("token_not_approved", c) }

// NoAddress says that a name exists and has no address.
func NoAddress(c Context) ladder.Fault {
	return byCode(networkEntries, "net_no_address").fault(c.networkValues(ladder.Resolve))
}

// NotMailServer says that something answered that does not speak the protocol. What it said is not shown.
func NotMailServer(c Context) ladder.Fault {
	return byCode(networkEntries, "net_not_a_mail_server").fault(c.networkValues(ladder.Greeting))
}

// Destination is an address that the network rules refuse.
type Destination struct {
	Address  string // "169.254.169.254"
	Rule     string // "link-local addresses are always refused"
	Variable string // the environment variable that changes it, "" when nothing does
	Setting  string // what to add to that variable
}

// Forbidden says that the network rules refuse a destination; nothing was dialled.
func Forbidden(d Destination, c Context) ladder.Fault {
	code := "destination_forbidden"
	if d.Variable != "" {
		code = "destination_not_allowed"
	}
	v := c.values()
	v["address"], v["rule"] = inline(d.Address), inline(d.Rule)
	v["variable"], v["setting"] = inline(d.Variable), inline(d.Setting)
	return byCode(namedEntries, code).fault(v)
}

// ConnectorUnusable says that the chosen network connector cannot carry a connection, and why. The attempt
// fails: mail never leaves another way than the configured one.
func ConnectorUnusable(name, reason string, c Context) ladder.Fault {
	v := c.values()
	v["connector"], v["reason"] = inline(name), inline(reason)
	return byCode(namedEntries, "connector_unusable").fault(v)
}

// ClockOff says by how much this machine's clock differs from a server's.
func ClockOff(difference string, c Context) ladder.Fault {
	v := c.values()
	v["difference"] = inline(difference)
	return byCode(namedEntries, "clock_off").fault(v)
}

func named(code string, c Context) ladder.Fault { return byCode(namedEntries, code).fault(c.values()) }

// BadTrust says that the account's certificate rule itself cannot be used.
func BadTrust(err error, c Context) ladder.Fault {
	v := c.values()
	v["reason"] = inline(err.Error())
	return byCode(tlsEntries, "tls_bad_rule").fault(v)
}

// BadHost says that what the account names as host and port cannot be dialled at all.
func BadHost(err error, c Context) ladder.Fault {
	v := c.values()
	v["reason"] = inline(err.Error())
	return byCode(namedEntries, "host_invalid").fault(v)
}

// PlainHTTP says that an identity provider must be reached by https.
func PlainHTTP(host string) ladder.Fault {
	return byCode(namedEntries, "http_refused").fault(values{"token_host": inline(host)})
}

// RedirectRefused says that an identity provider wanted to send a request with secrets to another host.
func RedirectRefused(from, to string) ladder.Fault {
	return byCode(namedEntries, "redirect_refused").fault(values{"token_host": inline(from), "address": inline(to)})
}
