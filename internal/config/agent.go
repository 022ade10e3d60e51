package config

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"

	"orbit/internal/vault"
)

// Agent is how a network connector agent runs, on a machine in another network that has nothing else of Orbit.
type Agent struct {
	Addresses    []string // host:port
	Fingerprint  string
	Token        vault.Secret
	Secondary    bool
	Name         string
	Destinations string // "": the usual ones
	Directory    string

	LogFormat string
	LogLevel  slog.Level
}

// agentVariables are the values as they stand in the agent's environment.
type agentVariables struct {
	Addresses    string `env:"CONNECTOR_ADDRESSES" help:"host:port of Orbit, or of each of its processes, separated by commas; without a port 51445"`
	Fingerprint  string `env:"CONNECTOR_FINGERPRINT" help:"SHA-256 of Orbit's certificate, as orbit network-connector setup prints it"`
	Token        string `env:"CONNECTOR_TOKEN" secret:"yes" help:"enrols this agent once; afterwards its key does"`
	Secondary    string `env:"CONNECTOR_SECONDARY" envDefault:"false" help:"true: carry only while no primary agent is there"`
	Name         string `env:"CONNECTOR_NAME" shown:"name of the machine" help:"how people call this agent"`
	Destinations string `env:"CONNECTOR_DESTINATIONS" shown:"mail ports and 443 of every host" help:"what the agent may connect to, separated by commas: *:25, *.example.com:587, 10.0.0.0/8, mail.example.com:465"`
	Directory    string `env:"CONNECTOR_DIR" shown:"/var/lib/orbit-agent for root, else $XDG_STATE_HOME/orbit-agent" help:"directory of the agent's key; keep it"`
	LogFormat    string `env:"LOG_FORMAT" envDefault:"text" help:"text or json"`
	LogLevel     string `env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
}

// AgentHelp lists every variable of an agent.
func AgentHelp() []Variable { return help(reflect.TypeFor[agentVariables]()) }

// connectorPort is where agents call in unless somebody says otherwise.
const connectorPort = "51445"

// LoadAgent reads an agent's environment in the form of os.Environ. An error is of type Invalid.
func LoadAgent(environ []string) (Agent, error) { return loadAgent(environ, thisMachine()) }

func loadAgent(environ []string, m machine) (Agent, error) {
	values := env.ToMap(environ)
	for name, value := range values {
		if value == "" {
			delete(values, name)
		}
	}
	r := &reader{values: values, machine: m}
	r.readSecretFiles()
	var v agentVariables
	if err := env.ParseWithOptions(&v, env.Options{Environment: values, Prefix: prefix}); err != nil {
		return Agent{}, err // only a wrong tag can cause it
	}
	a := r.agent(v)
	if len(r.wrong) > 0 {
		return Agent{}, r.wrong
	}
	return a, nil
}

func (r *reader) agent(v agentVariables) Agent {
	a := Agent{
		Addresses: r.servers("CONNECTOR_ADDRESSES", v.Addresses), Fingerprint: v.Fingerprint, Token: vault.NewSecret(v.Token),
		Secondary: r.oneOf("CONNECTOR_SECONDARY", v.Secondary, "true", "false") == "true",
		Name:      v.Name, Destinations: v.Destinations, Directory: r.agentDirectory(v.Directory),
		LogFormat: r.oneOf("LOG_FORMAT", v.LogFormat, "text", "json"), LogLevel: r.level(v.LogLevel),
	}
	if a.Fingerprint == "" {
		r.complain("%sCONNECTOR_FINGERPRINT is not set: run `orbit network-connector setup` on Orbit's machine, which prints the whole command", prefix)
	}
	if a.Name == "" {
		a.Name, _ = os.Hostname()
	}
	return a
}

// servers reads a list of host:port.
func (r *reader) servers(name, value string) []string {
	var all []string
	for _, item := range list(value) {
		host, port, err := net.SplitHostPort(item)
		if err != nil {
			host, port = strings.Trim(item, "[]"), connectorPort
		}
		if host == "" || strings.ContainsAny(host, "/@") || !isPort(port) || port == "0" {
			r.refuse(name, item, "which is not host:port: write something like orbit.example.com:%s", connectorPort)
			continue
		}
		all = append(all, net.JoinHostPort(host, port))
	}
	if len(all) == 0 && value == "" {
		r.complain("%s%s is not set: run `orbit network-connector setup` on Orbit's machine, which prints the whole command", prefix, name)
	}
	return all
}

func (r *reader) agentDirectory(value string) string {
	if value != "" {
		return r.absolute("CONNECTOR_DIR", value)
	}
	if r.machine.root {
		return "/var/lib/orbit-agent"
	}
	if state := r.values["XDG_STATE_HOME"]; filepath.IsAbs(state) {
		return filepath.Join(state, "orbit-agent")
	}
	if home := r.values["HOME"]; filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "orbit-agent")
	}
	r.complain("%sCONNECTOR_DIR is not set, and this user has no home directory: set it to a directory for the agent's key", prefix)
	return ""
}
