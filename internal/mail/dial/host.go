package dial

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// ASCIIHost returns a host as DNS and TLS want it: names in lower-case ACE form without a final dot, addresses in
// their shortest form without brackets. What cannot be a host is an error that a person can read.
func ASCIIHost(host string) (string, error) {
	host = stripBrackets(strings.TrimSpace(host))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String(), nil
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" {
		return "", errors.New("the host is empty")
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", fmt.Errorf("%q is not a host name", host)
	}
	if len(ascii) > 253 { // RFC 1035 2.3.4
		return "", errors.New("a host name has at most 253 characters")
	}
	return ascii, nil
}
