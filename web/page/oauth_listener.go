package page

import (
	"fmt"
	"strconv"
	"strings"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/proxyhost"
	"orbit/web/ui"
)

// LocalWords says how clients are protected.
func LocalWords(s proxyhost.Settings) string {
	switch {
	case s.LocalSecurity == dial.STARTTLS:
		return strings.ToUpper(string(s.Protocol)) + " with STARTTLS"
	case s.LocalSecurity == dial.Implicit:
		return strings.ToUpper(string(s.Protocol)) + " with TLS"
	case s.Exposed():
		return strings.ToUpper(string(s.Protocol)) + ", passwords in clear"
	}
	return strings.ToUpper(string(s.Protocol)) + ", this machine only"
}

// ServerWords says how the way to the mail server is protected.
func ServerWords(s proxyhost.Settings) string {
	words := map[dial.Security]string{dial.STARTTLS: "STARTTLS", dial.Implicit: "TLS", dial.Plain: "not encrypted"}[s.ServerSecurity]
	switch s.CertificateRule {
	case dial.Pin:
		words += ", pinned certificate"
	case dial.CustomCA:
		words += ", own authority"
	case dial.Ignore:
		words += ", any certificate"
	case dial.Verify:
	}
	return words
}

// listenerTone and listenerWord are the state of a listener.
func listenerTone(l proxyhost.Status) ui.Tone {
	switch {
	case l.State == proxy.Running:
		return ui.Good
	case l.State == proxy.Starting:
		return ui.Notice
	case l.Wanted == proxyhost.Stopped:
		return ui.Neutral
	case l.State == proxy.Idle:
		return ui.Warning
	}
	return ui.Bad
}

func listenerWord(l proxyhost.Status) string {
	if l.State == proxy.Idle && l.Wanted == proxyhost.Running {
		return "Not running"
	}
	return stateWord(l.State)
}

func stateWord(s proxy.State) string {
	switch s {
	case proxy.Starting:
		return "Starting"
	case proxy.Running:
		return "Running"
	case proxy.Standby:
		return "Port in use"
	case proxy.Failed:
		return "Failed"
	case proxy.Idle:
	}
	return "Stopped"
}

// bytes writes an amount of data as people compare it.
func bytes(n int64) string {
	const k = 1000
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= k && unit < len(units)-1 {
		value, unit = value/k, unit+1
	}
	if unit == 0 || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

// ListenerFormView is the form of a listener.
type ListenerFormView struct {
	Form        *ui.FormView
	Listener    proxyhost.Status // zero: a new one
	Values      proxyhost.Settings
	Connectors  []ui.Option
	Fills       string // JSON for the browser: what choosing a protocol fills in
	AskPassword bool
	Clock       ui.Clock
}

// Title of the page.
func (v ListenerFormView) Title() string {
	if v.Listener.ID == 0 {
		return "New listener"
	}
	return "Listener " + v.Listener.Name
}

func (v ListenerFormView) protocol() ui.Field {
	return ui.Field{
		Name: "protocol", Label: "Protocol", Value: string(v.Values.Protocol), Required: true,
		Options:    []ui.Option{{Value: "imap", Label: "IMAP"}, {Value: "smtp", Label: "SMTP"}, {Value: "pop3", Label: "POP3"}},
		Attributes: map[string]any{"data-fills": v.Fills},
	}
}

func (v ListenerFormView) port(name, label string, value int, help string) ui.Field {
	f := ui.Field{Name: name, Label: label, Help: help, Required: name == "local_port"}
	if value != 0 {
		f.Value = strconv.Itoa(value)
	}
	return f
}

func (v ListenerFormView) localSecurity() ui.Field {
	return ui.Field{
		Name: "local_security", Label: "Local encryption", Value: string(v.Values.LocalSecurity),
		Options: []ui.Option{
			{Value: "", Label: "None", Help: "Right for 127.0.0.1: the connection stays on this machine"},
			{Value: string(dial.STARTTLS), Label: "TLS", Help: "STARTTLS is offered"},
			{Value: string(dial.Implicit), Label: "SSL", Help: "TLS from the first byte"},
		},
	}
}

func (v ListenerFormView) file(name, label, value, help string) ui.Field {
	return ui.Field{
		Name: name, Label: label, Value: value, Help: help, Mono: true, Required: true, Placeholder: "/etc/orbit/mail.pem",
		ShownWhen: ui.WhenIs("local_security", string(v.Values.LocalSecurity), string(dial.STARTTLS), string(dial.Implicit)),
	}
}

func (v ListenerFormView) serverSecurity() ui.Field {
	return ui.Field{
		Name: "server_security", Label: "Server encryption", Value: string(v.Values.ServerSecurity),
		Options: []ui.Option{
			{Value: string(dial.Implicit), Label: "SSL", Help: "TLS from the first byte: ports 993, 995, 465"},
			{Value: string(dial.STARTTLS), Label: "TLS", Help: "STARTTLS: port 587"},
			{Value: "", Label: "None", Help: "Only for a server on this machine"},
		},
	}
}

func (v ListenerFormView) certificate() ui.Field {
	return ui.Field{
		Name: "certificate_rule", Label: "Certificate of the server", Value: string(v.Values.CertificateRule),
		Options: []ui.Option{
			{Value: string(dial.Verify), Label: "Verify", Help: "Signed by a public authority, for this host"},
			{Value: string(dial.Pin), Label: "Pin", Help: "Exactly the one with the fingerprint below"},
			{Value: string(dial.CustomCA), Label: "Own authority", Help: "Signed by the certificates below, for this host"},
			{Value: string(dial.Ignore), Label: "Any", Help: "Dangerous: whoever is on the way can take the tokens"},
		},
	}
}

func (v ListenerFormView) whenRule(rule dial.CertificateRule) ui.Condition {
	return ui.WhenIs("certificate_rule", string(v.Values.CertificateRule), string(rule))
}

func (v ListenerFormView) connector() ui.Field {
	return ui.Field{
		Name: "network_connector_id", Label: "Network Connector", Value: idText(v.Values.NetworkConnectorID), Options: v.Connectors,
		Help: "Blank: the default of System Parameters > Application.", EnabledWhen: ui.When("use_network_connector", v.Values.UseNetworkConnector),
	}
}

// rareOpen reports whether the fold with rare choices must be open.
func (v ListenerFormView) rareOpen() bool {
	return v.Values.AllowUnsafeAddress || v.Values.ProxyProtocol || v.Form.Problems.For("allow_unsafe_address") != ""
}
