package connector

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"orbit/internal/mail/dial"
)

// Pattern is one destination of ORBIT_ALLOWED_DESTINATIONS or ORBIT_DENIED_DESTINATIONS.
type Pattern struct {
	Prefix netip.Prefix // a network or one address; invalid when Host is given
	Host   string       // a name in ACE form
	Port   int          // 0: every port
}

// ParsePatterns reads a list separated by commas or blanks. An item is a network, an address or a host, with or
// without a port: "10.0.0.0/8", "127.0.0.1:1025", "[::1]:1025", "mail.example.com:25".
func ParsePatterns(list string) ([]Pattern, error) {
	items := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
	all := make([]Pattern, 0, len(items))
	for _, item := range items {
		p, err := parsePattern(item)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func parsePattern(item string) (Pattern, error) {
	if p, ok := parsePrefix(item); ok {
		return Pattern{Prefix: p}, nil
	}
	host, port := item, 0
	if h, digits, err := net.SplitHostPort(item); err == nil {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 {
			return Pattern{}, fmt.Errorf("%q: the port must be a number from 1 to 65535", item)
		}
		host, port = h, int(n)
	}
	if p, ok := parsePrefix(host); ok {
		return Pattern{Prefix: p, Port: port}, nil
	}
	name, err := dial.ASCIIHost(host)
	if err != nil || strings.Contains(host, "/") {
		return Pattern{}, fmt.Errorf("%q is neither a network (10.0.0.0/8) nor a host with a port (mail.example.com:25)", item)
	}
	return Pattern{Host: name, Port: port}, nil
}

// parsePrefix reads a network or a single address. IPv4-mapped networks become IPv4 ones, as addresses do
// before they are compared.
func parsePrefix(text string) (netip.Prefix, bool) {
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = text[1 : len(text)-1]
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = plain(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// String is the pattern as it is written in the variable.
func (p Pattern) String() string {
	text := p.Host
	if text == "" {
		text = p.Prefix.String()
		if p.Prefix.IsSingleIP() {
			text = p.Prefix.Addr().String()
		}
	}
	if p.Port == 0 {
		return text
	}
	return net.JoinHostPort(text, strconv.Itoa(p.Port))
}

// covers reports whether the pattern means this destination. A name in the pattern means the name that is
// dialled, whatever address it has.
func (p Pattern) covers(host string, addr netip.Addr, port int) bool {
	if p.Port != 0 && p.Port != port {
		return false
	}
	if p.Host != "" {
		return p.Host == host
	}
	return p.Prefix.Contains(addr)
}
