// Package proxyhost runs the mail proxy of internal/mail/proxy on what the database says.
//
// A Listener is a row: a local port and the mail server behind it. Every Orbit process runs all that are
// wanted (supervise.go), follows changes of any process within a second (listen.go) and tells what it does
// with them (report.go). A login is a registered credential with an OAuth registration (backend.go). What
// happens is written to a log in the table proxy_event, never by the session itself (journal.go). The way
// out of the package for tokens is Prove: a mail server judges them before they count.
package proxyhost

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth/plan"
)

// Wanted says what people want of a listener.
type Wanted string

// What people can want.
const (
	Running Wanted = "running"
	Stopped Wanted = "stopped"
)

// Settings is what a person sets on a listener: the same names in form, JSON and table.
type Settings struct {
	Name     string         `db:"name" json:"name" form:"name" label:"Name" doc:"Unique name; by default protocol and port, IMAP-2993"`
	Protocol proxy.Protocol `db:"protocol" json:"protocol" form:"protocol" label:"Protocol" doc:"imap, pop3 or smtp" enum:"imap,pop3,smtp"`

	LocalAddress       string        `db:"local_address" json:"local_address,omitempty" form:"local_address" label:"Local address" doc:"Literal address to listen on; 127.0.0.1 by default"`
	LocalPort          int           `db:"local_port" json:"local_port" form:"local_port" label:"Local port" doc:"Port to listen on"`
	LocalSecurity      dial.Security `db:"local_security" json:"local_security,omitempty" form:"local_security" label:"Local encryption" doc:"Towards clients: tls = STARTTLS, ssl = TLS from the first byte" enum:",tls,ssl"`
	CertificateFile    string        `db:"certificate_file" json:"certificate_file,omitempty" form:"certificate_file" label:"Certificate file" doc:"PEM, for clients; read again when it changes"`
	KeyFile            string        `db:"key_file" json:"key_file,omitempty" form:"key_file" label:"Key file" doc:"PEM, of the certificate file"`
	AllowUnsafeAddress bool          `db:"allow_unsafe_address" json:"allow_unsafe_address,omitempty" form:"allow_unsafe_address" label:"Allow passwords in clear" doc:"Listen on an address that other machines reach, without encryption"`
	ProxyProtocol      bool          `db:"proxy_protocol" json:"proxy_protocol,omitempty" form:"proxy_protocol" label:"PROXY protocol" doc:"Every connection begins with a PROXY protocol header"`

	ServerAddress          string               `db:"server_address" json:"server_address" form:"server_address" label:"Server address" doc:"Mail server of the provider"`
	ServerPort             int                  `db:"server_port" json:"server_port,omitempty" form:"server_port" label:"Server port" doc:"Its port; by default that of protocol and encryption"`
	ServerSecurity         dial.Security        `db:"server_security" json:"server_security" form:"server_security" label:"Server encryption" doc:"tls = STARTTLS, ssl = TLS from the first byte" enum:",tls,ssl"`
	CertificateRule        dial.CertificateRule `db:"certificate_rule" json:"certificate_rule,omitempty" form:"certificate_rule" label:"Certificate" doc:"Of the mail server: verify, pin, custom_ca or ignore" enum:",verify,pin,custom_ca,ignore"`
	CertificateFingerprint string               `db:"certificate_fingerprint" json:"certificate_fingerprint,omitempty" form:"certificate_fingerprint" label:"Certificate fingerprint" doc:"pin: SHA-256 of the certificate, hexadecimal"`
	CertificateCA          string               `db:"certificate_ca" json:"certificate_ca,omitempty" form:"certificate_ca,lines" label:"Certificate authority" doc:"custom_ca: certificates in PEM form"`
	UseNetworkConnector    bool                 `db:"use_network_connector" json:"use_network_connector" form:"use_network_connector" label:"Use Network Connector" doc:"Reach the mail server through a network connector; otherwise as the OAuth registration says"`
	NetworkConnectorID     int64                `db:"network_connector_id" json:"network_connector_id,omitempty" form:"network_connector_id" label:"Network Connector" doc:"Which one; absent: the default of System Parameters"`
}

// Listener is a stored listener.
type Listener struct {
	ID int64 `db:"id" json:"id"`
	Settings
	Wanted    Wanted    `db:"wanted" json:"wanted"`
	Restarts  int64     `db:"restarts" json:"restarts"` // that people asked for
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	CreatedBy string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy string    `db:"changed_by" json:"changed_by,omitempty"`
	Version   int       `db:"version" json:"version"`
}

// NewSettings returns what an empty form shows.
func NewSettings() Settings {
	return Settings{
		Protocol: proxy.IMAP, LocalAddress: loopback, LocalPort: 2993,
		ServerPort: 993, ServerSecurity: dial.Implicit, CertificateRule: dial.Verify,
	}
}

const loopback = "127.0.0.1"

// Local is the port to open as people write it, "127.0.0.1:2993".
func (s Settings) Local() string { return net.JoinHostPort(s.LocalAddress, strconv.Itoa(s.LocalPort)) }

// Server is the mail server as people write it, "outlook.office365.com:993".
func (s Settings) Server() string {
	return net.JoinHostPort(s.ServerAddress, strconv.Itoa(s.ServerPort))
}

// Exposed reports whether passwords cross a network in clear.
func (s Settings) Exposed() bool { return s.proxied(0).Exposed() }

// listensOn reports whether a connection to address on this machine arrives here.
func (s Settings) listensOn(address netip.AddrPort) bool {
	local, err := netip.ParseAddr(s.LocalAddress)
	if err != nil || s.LocalPort != int(address.Port()) {
		return false
	}
	to := address.Addr().Unmap().WithZone("")
	switch {
	case local == netip.IPv6Unspecified(): // takes IPv4 too
		return to.IsLoopback()
	case local.IsUnspecified():
		return to.IsLoopback() && to.Is4()
	}
	return local == to && to.IsLoopback()
}

// collides reports whether two listeners cannot be open at the same time.
func (s Settings) collides(other Settings) bool {
	if s.LocalPort != other.LocalPort {
		return false
	}
	a, errA := netip.ParseAddr(s.LocalAddress)
	b, errB := netip.ParseAddr(other.LocalAddress)
	if errA != nil || errB != nil {
		return s.LocalAddress == other.LocalAddress
	}
	return a == b || takesAll(a, b) || takesAll(b, a)
}

// takesAll reports whether wild stands for all addresses, other among them.
func takesAll(wild, other netip.Addr) bool {
	return wild == netip.IPv6Unspecified() || wild == netip.IPv4Unspecified() && other.Is4()
}

// proxied is the listener as the protocol code takes it. Its name there is the id, so that giving a listener
// another name disturbs no session.
func (s Settings) proxied(id int64) proxy.Listener {
	return proxy.Listener{
		Name: strconv.FormatInt(id, 10), Protocol: s.Protocol,
		LocalAddress: s.Local(), LocalSecurity: s.LocalSecurity, CertFile: s.CertificateFile, KeyFile: s.KeyFile,
		Upstream: s.target(), ProxyProtocol: s.ProxyProtocol,
	}
}

// listenerID undoes the naming of proxied.
func listenerID(name string) int64 {
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

func (s Settings) target() dial.Target {
	return dial.Target{
		Host: s.ServerAddress, Port: s.ServerPort, Security: s.ServerSecurity,
		Trust: dial.Trust{Rule: s.CertificateRule, Fingerprint: s.CertificateFingerprint, CA: s.CertificateCA},
	}
}

// Plan is the listener as plans have it, for an export.
func (s Settings) Plan() plan.Listener {
	l := plan.Listener{
		Protocol: plan.Protocol(s.Protocol), LocalAddress: s.LocalAddress, LocalPort: s.LocalPort,
		ServerAddress: s.ServerAddress, ServerPort: s.ServerPort, STARTTLS: s.ServerSecurity == dial.STARTTLS,
		LocalSTARTTLS: s.LocalSecurity == dial.STARTTLS, LocalCertificate: s.CertificateFile, LocalKey: s.KeyFile,
	}
	switch s.CertificateRule {
	case dial.CustomCA:
		l.ServerCA = s.CertificateCA
	case dial.Pin:
		l.ServerPin = s.CertificateFingerprint
	case dial.Verify, dial.Ignore:
	}
	return l
}

// planned is a listener of a plan as settings.
func planned(l plan.Listener) Settings {
	s := Settings{
		Name: l.Name(), Protocol: proxy.Protocol(l.Protocol), LocalAddress: l.LocalAddress, LocalPort: l.LocalPort,
		CertificateFile: l.LocalCertificate, KeyFile: l.LocalKey,
		ServerAddress: l.ServerAddress, ServerPort: l.ServerPort, ServerSecurity: dial.Implicit,
	}
	if l.STARTTLS {
		s.ServerSecurity = dial.STARTTLS
	}
	switch {
	case l.ServerCA != "":
		s.CertificateRule, s.CertificateCA = dial.CustomCA, l.ServerCA
	case l.ServerPin != "":
		s.CertificateRule, s.CertificateFingerprint = dial.Pin, l.ServerPin
	}
	switch {
	case l.LocalSTARTTLS:
		s.LocalSecurity = dial.STARTTLS
	case l.LocalCertificate != "":
		s.LocalSecurity = dial.Implicit
	}
	return s
}
