package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/tunnel"
)

// This file is the agent's side: what an agent may dial in its own network, and how. It needs no database.

// DestinationsVariable is where an agent's list of destinations stands.
const DestinationsVariable = "ORBIT_CONNECTOR_DESTINATIONS"

// UsualDestinations are what an agent may dial when nobody says otherwise: mail and https, anywhere.
const UsualDestinations = "*:25,*:465,*:587,*:2525,*:110,*:143,*:993,*:995,*:443"

// Destinations are what an agent may dial.
type Destinations struct {
	list []Pattern
	any  map[int]bool // ports that are allowed for every host; 0: all of them
	tail []tail
}

// tail is a pattern for all names below a domain.
type tail struct {
	suffix string // ".example.com"
	port   int
}

// ParseDestinations reads a list separated by commas or blanks: what ParsePatterns takes, and besides
// "*:25" for every host and "*.example.com:587" for every name below a domain.
func ParseDestinations(list string) (Destinations, error) {
	d := Destinations{any: map[int]bool{}}
	for _, item := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }) {
		if !strings.HasPrefix(item, "*") {
			p, err := parsePattern(item)
			if err != nil {
				return Destinations{}, err
			}
			d.list = append(d.list, p)
			continue
		}
		if err := d.addWildcard(item); err != nil {
			return Destinations{}, err
		}
	}
	if len(d.list)+len(d.any)+len(d.tail) == 0 {
		return Destinations{}, errors.New("the list of destinations is empty: the agent could connect to nothing")
	}
	return d, nil
}

func (d *Destinations) addWildcard(item string) error {
	host, port := item, 0
	if h, digits, found := strings.Cut(item, ":"); found {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%q: the port must be a number from 1 to 65535", item)
		}
		host, port = h, int(n)
	}
	if host == "*" {
		d.any[port] = true
		return nil
	}
	name, err := dial.ASCIIHost(strings.TrimPrefix(host, "*."))
	if err != nil || !strings.HasPrefix(host, "*.") {
		return fmt.Errorf("%q is neither * with a port (*:25) nor *. with a domain (*.example.com:587)", item)
	}
	d.tail = append(d.tail, tail{"." + name, port})
	return nil
}

// named returns the pattern that names this very destination, not by a wildcard.
func (d Destinations) named(host string, addr netip.Addr, port int) bool {
	_, found := match(d.list, host, addr, port)
	return found
}

// allow reports whether the list has a destination.
func (d Destinations) allow(host string, addr netip.Addr, port int) bool {
	if d.any[0] || d.any[port] || d.named(host, addr, port) {
		return true
	}
	for _, t := range d.tail {
		if strings.HasSuffix(host, t.suffix) && (t.port == 0 || t.port == port) {
			return true
		}
	}
	return false
}

// Far dials for an agent.
type Far struct {
	s    *Service
	list Destinations
	home func() []netip.Addr // Orbit's own addresses
}

// NewFar returns what an agent dials with. home are the addresses of Orbit, which an agent reaches for no
// tunnel unless the list names them.
func NewFar(list Destinations, home func() []netip.Addr) *Far {
	f := &Far{list: list, home: home}
	// What stands in the list as an address may be on this machine: a relay beside the agent.
	f.s = NewService(nil, Rules{Allowed: list.list})
	f.s.forbid = f.judge
	return f
}

// judge adds the agent's own rules to those that hold everywhere.
func (f *Far) judge(host string, addr netip.Addr, port int) *Refusal {
	if !f.list.allow(host, addr, port) {
		r := refuse(addr, "it is not in the list of destinations of the agent")
		r.Variable = DestinationsVariable
		r.Setting = "add " + net.JoinHostPort(host, strconv.Itoa(port)) + " to " + DestinationsVariable
		return r
	}
	for _, own := range f.home() {
		if plain(own) == plain(addr) && !f.list.named(host, addr, port) {
			r := refuse(addr, "it is an address of Orbit itself")
			r.Variable = DestinationsVariable
			r.Setting = "add " + net.JoinHostPort(host, strconv.Itoa(port)) + " to " + DestinationsVariable
			return r
		}
	}
	return nil
}

// Dial implements tunnel.Dial.
func (f *Far) Dial(ctx context.Context, r tunnel.Request, told func(tunnel.Progress)) (tunnel.Dialled, error) {
	l := ladder.New(func(s ladder.Step) {
		if s.Done && s.Fault == nil {
			told(progress(s))
		}
	})
	conn, err := direct{f.s}.Dial(ladder.With(ctx, l), r.Host, r.Port)
	if err != nil {
		return nil, farFailure(err)
	}
	tcp, ok := conn.(tunnel.Dialled)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("the connection has no half-close")
	}
	return tcp, nil
}

// progress is a step of the agent's ladder in the words of the tunnel. Warnings about ports are Orbit's own.
func progress(s ladder.Step) tunnel.Progress {
	p := tunnel.Progress{Step: string(s.Name), Title: s.Title, Text: s.Result}
	for _, line := range s.Transcript {
		p.Notes = append(p.Notes, line.Text)
	}
	return p
}

// farFailure puts an error of dialling into words that Orbit can explain.
func farFailure(err error) error {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		setting := refusal.Setting
		if refusal.Variable == AllowedVariable { // loopback; the agent has another list
			setting = strings.Replace(setting, " to it", " to "+DestinationsVariable, 1)
		}
		return &tunnel.Failure{
			Code: tunnel.Forbidden, Text: refusal.Error(), Address: refusal.Address, Rule: refusal.Rule, Setting: setting,
		}
	}
	if errors.Is(err, errNoAddress) {
		return &tunnel.Failure{Code: tunnel.NoAddress, Text: err.Error()}
	}
	return tunnel.FailureOf(err)
}
