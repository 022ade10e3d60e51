package explain

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"

	"orbit/internal/mail/ladder"
)

// Hop is what Orbit knows about a network connector that stands between this machine and a server.
type Hop struct {
	Connector string // its name
	Kind      string // for a sentence: "SOCKS5 proxy", "HTTP proxy", "SSH server"
	Address   string
	Port      int
	Username  string // whom its credential signs in; empty: it has none

	Host       string // the destination beyond it; empty: only the connector itself is visited
	TargetPort int
}

func (h Hop) values() values {
	c := Context{Host: h.Host, Port: h.TargetPort, Username: h.Username}
	v := c.values()
	v["connector"] = inline(h.Connector)
	v["kind"] = inline(h.Kind)
	v["connector_host"] = inline(h.Address)
	v["connector_port"] = number(int64(h.Port))
	v["connector_server"] = inline(server(h.Address, h.Port))
	for _, name := range []string{"detail", "code", "offered", "fingerprint", "pinned"} {
		v[name] = ""
	}
	return v
}

// Unreachable explains why there is no connection to the connector itself.
func (h Hop) Unreachable(err error) ladder.Fault {
	return h.named(hopCode(err))
}

// hopCode chooses the entry by the same signs as networkCode does for mail servers.
func hopCode(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if dns.IsNotFound {
			return "connector_name_unknown"
		}
		return "connector_dns_failed"
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "connector_cancelled"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connector_refused"
	case dropped(err):
		return "connector_reset"
	case timedOut(err):
		return "connector_timeout"
	case isAny(err, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EADDRNOTAVAIL, syscall.ENETDOWN, syscall.EHOSTDOWN):
		return "connector_unreachable"
	}
	return "connector_other"
}

// Forbidden says that the network rules refuse the connector's own address.
func (h Hop) Forbidden(d Destination) ladder.Fault {
	return Forbidden(d, Context{Host: h.Address, Port: h.Port})
}

// SignIn explains an error of the network while the connector was being signed in to.
func (h Hop) SignIn(err error) ladder.Fault {
	switch code := hopCode(err); code {
	case "connector_reset":
		return h.named("connector_dropped")
	case "connector_timeout":
		return h.named("connector_silent")
	default:
		return h.named(code)
	}
}

// Request explains an error of the network while the connector was asked for the destination.
func (h Hop) Request(err error) ladder.Fault {
	switch code := hopCode(err); code {
	case "connector_reset":
		return h.named("connector_dropped_request")
	case "connector_timeout":
		return h.named("connector_far_timeout")
	default:
		return h.named(code)
	}
}

// Named explains a situation that Orbit itself notices. The codes are those of the dictionary that begin
// with "connector_", "socks5_", "http_connect_" and "ssh_".
func (h Hop) Named(code string) ladder.Fault { return h.named(code) }

// Said is Named with the connector's own words.
func (h Hop) Said(code, words string) ladder.Fault {
	v := h.values()
	v["detail"] = inline(words)
	f := byCode(connectorEntries, code).fault(v)
	f.Reply = Clean(words)
	return f
}

func (h Hop) named(code string) ladder.Fault { return byCode(connectorEntries, code).fault(h.values()) }

// SOCKS explains the reply of a SOCKS5 proxy to a request (RFC 1928 6).
func (h Hop) SOCKS(reply byte) ladder.Fault {
	v := h.values()
	v["code"] = strconv.Itoa(int(reply))
	code := "socks5_" + v["code"]
	if reply < 1 || reply > 8 {
		code = "socks5_other"
	}
	f := byCode(connectorEntries, code).fault(v)
	f.Reply = "SOCKS reply " + v["code"]
	return f
}

// Connect explains the answer of an HTTP proxy to CONNECT. Line is its status line, and schemes are what it
// accepts as sign-in, from a 407.
func (h Hop) Connect(status int, line string, schemes []string) ladder.Fault {
	v := h.values()
	v["code"] = strconv.Itoa(status)
	v["detail"] = inline(line)
	v["offered"] = inline(strings.Join(schemes, ", "))
	f := byCode(connectorEntries, connectCode(status, h.Username != "", schemes)).fault(v)
	f.Reply = Clean(line)
	return f
}

func connectCode(status int, signsIn bool, schemes []string) string {
	switch status {
	case 401, 407: // tinyproxy says 401 to a wrong password
		return proxyAuthCode(signsIn, schemes)
	case 403, 502, 503, 504:
		return "http_connect_" + strconv.Itoa(status)
	case 400, 404, 405, 501:
		return "http_connect_no_proxy"
	case 429:
		return "http_connect_503"
	}
	return "http_connect_other"
}

func proxyAuthCode(signsIn bool, schemes []string) string {
	basic := len(schemes) == 0
	for _, s := range schemes {
		basic = basic || strings.EqualFold(s, "Basic")
	}
	switch {
	case !basic:
		return "http_connect_407_scheme"
	case signsIn:
		return "http_connect_407_wrong"
	}
	return "http_connect_407_missing"
}

// HostKey explains that an SSH server's host key is not the confirmed one; confirmed is empty before anybody
// confirmed one.
func (h Hop) HostKey(offered, confirmed string) ladder.Fault {
	v := h.values()
	v["fingerprint"], v["pinned"] = inline(offered), inline(confirmed)
	code := "ssh_host_key_changed"
	if confirmed == "" {
		code = "ssh_host_key_unconfirmed"
	}
	return byCode(connectorEntries, code).fault(v)
}

// Channel explains why an SSH server did not open a connection to the destination (RFC 4254 5.1).
func (h Hop) Channel(reason uint32, words string) ladder.Fault {
	switch reason {
	case 1:
		return h.Said("ssh_prohibited", words)
	case 2:
		return h.Said("ssh_connect_failed", words)
	case 3:
		return h.Said("ssh_no_forwarding", words)
	case 4:
		return h.Said("ssh_resource_shortage", words)
	}
	return h.Said("ssh_channel_other", words)
}
