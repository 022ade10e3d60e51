package dial

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// lookup is the mapping of RFC 5895 without the rule against underscores: containers are called mail_server.
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.VerifyDNSLength(true))

// ASCIIHost returns a host as DNS and TLS want it: names in lower-case ACE form without a final dot, addresses in
// their shortest form without brackets. What cannot be a host is an error that a person can read.
func ASCIIHost(host string) (string, error) {
	name := stripBrackets(strings.TrimSpace(host))
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.String(), nil
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" {
		return "", errors.New("the host is empty")
	}
	ascii, err := lookup.ToASCII(name)
	if err != nil || strings.IndexFunc(ascii, notInNames) >= 0 || strings.HasSuffix(ascii, ".") || endsInNumber(ascii) {
		return "", fmt.Errorf("%q is not a host name", host)
	}
	return ascii, nil
}

// endsInNumber finds mistyped addresses such as 192.0.2.256: no name ends in a number (RFC 3696 2).
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return strings.Trim(last, "0123456789") == ""
}

// stripBrackets turns "[::1]" into "::1".
func stripBrackets(host string) string {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1]
	}
	return host
}

func notInNames(r rune) bool {
	const known = "abcdefghijklmnopqrstuvwxyz0123456789-._"
	return !strings.ContainsRune(known, r)
}
