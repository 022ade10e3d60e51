// Package config turns the environment into one value, checked as a whole: an administrator who made three
// mistakes reads three sentences at once. Only package app and the commands read it; everything else is
// given what it needs.
package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"

	"orbit/internal/vault"
)

const prefix = "ORBIT_"

// Config is how this Orbit runs.
type Config struct {
	DatabaseURL vault.Secret // none: a private PostgreSQL in DataDir
	DataDir     string
	KeysetFile  string

	Listen         string
	BaseURL        *url.URL // never nil, without a path
	TLSCertFile    string   // both files or none
	TLSKeyFile     string
	TrustedProxies []netip.Prefix

	AdminUsername string // both or none
	AdminPassword vault.Secret

	AllowedDestinations []string // each a network in CIDR form or host:port
	DeniedDestinations  []string
	ConnectorListen     string
	MetricsListen       string // none: no metrics

	LogFormat string // "text" or "json"
	LogLevel  slog.Level

	Warnings []string // sentences about what is allowed but probably not meant
}

// variables are the values as they stand in the environment. The tags are the documentation of `serve --help`.
type variables struct {
	DatabaseURL         string `env:"DATABASE_URL" secret:"yes" help:"PostgreSQL to use, as postgres://user:password@host:5432/database; without it Orbit runs a private one"`
	DataDir             string `env:"DATA_DIR" shown:"/var/lib/orbit for root, else $XDG_STATE_HOME/orbit" help:"directory of the private PostgreSQL and of the key file"`
	Listen              string `env:"LISTEN" envDefault:"127.0.0.1:8080" help:"host:port of the pages and the API"`
	BaseURL             string `env:"BASE_URL" shown:"made from ORBIT_LISTEN" help:"address under which people reach Orbit, for links, cookies and sign-in at providers"`
	TLSCertFile         string `env:"TLS_CERT_FILE" help:"certificate chain in PEM form, when Orbit itself speaks https"`
	TLSKeyFile          string `env:"TLS_KEY_FILE" help:"private key of that certificate"`
	TrustedProxies      string `env:"TRUSTED_PROXIES" help:"addresses and networks of reverse proxies whose X-Forwarded-For is believed, separated by commas"`
	KeysetFile          string `env:"KEYSET_FILE" shown:"keyset.key in ORBIT_DATA_DIR" help:"key that seals all stored secrets; made on the first start, keep a copy elsewhere"`
	AdminUsername       string `env:"ADMIN_USERNAME" help:"create this administrator when there is none"`
	AdminPassword       string `env:"ADMIN_PASSWORD" secret:"yes" help:"password of that administrator"`
	AllowedDestinations string `env:"ALLOWED_DESTINATIONS" help:"networks and host:port, separated by commas, that mail may go to although they are on this machine"`
	DeniedDestinations  string `env:"DENIED_DESTINATIONS" help:"networks and host:port, separated by commas, that Orbit never connects to"`
	ConnectorListen     string `env:"CONNECTOR_LISTEN" envDefault:":51445" help:"host:port where network connector agents call in"`
	MetricsListen       string `env:"METRICS_LISTEN" help:"host:port of the Prometheus metrics; without it there are none"`
	LogFormat           string `env:"LOG_FORMAT" envDefault:"text" help:"text or json"`
	LogLevel            string `env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
}

// Variable is one line of the help.
type Variable struct {
	Name, Default, Text string
}

// Help lists every variable.
func Help() []Variable { return help(reflect.TypeFor[variables]()) }

func help(of reflect.Type) []Variable {
	var list []Variable
	for field := range of.Fields() {
		v := Variable{
			Name:    prefix + field.Tag.Get("env"),
			Default: field.Tag.Get("envDefault") + field.Tag.Get("shown"),
			Text:    field.Tag.Get("help"),
		}
		if field.Tag.Get("secret") != "" {
			v.Text += " (or " + v.Name + fileSuffix + ", a file that holds it)"
		}
		list = append(list, v)
	}
	return list
}

// Invalid is everything that is wrong with the environment, one sentence each.
type Invalid []string

func (i Invalid) Error() string { return strings.Join(i, "\n") }

// Load reads an environment in the form of os.Environ. An error is of type Invalid.
func Load(environ []string) (Config, error) { return load(environ, thisMachine()) }

func load(environ []string, m machine) (Config, error) {
	values := env.ToMap(environ)
	for name, value := range values {
		if value == "" { // FOO= in a file of settings means that FOO is not set
			delete(values, name)
		}
	}
	r := &reader{values: values, machine: m}
	r.readSecretFiles()
	var v variables
	if err := env.ParseWithOptions(&v, env.Options{Environment: values, Prefix: prefix}); err != nil {
		return Config{}, err // only a wrong tag can cause it
	}
	c := r.config(v)
	if len(r.wrong) > 0 {
		return Config{}, r.wrong
	}
	return c, nil
}
