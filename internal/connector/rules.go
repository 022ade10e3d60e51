package connector

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

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
