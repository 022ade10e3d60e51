package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Finding is one thing that the agent's doctor has examined.
type Finding struct {
	What   string `json:"what"`
	Good   bool   `json:"good"`
	Result string `json:"result"`
	Who    string `json:"who,omitempty"`    // must act, where it is not whoever runs the agent
	Remedy string `json:"remedy,omitempty"` // what to do when it is not good
}

// mostOff is how far clocks may differ before logs of both sides cannot be compared any more.
const mostOff = 5 * time.Minute

// Examine looks for whatever could keep an agent from working, from the name of the server to the sign-in. It changes
// nothing, here and at the server.
func Examine(ctx context.Context, o AgentOptions) []Finding {
	fingerprint, err := ParseFingerprint(o.Fingerprint)
	if err != nil {
		return []Finding{{What: "fingerprint", Result: err.Error(), Remedy: "Copy it from `orbit network-connector setup` or `status` on Orbit's machine."}}
	}
	o.Fingerprint = fingerprint
	key, state := examineState(o)
	findings := []Finding{key}
	for _, address := range o.Addresses {
		findings = append(findings, (&doctor{o: o, address: address, state: state}).examine(ctx)...)
	}
	return findings
}

// examineState looks at the key. Without one it makes a fresh one that is not stored.
func examineState(o AgentOptions) (Finding, *State) {
	state, err := readState(o.State)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.Token.IsZero():
		return Finding{
			What: "key", Result: "there is none in " + o.State + ", and no token",
			Remedy: "Run `orbit network-connector setup` on Orbit's machine and use the command that it prints. If the agent runs as a service, run the doctor as its user.",
		}, newState(o.State)
	case errors.Is(err, fs.ErrNotExist):
		return Finding{What: "key", Good: true, Result: "none yet; the token will bring one in"}, newState(o.State)
	case err != nil:
		return Finding{What: "key", Result: err.Error(), Remedy: "Correct that, or set ORBIT_CONNECTOR_DIR to another directory."}, newState(o.State)
	case !state.Enrolled:
		return Finding{What: "key", Good: !o.Token.IsZero(), Result: "in " + o.State + ", not enrolled yet"}, state
	}
	return Finding{What: "key", Good: true, Result: fmt.Sprintf("in %s, known at Orbit as %s", o.State, state.Name)}, state
}

// doctor examines one address of Orbit.
type doctor struct {
	o       AgentOptions
	address string
	state   *State
	found   []Finding
}

func (d *doctor) examine(ctx context.Context) []Finding {
	proxy := d.proxy()
	if d.reach(ctx, proxy) {
		d.call(ctx, proxy)
	}
	for i := range d.found {
		d.found[i].What += " (" + d.address + ")"
	}
	return d.found
}

func (d *doctor) good(what, format string, args ...any) {
	d.found = append(d.found, Finding{What: what, Good: true, Result: fmt.Sprintf(format, args...)})
}

func (d *doctor) bad(what, remedy, format string, args ...any) {
	d.found = append(d.found, Finding{What: what, Result: fmt.Sprintf(format, args...), Remedy: remedy})
}

// proxy finds which way the connection takes.
func (d *doctor) proxy() *url.URL {
	if d.o.Proxy == nil {
		return nil
	}
	request := &http.Request{URL: &url.URL{Scheme: "https", Host: d.address}}
	proxy, err := d.o.Proxy(request)
	switch {
	case err != nil:
		d.bad("proxy", "Write HTTPS_PROXY like http://user:password@proxy.example.com:3128", "HTTPS_PROXY cannot be used: %v", hideUser(err))
	case proxy == nil:
		d.good("proxy", "none for this address")
	default:
		d.good("proxy", "through %s", proxy.Redacted())
	}
	return proxy
}

// hideUser keeps what stands before an @ out of a message: it is a password as often as not.
func hideUser(err error) string {
	text := err.Error()
	if at := strings.LastIndex(text, "@"); at >= 0 {
		text = "..." + text[at:]
	}
	return text
}

// reach looks the first hop up and connects to it.
func (d *doctor) reach(ctx context.Context, proxy *url.URL) bool {
	hop, whose := d.address, "Orbit"
	if proxy != nil {
		hop, whose = net.JoinHostPort(proxy.Hostname(), proxyPort(proxy)), "the proxy"
	}
	host, _, _ := net.SplitHostPort(hop)
	ctx, cancel := context.WithTimeout(ctx, tcpTime+tlsTime)
	defer cancel()
	if _, err := netip.ParseAddr(host); err != nil {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			d.bad("name", "Check the spelling in ORBIT_CONNECTOR_ADDRESSES or HTTPS_PROXY, and the resolver of this machine: getent ahosts "+host, "%s of %s: %s", host, whose, FailureOf(err).sentence())
			return false
		}
		d.good("name", "%s is %v", host, found)
	}
	conn, err := (&net.Dialer{Timeout: tcpTime}).DialContext(ctx, "tcp", hop)
	if err != nil {
		d.bad("port", fmt.Sprintf("Allow TCP from this machine to %s. On Orbit's machine: is `orbit serve` running, and does `orbit network-connector status` say that it listens?", hop), "%s: %s", hop, FailureOf(err).sentence())
		return false
	}
	_ = conn.Close()
	d.good("port", "%s answers", hop)
	return true
}

func proxyPort(proxy *url.URL) string {
	switch {
	case proxy.Port() != "":
		return proxy.Port()
	case proxy.Scheme == "https":
		return "443"
	case strings.HasPrefix(proxy.Scheme, "socks5"):
		return "1080"
	}
	return "80"
}

// call goes as far as the sign-in.
func (d *doctor) call(ctx context.Context, proxy *url.URL) {
	c, err := callIn(ctx, d.address, agentPath, d.o.Fingerprint, d.o.Proxy)
	if err != nil {
		d.explainCall(err, proxy)
		return
	}
	defer func() { _ = c.ws.CloseNow() }()
	d.good("TLS", "version 1.3, the fingerprint is the expected one")
	if off := time.Since(c.hello.Time); off.Abs() > mostOff {
		d.bad("clock", "Set the clock of this machine: timedatectl set-ntp true", "it differs from Orbit's by %s", off.Abs().Round(time.Second))
	} else {
		d.good("clock", "differs from Orbit's by %s", off.Abs().Round(time.Millisecond))
	}
	a := &Agent{o: d.o, state: d.state}
	err = a.signIn(ctx, c, true)
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		d.bad("sign-in", "", "%s", refusal.Text)
	case err != nil:
		d.bad("sign-in", "Try again; if it stays so, look at Orbit's log.", "%v", err)
	default:
		d.good("sign-in", "Orbit lets this agent in")
	}
}

// explainCall says what an error means of the way between an open port and the greeting.
func (d *doctor) explainCall(err error, proxy *url.URL) {
	var wrong *WrongFingerprint
	var plain tls.RecordHeaderError
	text := err.Error()
	switch {
	case errors.As(err, &wrong):
		d.bad("fingerprint", "Either something between here and Orbit opens TLS (have the proxy or firewall leave this address alone), or "+
			"ORBIT_CONNECTOR_FINGERPRINT is that of another Orbit: compare with `orbit network-connector status` on its machine.", "%v", wrong)
	case strings.Contains(text, "Proxy Authentication Required") || strings.Contains(text, "407"):
		d.bad("proxy", "Put username and password into HTTPS_PROXY: http://user:password@"+proxyHost(proxy), "the proxy wants a sign-in")
	case proxy != nil && errors.As(err, &plain), proxy != nil && !strings.Contains(text, "tls"):
		d.bad("proxy", "Have the proxy allow CONNECT to "+d.address+".", "no connection through the proxy: %v", hideUser(err))
	case errors.As(err, &plain):
		d.bad("TLS", "Check the port: agents call in at 51445 unless ORBIT_CONNECTOR_LISTEN of Orbit says otherwise.", "what answers at %s does not speak TLS", d.address)
	default:
		d.bad("TLS", "Check that "+d.address+" leads to Orbit's port for agents.", "%v", hideUser(err))
	}
}

func proxyHost(proxy *url.URL) string {
	if proxy == nil {
		return "proxy.example.com:3128"
	}
	return proxy.Host
}

// sentence says a failure in words of no particular program.
func (f *Failure) sentence() string {
	switch f.Code {
	case NameUnknown:
		return "the name does not exist"
	case NameSilent, NameFailed:
		return "the name server of this machine gives no answer about it"
	case NoAddress:
		return "the name has no address"
	case Refused:
		return "the machine is there, but nothing accepts connections on the port"
	case Unreachable:
		return "there is no route from this machine, or its own firewall forbids it"
	case Timeout:
		return "no answer: the machine is off, or a firewall on the way drops the packets"
	case Reset:
		return "the connection is broken off: a firewall on the way does that"
	case Exhausted:
		return "this machine has no file descriptors or no memory left"
	case Forbidden, Cancelled, NoAgent, Other:
	}
	return f.Text
}
