package submit

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321 4.5.3.1, in octets.
const (
	maxLocalPart = 64
	maxDomain    = 255
)

// address is a mailbox taken apart: what stands before the last "@", and the domain as the DNS has it.
type address struct {
	local  string
	domain string // ACE form, or a literal in brackets
}

// parseAddress reads "name@example.com", without display name and comments. International domains become
// ACE, so that every server understands them; letters outside ASCII before the "@" need SMTPUTF8.
func parseAddress(field, text string) (address, error) {
	if err := clean(field, text); err != nil {
		return address{}, err
	}
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 {
		return address{}, bad(field, "“%s” is not an e-mail address: it needs a name, an @ and a domain.", text)
	}
	local := text[:at]
	if i := strings.IndexFunc(local, func(r rune) bool { return !localPartRune(r) }); i >= 0 {
		return address{}, bad(field, "“%s” is not an e-mail address: “%c” is not allowed before the @.", text, []rune(local[i:])[0])
	}
	if len(local) > maxLocalPart {
		return address{}, bad(field, "“%s” is longer than %d characters before the @.", text, maxLocalPart)
	}
	domain, ok := asciiDomain(text[at+1:])
	if !ok {
		return address{}, bad(field, "“%s” is not an e-mail address: the domain is not valid.", text)
	}
	return address{local: local, domain: domain}, nil
}

// localPartRune allows atext and dots (RFC 5322 3.2.3) and letters beyond ASCII (RFC 6531 3.3). Quoted local
// parts with blanks, brackets or a second "@" are refused: nobody has one, and smuggling lives on them.
func localPartRune(r rune) bool {
	return r >= 0x80 || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r)
}

func asciiDomain(text string) (string, bool) {
	if literal, ok := strings.CutPrefix(text, "["); ok {
		return text, addressLiteral(strings.TrimSuffix(literal, "]")) && strings.HasSuffix(text, "]")
	}
	domain, err := idna.Lookup.ToASCII(text)
	emptyLabel := strings.Contains("."+domain+".", "..")
	return domain, err == nil && !emptyLabel && len(domain) <= maxDomain
}

// addressLiteral is the inside of "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3).
func addressLiteral(text string) bool {
	if v6, ok := strings.CutPrefix(text, "IPv6:"); ok {
		ip, err := netip.ParseAddr(v6)
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	ip, err := netip.ParseAddr(text)
	return err == nil && ip.Is4()
}

// String is the address for headers; go-mail quotes it where needed.
func (a address) String() string { return a.local + "@" + a.domain }

// international reports whether only a server with SMTPUTF8 can take the address.
func (a address) international() bool {
	return strings.IndexFunc(a.local, func(r rune) bool { return r >= 0x80 }) >= 0
}

// path is the address as MAIL and RCPT want it (RFC 5321 4.1.2). Misplaced dots, which some providers gave
// out, are quoted.
func (a address) path() string {
	local := a.local
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		local = `"` + local + `"`
	}
	return "<" + local + "@" + a.domain + ">"
}
