package credential

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Destination is where a secret goes, and what proves that it is the right place.
type Destination struct {
	Host        string // name or literal address, in any spelling
	Port        int
	Username    string // whom it signs in; empty: the credential's username
	TLS         string // "" (not encrypted), "tls" (STARTTLS), "ssl" (from the first byte)
	Certificate string // "verify", "pin:<fingerprint>", "custom_ca:<hash>", "ignore"
	Connector   string // "direct" or an id; counts only where the certificate proves nothing

	own bool
}

// Self is this Orbit: its own proxy listeners, where the secret is compared and never sent.
var Self = Destination{own: true}

const (
	selfText = "self"
	ignore   = "ignore"
	verify   = "verify"
	direct   = "direct"
)

// String is the one spelling of a destination. It is stored, and sealed with the secret: two destinations
// give the same text only when they are the same place with the same proof.
func (d Destination) String() string {
	if d.own {
		return selfText
	}
	n := d.normal()
	return "host=" + url.QueryEscape(n.Host) +
		"&port=" + strconv.Itoa(n.Port) +
		"&username=" + url.QueryEscape(n.Username) +
		"&tls=" + url.QueryEscape(n.TLS) +
		"&certificate=" + url.QueryEscape(n.Certificate) +
		"&connector=" + url.QueryEscape(n.Connector)
}

// Label is a destination for people: "smtp.example.com:587, STARTTLS".
func (d Destination) Label() string {
	if d.own {
		return "this Orbit"
	}
	n := d.normal()
	label := net.JoinHostPort(n.Host, strconv.Itoa(n.Port))
	switch n.TLS {
	case "":
		label += ", not encrypted"
	case "tls":
		label += ", STARTTLS"
	default:
		label += ", TLS"
	}
	if n.Certificate == ignore {
		label += ", any certificate"
	}
	return label
}

// normal removes what makes no difference to where the secret arrives.
func (d Destination) normal() Destination {
	d.Host = normalHost(d.Host)
	d.Certificate = strings.ToLower(strings.TrimSpace(d.Certificate))
	if d.Certificate == "" {
		d.Certificate = verify
	}
	if d.TLS == "" {
		d.Certificate = "" // there is none
	}
	switch proven := d.TLS != "" && d.Certificate != ignore; {
	case proven:
		d.Connector = "" // whatever the way, only the right server has the certificate
	case d.Connector == "":
		d.Connector = direct
	}
	return d
}

// lookup is how names are resolved, underscores allowed: internal names have them.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// maxHost is more than any name that resolves (253 letters), whatever alphabet it is written in; the encoding
// of longer ones takes time that grows with the square.
const maxHost = 1000

// normalHost spells a host as the resolver sees it. What is no host at all is kept, so that it stays different
// from every other; it will not resolve.
func normalHost(host string) string {
	host = strings.TrimSpace(host)
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return address.Unmap().String()
	}
	if len(host) > maxHost {
		return host
	}
	ascii, err := lookup.ToASCII(host)
	if err != nil {
		ascii = strings.ToLower(host)
	}
	return strings.TrimSuffix(ascii, ".")
}

// ParseDestination reads what String wrote.
func ParseDestination(text string) (Destination, bool) {
	if text == selfText {
		return Self, true
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return Destination{}, false
	}
	port, err := strconv.Atoi(values.Get("port"))
	d := Destination{
		Host: values.Get("host"), Port: port, Username: values.Get("username"), TLS: values.Get("tls"),
		Certificate: values.Get("certificate"), Connector: values.Get("connector"),
	}
	return d, err == nil && d.String() == text
}
