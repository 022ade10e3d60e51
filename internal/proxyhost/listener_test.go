package proxyhost

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/problem"
)

// valid is what the document's command registers.
func valid() Settings {
	return Settings{
		Protocol: proxy.IMAP, LocalPort: 2993, ServerAddress: "outlook.office365.com", ServerPort: 993, ServerSecurity: dial.Implicit,
	}.Normalise()
}

func fields(wrong problem.Invalid) string {
	var names []string
	for _, f := range wrong {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestValidateSaysEverythingAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*Settings)
		want   string
	}{
		{"as the document has it", func(*Settings) {}, ""},
		{"nothing", func(s *Settings) { *s = Settings{} }, "local_port name protocol server_address server_port"},
		{"unknown words", func(s *Settings) { s.Protocol, s.LocalSecurity, s.ServerSecurity = "nntp", "x", "y" },
			"local_security protocol server_security"},
		{"ports", func(s *Settings) { s.LocalPort, s.ServerPort = 70000, -1 }, "local_port server_port"},
		{"a name to listen on", func(s *Settings) { s.LocalAddress = "mail.example.com" }, "local_address"},
		{"localhost", func(s *Settings) { s.LocalAddress = "localhost" }, ""},
		{"IPv6 loopback", func(s *Settings) { s.LocalAddress = "[::1]" }, ""},
		{"everywhere in clear", func(s *Settings) { s.LocalAddress = "0.0.0.0" }, "allow_unsafe_address"},
		{"everywhere, allowed", func(s *Settings) { s.LocalAddress, s.AllowUnsafeAddress = "::", true }, ""},
		{"TLS without files", func(s *Settings) { s.LocalSecurity = dial.Implicit }, "certificate_file key_file"},
		{"TLS with a short path", func(s *Settings) { s.LocalSecurity, s.CertificateFile, s.KeyFile = dial.STARTTLS, "cert.pem", empty },
			"certificate_file"},
		{"TLS with an empty file", func(s *Settings) { s.LocalSecurity, s.CertificateFile, s.KeyFile = dial.Implicit, empty, empty },
			"certificate_file"},
		{"TLS without a key", func(s *Settings) {
			s.LocalSecurity, s.CertificateFile, s.KeyFile = dial.Implicit, empty, filepath.Join(dir, "none.pem")
		}, "key_file"},
		{"a server with its port", func(s *Settings) { s.ServerAddress = "imap.example.com:993" }, "server_address"},
		{"a server in clear", func(s *Settings) { s.ServerSecurity = dial.Plain }, "server_security"},
		{"an own server in clear", func(s *Settings) { s.ServerAddress, s.ServerSecurity = "localhost", dial.Plain }, ""},
		{"a short pin", func(s *Settings) { s.CertificateRule, s.CertificateFingerprint = dial.Pin, "AB:CD" }, "certificate_fingerprint"},
		{"no authority", func(s *Settings) { s.CertificateRule, s.CertificateCA = dial.CustomCA, "x" }, "certificate_ca"},
		{"a long authority", func(s *Settings) { s.CertificateRule, s.CertificateCA = dial.CustomCA, strings.Repeat("x", maxCA+1) }, "certificate_ca"},
		{"another rule", func(s *Settings) { s.CertificateRule = "trust" }, "certificate_rule"},
		{"a line break in the name", func(s *Settings) { s.Name = "a\nb" }, "name"},
	} {
		s := valid()
		tt.change(&s)
		if got := fields(s.Normalise().Validate()); got != tt.want {
			t.Errorf("%s: got problems with %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNormaliseFillsWhatFollows(t *testing.T) {
	t.Parallel()
	s := Settings{
		Protocol: proxy.SMTP, LocalPort: 2465, ServerAddress: " SMTP.Office365.com. ", ServerSecurity: dial.STARTTLS,
		CertificateFile: "/left/over", AllowUnsafeAddress: true, NetworkConnectorID: 7, CertificateFingerprint: "left over",
	}.Normalise()
	want := Settings{
		Name: "SMTP-2465", Protocol: proxy.SMTP, LocalAddress: "127.0.0.1", LocalPort: 2465,
		ServerAddress: "smtp.office365.com", ServerPort: 587, ServerSecurity: dial.STARTTLS, CertificateRule: dial.Verify,
	}
	if s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	s := valid()
	s.LocalAddress, s.AllowUnsafeAddress, s.CertificateRule, s.ServerPort, s.ProxyProtocol = "::", true, dial.Ignore, 143, true
	if got, want := fields(s.Warnings()), "certificate_rule local_address proxy_protocol server_security"; got != want {
		t.Errorf("warnings about %q, want %q", got, want)
	}
	if w := valid().Warnings(); len(w) > 0 {
		t.Errorf("the usual listener is warned of: %v", w)
	}
}

func TestListenersThatCollide(t *testing.T) {
	t.Parallel()
	at := func(address string, port int) Settings { return Settings{LocalAddress: address, LocalPort: port} }
	for _, tt := range []struct {
		a, b Settings
		want bool
	}{
		{at("127.0.0.1", 1), at("127.0.0.1", 1), true},
		{at("127.0.0.1", 1), at("127.0.0.1", 2), false},
		{at("127.0.0.1", 1), at("127.0.0.2", 1), false},
		{at("127.0.0.1", 1), at("0.0.0.0", 1), true},
		{at("::", 1), at("127.0.0.1", 1), true},
		{at("0.0.0.0", 1), at("::1", 1), false},
	} {
		if tt.a.collides(tt.b) != tt.want || tt.b.collides(tt.a) != tt.want {
			t.Errorf("%s and %s collide: want %t", tt.a.Local(), tt.b.Local(), tt.want)
		}
	}
}

func TestListensOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		local, to string
		want      bool
	}{
		{"127.0.0.1", "127.0.0.1:1", true},
		{"127.0.0.1", "[::ffff:127.0.0.1]:1", true},
		{"127.0.0.1", "127.0.0.1:2", false},
		{"127.0.0.1", "127.0.0.2:1", false},
		{"127.0.0.1", "[::1]:1", false},
		{"0.0.0.0", "127.0.0.5:1", true},
		{"0.0.0.0", "[::1]:1", false},
		{"::", "[::1]:1", true},
		{"::", "127.0.0.1:1", true},
		{"::", "192.0.2.1:1", false},
		{"192.0.2.1", "192.0.2.1:1", false},
	} {
		s := Settings{LocalAddress: tt.local, LocalPort: 1}
		if got := s.listensOn(netip.MustParseAddrPort(tt.to)); got != tt.want {
			t.Errorf("%s listens on %s: got %t", tt.local, tt.to, got)
		}
	}
}

func TestPlansAndListenersAreTheSame(t *testing.T) {
	t.Parallel()
	for _, l := range []plan.Listener{
		{Protocol: plan.IMAP, LocalAddress: "127.0.0.1", LocalPort: 2993, ServerAddress: "imap.example.com", ServerPort: 993},
		{Protocol: plan.SMTP, LocalAddress: "127.0.0.1", LocalPort: 2465, ServerAddress: "smtp.example.com", ServerPort: 587, STARTTLS: true,
			LocalSTARTTLS: true, LocalCertificate: "/c.pem", LocalKey: "/k.pem"},
		{Protocol: plan.POP3, LocalAddress: "::1", LocalPort: 2995, ServerAddress: "pop.example.com", ServerPort: 995, LocalCertificate: "/c.pem", LocalKey: "/k.pem"},
	} {
		if got := planned(l).Normalise().Plan(); got != l {
			t.Errorf("got %+v, want %+v", got, l)
		}
	}
}

func TestTokensAreForListenersOfTheirProvider(t *testing.T) {
	t.Parallel()
	const microsoft, google = "https://login.microsoftonline.com/t/oauth2/v2.0/token", "https://oauth2.googleapis.com/token"
	listener := func(p proxy.Protocol, server string) Listener {
		return Listener{ID: 3, Settings: Settings{Protocol: p, ServerAddress: server, ServerPort: 993}}
	}
	for _, tt := range []struct {
		name     string
		settings oauth.Settings
		listener Listener
		want     bool
		foreign  bool
	}{
		{"its own", oauth.Settings{TokenURL: microsoft}, listener(proxy.IMAP, "outlook.office365.com"), true, false},
		{"another provider's", oauth.Settings{TokenURL: microsoft}, listener(proxy.IMAP, "imap.gmail.com"), false, true},
		{"the other way", oauth.Settings{TokenURL: google}, listener(proxy.IMAP, "outlook.office365.com"), false, true},
		{"a server nobody knows", oauth.Settings{TokenURL: google}, listener(proxy.IMAP, "mail.example.com"), true, false},
		{"nobody knows either", oauth.Settings{TokenURL: "https://login.example.com/token"}, listener(proxy.IMAP, "mail.example.com"), true, false},
		{"a known server for a provider nobody knows", oauth.Settings{TokenURL: "https://login.example.com/token"}, listener(proxy.IMAP, "outlook.office365.com"), false, true},
		{"a known provider behind another name", oauth.Settings{TokenURL: "https://login.example.com/token", Provider: "microsoft365"}, listener(proxy.IMAP, "outlook.office365.com"), true, false},
		{"a server on this machine", oauth.Settings{TokenURL: google}, listener(proxy.IMAP, "127.0.0.1"), true, false},
		{"for another listener", oauth.Settings{TokenURL: google, ProxyListenerID: 4}, listener(proxy.IMAP, "imap.gmail.com"), false, false},
		{"for this listener", oauth.Settings{TokenURL: google, ProxyListenerID: 3}, listener(proxy.IMAP, "imap.gmail.com"), true, false},
		{"not for this protocol", oauth.Settings{TokenURL: microsoft, Scope: "https://outlook.office365.com/SMTP.Send"}, listener(proxy.IMAP, "outlook.office365.com"), false, false},
		{"for this protocol", oauth.Settings{TokenURL: microsoft, Scope: "https://outlook.office365.com/SMTP.Send"}, listener(proxy.SMTP, "smtp.office365.com"), true, false},
	} {
		r := oauth.Registration{Settings: tt.settings}
		if got := serves(tt.listener, r); got != tt.want {
			t.Errorf("%s: serves is %t", tt.name, got)
		}
		if got := foreign(tt.listener.Settings, r); got != tt.foreign {
			t.Errorf("%s: foreign is %t", tt.name, got)
		}
	}
}

func TestStorableFitsAColumn(t *testing.T) {
	t.Parallel()
	if got := storable("a\x00b\r\nc\xff", 100); got != "a b  c\uFFFD" {
		t.Errorf("got %q", got)
	}
	if got := storable(strings.Repeat("ä", 100), 21); len(got) > 21 || !strings.HasSuffix(got, "ä…") {
		t.Errorf("got %q", got)
	}
}

// The words of the types and those of the table are the same.
func TestWordsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(filepath.Join("..", "..", "migrations", "0006_proxy.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string][]string{
		"protocol":         {string(proxy.IMAP), string(proxy.POP3), string(proxy.SMTP)},
		"wanted":           {string(Running), string(Stopped)},
		"level":            {string(Info), string(Warning), string(Error)},
		"state":            {string(proxy.Starting), string(proxy.Running), string(proxy.Standby), string(proxy.Failed), string(proxy.Idle)},
		"server_security":  {string(dial.Plain), string(dial.STARTTLS), string(dial.Implicit)},
		"certificate_rule": {string(dial.Verify), string(dial.Pin), string(dial.CustomCA), string(dial.Ignore)},
	} {
		match := regexp.MustCompile(`check \(` + column + ` in \(([^)]*)\)\)`).FindSubmatch(file)
		if match == nil {
			t.Errorf("no check of %s", column)
			continue
		}
		if got := strings.ReplaceAll(string(match[1]), "'", ""); got != strings.Join(want, ", ") {
			t.Errorf("%s: the table has %s, the types have %v", column, got, want)
		}
	}
}
