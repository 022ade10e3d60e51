package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var anybody = machine{root: false}

// read loads variables without their prefix, as a user with a home directory.
func read(variables ...string) (Config, error) {
	environ := []string{"HOME=/home/anna", "PATH=/bin"}
	for _, v := range variables {
		environ = append(environ, prefix+v)
	}
	return load(environ, anybody)
}

func mustRead(t *testing.T, variables ...string) Config {
	t.Helper()
	c, err := read(variables...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnEmptyEnvironmentIsEnough(t *testing.T) {
	t.Parallel()
	c := mustRead(t)
	for name, pair := range map[string][2]any{
		"database":  {c.DatabaseURL.IsZero(), true},
		"data":      {c.DataDir, "/home/anna/.local/state/orbit"},
		"keyset":    {c.KeysetFile, "/home/anna/.local/state/orbit/keyset.key"},
		"listen":    {c.Listen, "127.0.0.1:8080"},
		"base":      {c.BaseURL.String(), "http://127.0.0.1:8080"},
		"connector": {c.ConnectorListen, ":51445"},
		"metrics":   {c.MetricsListen, ""},
		"format":    {c.LogFormat, "text"},
		"level":     {c.LogLevel, slog.LevelInfo},
		"warnings":  {len(c.Warnings), 0},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestEveryVariableArrives(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := mustRead(t, "DATABASE_URL=postgres://o:p@db/orbit", "DATA_DIR=/data", "LISTEN=0.0.0.0:443", "BASE_URL=https://orbit.example.com/",
		"TLS_CERT_FILE="+file, "TLS_KEY_FILE="+file, "TRUSTED_PROXIES=10.0.0.5, 192.168.7.9/16", "KEYSET_FILE=/keys/k", "ADMIN_USERNAME=root",
		"ADMIN_PASSWORD=geheim", "ALLOWED_DESTINATIONS=127.0.0.0/8,Mail.Example.com:25 [::1]:2525", "DENIED_DESTINATIONS=10.1.2.3",
		"CONNECTOR_LISTEN=:5000", "METRICS_LISTEN=127.0.0.1:9000", "LOG_FORMAT=JSON", "LOG_LEVEL=Debug")
	base := c.BaseURL.String()
	c.BaseURL = nil
	want := Config{
		DatabaseURL: c.DatabaseURL, DataDir: "/data", KeysetFile: "/keys/k", Listen: "0.0.0.0:443", TLSCertFile: file, TLSKeyFile: file,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32"), netip.MustParsePrefix("192.168.0.0/16")},
		AdminUsername:  "root", AdminPassword: c.AdminPassword,
		AllowedDestinations: []string{"127.0.0.0/8", "mail.example.com:25", "[::1]:2525"}, DeniedDestinations: []string{"10.1.2.3/32"},
		ConnectorListen: ":5000", MetricsListen: "127.0.0.1:9000", LogFormat: "json", LogLevel: slog.LevelDebug,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if base != "https://orbit.example.com" || c.DatabaseURL.Reveal() != "postgres://o:p@db/orbit" || c.AdminPassword.Reveal() != "geheim" {
		t.Errorf("base %q, secrets %q and %q", base, c.DatabaseURL.Reveal(), c.AdminPassword.Reveal())
	}
}

func TestAWrongValueIsOneClearSentence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ variables, says string }{
		{"LISTEN=8080", `ORBIT_LISTEN is "8080", which is not host:port: write something like 127.0.0.1:8080, or :8080 for all addresses of this machine.`},
		{"LISTEN=localhost:99999", `ORBIT_LISTEN is "localhost:99999", which is not host:port`},
		{"METRICS_LISTEN=:http", `ORBIT_METRICS_LISTEN is ":http", which is not host:port`},
		{"CONNECTOR_LISTEN=127.0.0.1:8080", `ORBIT_CONNECTOR_LISTEN is "127.0.0.1:8080", which is also ORBIT_LISTEN: choose another port.`},
		{"BASE_URL=orbit.example.com", `ORBIT_BASE_URL is "orbit.example.com", which is not the address of a web site: write something like https://orbit.example.com.`},
		{"BASE_URL=ftp://orbit", `not the address of a web site`},
		{"BASE_URL=https://a.example/orbit", `but Orbit needs a host of its own: write only scheme, host and port, like https://a.example.`},
		{"TLS_CERT_FILE=/nonexistent", `ORBIT_TLS_CERT_FILE is "/nonexistent", which cannot be read (no such file or directory): name an existing file.`},
		{"TLS_KEY_FILE=/", `ORBIT_TLS_KEY_FILE is "/", which is a directory: name a file.`},
		{"TLS_KEY_FILE=/dev/null", `ORBIT_TLS_KEY_FILE is set, but ORBIT_TLS_CERT_FILE is not: set both or none.`},
		{"ADMIN_USERNAME=root", `ORBIT_ADMIN_USERNAME is set, but ORBIT_ADMIN_PASSWORD is not: set both or none.`},
		{"TRUSTED_PROXIES=10.0.0.1,proxy", `ORBIT_TRUSTED_PROXIES is "proxy", which is neither an address nor a network`},
		{"ALLOWED_DESTINATIONS=127.0.0.1:0", `ORBIT_ALLOWED_DESTINATIONS is "127.0.0.1:0", which is neither a network nor host:port`},
		{"DENIED_DESTINATIONS=10.0.0.0/99", `ORBIT_DENIED_DESTINATIONS is "10.0.0.0/99", which is neither a network nor host:port`},
		{"LOG_FORMAT=xml", `ORBIT_LOG_FORMAT is "xml", which is not known: write text or json.`},
		{"LOG_LEVEL=loud", `ORBIT_LOG_LEVEL is "loud", which is not known: write debug, info, warn or error.`},
		{"DATABASE_URL=mysql://o:geheim@db", `ORBIT_DATABASE_URL is not the address of a PostgreSQL database: write postgres://`},
		{"ADMIN_PASSWORD_FILE=/nonexistent", `ORBIT_ADMIN_PASSWORD_FILE is "/nonexistent", which cannot be read (no such file or directory)`},
		{"DATABASE_URL_FILE=/dev/null", `ORBIT_DATABASE_URL_FILE is "/dev/null", which is empty: write the secret into that file.`},
		{"DATABASE_URL_FILE=/dev/null;DATABASE_URL=postgres://o:geheim@db", `ORBIT_DATABASE_URL and ORBIT_DATABASE_URL_FILE are both set: keep one of them.`},
	} {
		_, err := read(strings.Split(c.variables, ";")...)
		if err == nil {
			t.Errorf("%s: no error", c.variables)
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s:\n got %s\nwant %s", c.variables, err, c.says)
		}
		if strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: the error shows a secret: %s", c.variables, err)
		}
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := read("LISTEN=x", "BASE_URL=x", "LOG_LEVEL=x", "TRUSTED_PROXIES=x,y", "ADMIN_USERNAME=x")
	wrong, ok := err.(Invalid) //nolint:errorlint // Load promises this type
	if !ok || len(wrong) != 6 {
		t.Fatalf("%d sentences, want 6:\n%v", len(wrong), err)
	}
	if lines := strings.Split(err.Error(), "\n"); !slices.Equal(lines, wrong) {
		t.Errorf("lines %q", lines)
	}
}

func TestASecretMayComeFromAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("pass word \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := mustRead(t, "ADMIN_USERNAME=root", "ADMIN_PASSWORD_FILE="+file)
	if got := c.AdminPassword.Reveal(); got != "pass word " {
		t.Errorf("password %q, want it without the end of the line", got)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestTheDataDirectoryDependsOnTheUser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		root    bool
		environ []string
		want    string
	}{
		{true, nil, "/var/lib/orbit"},
		{true, []string{"ORBIT_DATA_DIR=/srv/orbit"}, "/srv/orbit"},
		{false, []string{"XDG_STATE_HOME=/state", "HOME=/home/anna"}, "/state/orbit"},
		{false, []string{"XDG_STATE_HOME=state", "HOME=/home/anna"}, "/home/anna/.local/state/orbit"},
		{false, nil, ""},
	} {
		got, err := load(c.environ, machine{root: c.root})
		if got.DataDir != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%+v: %q, %v", c, got.DataDir, err)
		}
	}
}

func TestTheAddressOfThePagesIsDerived(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "orbit.example.com:80": "http://orbit.example.com", "[::1]:8080": "http://[::1]:8080",
		":9000": "http://localhost:9000", "0.0.0.0:80": "http://localhost", "[::]:8443": "http://localhost:8443",
	} {
		c := mustRead(t, "LISTEN="+listen)
		if got := c.BaseURL.String(); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
		if warned := len(c.Warnings) > 0; warned != strings.Contains(want, "localhost") {
			t.Errorf("%s: warnings %q", listen, c.Warnings)
		}
	}
	c := mustRead(t, "LISTEN=orbit.example.com:443", "TLS_CERT_FILE=/dev/null", "TLS_KEY_FILE=/dev/null")
	if got := c.BaseURL.String(); got != "https://orbit.example.com" {
		t.Errorf("with TLS: %s", got)
	}
}

func TestAVariableThatNobodyReadsGetsAWarning(t *testing.T) {
	t.Parallel()
	c := mustRead(t, "LISTN=:1", "DATABASE_URI=postgres://db", "WEATHER_IN_LISBON=fine", "EMPTY=")
	want := []string{
		"ORBIT_DATABASE_URI is not a variable of Orbit, did you mean ORBIT_DATABASE_URL?",
		"ORBIT_LISTN is not a variable of Orbit, did you mean ORBIT_LISTEN?",
		"ORBIT_WEATHER_IN_LISBON is not a variable of Orbit and changes nothing: `orbit serve --help` lists those that do.",
	}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
	}
}

func TestAnEmptyVariableIsNotSet(t *testing.T) {
	t.Parallel()
	c := mustRead(t, "LISTEN=", "BASE_URL=", "ADMIN_PASSWORD_FILE=", "DATA_DIR=")
	if c.Listen != "127.0.0.1:8080" || c.DataDir != "/home/anna/.local/state/orbit" {
		t.Errorf("%+v", c)
	}
}

func TestAConfigurationDoesNotPrintItsSecrets(t *testing.T) {
	t.Parallel()
	c := mustRead(t, "DATABASE_URL=postgres://o:geheim@db/orbit", "ADMIN_USERNAME=root", "ADMIN_PASSWORD=geheim")
	if printed := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(printed, "geheim") {
		t.Error(printed)
	}
}

func TestTheHelpExplainsEveryVariable(t *testing.T) {
	t.Parallel()
	const variables = "DATABASE_URL DATA_DIR LISTEN BASE_URL TLS_CERT_FILE TLS_KEY_FILE TRUSTED_PROXIES KEYSET_FILE ADMIN_USERNAME " +
		"ADMIN_PASSWORD ALLOWED_DESTINATIONS DENIED_DESTINATIONS CONNECTOR_LISTEN METRICS_LISTEN LOG_FORMAT LOG_LEVEL"
	var names []string
	for _, v := range Help() {
		names = append(names, strings.TrimPrefix(v.Name, prefix))
		if len(v.Text) < 10 {
			t.Errorf("%s: the text %q is too short", v.Name, v.Text)
		}
	}
	if got := strings.Join(names, " "); got != variables {
		t.Errorf("the help has %s", got)
	}
}
