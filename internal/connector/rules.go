package connector

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"orbit/internal/mail/explain"
)

// The environment variables that change the rules; faults name them.
const (
	AllowedVariable = "ORBIT_ALLOWED_DESTINATIONS"
	DeniedVariable  = "ORBIT_DENIED_DESTINATIONS"
)

// Rules say where connections may go. Link-local, metadata, unspecified, multicast and broadcast addresses are
// refused always; loopback unless allowed; everything else is allowed unless denied. What is both allowed and
// denied is denied.
type Rules struct {
	Allowed []Pattern
	Denied  []Pattern
}

// ParseRules reads the two variables.
func ParseRules(allowed, denied string) (Rules, error) {
	var r Rules
	var err error
	if r.Allowed, err = ParsePatterns(allowed); err != nil {
		return Rules{}, err
	}
	if r.Denied, err = ParsePatterns(denied); err != nil {
		return Rules{}, err
	}
	return r, nil
}

// Refusal says that the rules forbid a destination.
type Refusal struct {
	explain.Destination
}

func (r *Refusal) Error() string { return r.Address + ": " + r.Rule }

// Judge returns why a destination is refused, or nil. Host is the name that was looked up, or the address again.
func (r Rules) Judge(host string, addr netip.Addr, port int) *Refusal {
	addr = plain(addr)
	all := forms(addr)
	for _, form := range all {
		for _, b := range never {
			if b.prefix.Contains(form) {
				return refuse(addr, b.rule)
			}
		}
	}
	for _, form := range all {
		if p, found := match(r.Denied, host, form, port); found {
			refusal := refuse(addr, "it is denied by "+p.String())
			refusal.Variable, refusal.Setting = DeniedVariable, "take "+p.String()+" out of it"
			return refusal
		}
	}
	for _, form := range all {
		if _, found := match(r.Allowed, host, form, port); form.IsLoopback() && !found {
			refusal := refuse(addr, "loopback addresses other than Orbit's own listeners must be allowed")
			refusal.Variable = AllowedVariable
			refusal.Setting = "add " + net.JoinHostPort(addr.String(), strconv.Itoa(port)) + " to it"
			return refusal
		}
	}
	return nil
}

// JudgeName judges a destination that is looked up beyond a connector: its name is all there is to see here.
// It returns why the destination is refused, or nil. Host is in the form of dial.ASCIIHost.
func (r Rules) JudgeName(host string, port int) *Refusal {
	if addr, err := netip.ParseAddr(host); err == nil {
		return r.Judge(host, addr, port)
	}
	if numeric(host) {
		return &Refusal{explain.Destination{Address: host, Rule: "a name that ends in a number is read as an address by some machines and as a name by others"}}
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 6.3: loopback, wherever it is looked up
		return r.Judge(host, netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
	}
	if slices.Contains(metadataNames, host) {
		return &Refusal{explain.Destination{Address: host, Rule: "the metadata services of clouds are always refused"}}
	}
	for _, p := range r.Denied {
		if p.Host == host && (p.Port == 0 || p.Port == port) {
			return &Refusal{explain.Destination{
				Address: host, Rule: "it is denied by " + p.String(),
				Variable: DeniedVariable, Setting: "take " + p.String() + " out of it",
			}}
		}
	}
	return nil
}

// metadataNames are names that clouds give their metadata services.
var metadataNames = []string{"metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal", "metadata"}

// numeric reports whether inet_aton could read a name as an address: 127.1, 0x7f000001 or 2130706433. The
// last label decides, as browsers do it (WHATWG URL, "ends in a number").
func numeric(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	last := host[strings.LastIndex(host, ".")+1:]
	if hex, found := strings.CutPrefix(last, "0x"); found {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

func refuse(addr netip.Addr, rule string) *Refusal {
	return &Refusal{explain.Destination{Address: addr.String(), Rule: rule}}
}

func match(patterns []Pattern, host string, addr netip.Addr, port int) (Pattern, bool) {
	i := slices.IndexFunc(patterns, func(p Pattern) bool { return p.covers(host, addr, port) })
	if i < 0 {
		return Pattern{}, false
	}
	return patterns[i], true
}

// usualPorts are those of SMTP, POP3 and IMAP. Others are used too, mostly by mistake.
var usualPorts = []int{25, 465, 587, 2525, 110, 143, 993, 995}

func usual(port int) bool { return slices.Contains(usualPorts, port) }
