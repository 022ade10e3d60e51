package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"orbit/internal/vault"
)

// fileSuffix marks the variable that names a file with a secret, as container platforms mount them.
const fileSuffix = "_FILE"

// machine is what defaults depend on besides the environment.
type machine struct {
	root bool
}

func thisMachine() machine { return machine{root: os.Geteuid() == 0} }

// reader turns texts into values and collects what is wrong with them.
type reader struct {
	values  map[string]string
	machine machine
	wrong   Invalid
	odd     []string
}

// refuse notes that a variable is wrong; the sentence goes on with the reason and the remedy.
func (r *reader) refuse(name, value, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf("%s%s is %q, ", prefix, name, value)+fmt.Sprintf(format, args...)+".")
}

// complain notes what is wrong where no value can be shown.
func (r *reader) complain(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...)+".")
}

// warn notes, in a whole sentence, what is allowed but probably not meant.
func (r *reader) warn(format string, args ...any) {
	r.odd = append(r.odd, fmt.Sprintf(format, args...))
}

// config reads everything, so that all mistakes are found in one go.
func (r *reader) config(v variables) Config {
	c := Config{
		DatabaseURL:         r.databaseURL(v.DatabaseURL),
		DataDir:             r.dataDir(v.DataDir),
		Listen:              r.address("LISTEN", v.Listen),
		TLSCertFile:         r.existing("TLS_CERT_FILE", v.TLSCertFile),
		TLSKeyFile:          r.existing("TLS_KEY_FILE", v.TLSKeyFile),
		TrustedProxies:      r.networks("TRUSTED_PROXIES", v.TrustedProxies),
		AdminUsername:       v.AdminUsername,
		AdminPassword:       vault.NewSecret(v.AdminPassword),
		AllowedDestinations: r.destinations("ALLOWED_DESTINATIONS", v.AllowedDestinations),
		DeniedDestinations:  r.destinations("DENIED_DESTINATIONS", v.DeniedDestinations),
		ConnectorListen:     r.address("CONNECTOR_LISTEN", v.ConnectorListen),
		MetricsListen:       r.address("METRICS_LISTEN", v.MetricsListen),
		LogFormat:           r.oneOf("LOG_FORMAT", v.LogFormat, "text", "json"),
		LogLevel:            r.level(v.LogLevel),
	}
	c.KeysetFile = r.keysetFile(v.KeysetFile, c.DataDir)
	c.BaseURL = r.baseURL(v.BaseURL, c)
	r.pairs(c)
	r.distinct(c)
	r.unknown()
	c.Warnings = r.odd
	return c
}

// readSecretFiles puts the content of the files that _FILE variables name where the secret itself would stand.
func (r *reader) readSecretFiles() {
	for _, name := range secretNames() {
		path, given := r.values[name+fileSuffix]
		if !given {
			continue
		}
		if _, twice := r.values[name]; twice {
			r.complain("%s and %s are both set: keep one of them", name, name+fileSuffix)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			r.complain("%s%s is %q, which cannot be read (%v): name a file that this user may read", name, fileSuffix, path, reason(err))
			continue
		}
		secret := strings.TrimRight(string(text), "\r\n")
		if secret == "" {
			r.complain("%s%s is %q, which is empty: write the secret into that file", name, fileSuffix, path)
			continue
		}
		r.values[name] = secret
	}
}

func secretNames() []string {
	var names []string
	for _, of := range []reflect.Type{reflect.TypeFor[variables](), reflect.TypeFor[agentVariables]()} {
		for field := range of.Fields() {
			if field.Tag.Get("secret") != "" {
				names = append(names, prefix+field.Tag.Get("env"))
			}
		}
	}
	return names
}

// databaseURL checks the form only, and never quotes the value: it holds a password.
func (r *reader) databaseURL(value string) vault.Secret {
	url := strings.HasPrefix(value, "postgres://") || strings.HasPrefix(value, "postgresql://")
	if value != "" && !url && !strings.Contains(value, "=") {
		r.complain("%sDATABASE_URL is not the address of a PostgreSQL database: write postgres://user:password@host:5432/database", prefix)
	}
	return vault.NewSecret(value)
}

func (r *reader) dataDir(value string) string {
	if value != "" {
		return r.absolute("DATA_DIR", value)
	}
	if r.machine.root {
		return "/var/lib/orbit"
	}
	// Relative paths in XDG variables are to be ignored, says the XDG base directory specification.
	if state := r.values["XDG_STATE_HOME"]; filepath.IsAbs(state) {
		return filepath.Join(state, "orbit")
	}
	if home := r.values["HOME"]; filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "orbit")
	}
	r.complain("%sDATA_DIR is not set, and this user has no home directory: set it to a directory for Orbit's data", prefix)
	return ""
}

func (r *reader) keysetFile(value, dataDir string) string {
	if value == "" {
		return filepath.Join(dataDir, "keyset.key")
	}
	return r.absolute("KEYSET_FILE", value)
}

func (r *reader) absolute(name, value string) string {
	path, err := filepath.Abs(value)
	if err != nil {
		r.refuse(name, value, "and the working directory cannot be found: write an absolute path")
	}
	return path
}

func (r *reader) existing(name, path string) string {
	if path == "" {
		return ""
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		r.refuse(name, path, "which cannot be read (%v): name an existing file", reason(err))
	case info.IsDir():
		r.refuse(name, path, "which is a directory: name a file")
	}
	return path
}

// reason drops the path from an error about a file; the sentence has named it.
func reason(err error) error {
	if inner, ok := err.(*os.PathError); ok { //nolint:errorlint // package os returns it bare
		return inner.Err
	}
	return err
}
