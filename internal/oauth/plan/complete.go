package plan

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
)

// Incomplete says what a register command lacks, and how it looks when it is complete.
type Incomplete struct {
	Missing []string // flags
	Command string   // ready to be run once the capitals are replaced
	Note    string   // what the command will do other than it says; may be empty
}

func (e *Incomplete) Error() string {
	note := ""
	if e.Note != "" {
		note = e.Note + "\n"
	}
	return fmt.Sprintf("Missing: %s.\n%sThe complete command (replace what is in capitals):\n\n%s", strings.Join(e.Missing, ", "), note, e.Command)
}

// contradiction says that a permission URL, which was meant even if it is blank, decides about the flow.
func (a *arguments) contradiction() string {
	if !a.interactive || oauth.Flow(strings.ToLower(a.flow)) != oauth.ClientCredentials {
		return ""
	}
	return "With --oauth2-permission-url the effective flow is authorization_code: somebody signs in once in a browser. " +
		"Leave it out for client_credentials alone; the scope then ends in /.default."
}

// missing lists the flags without which nothing can be registered.
func (a *arguments) missing(p Plan) []string {
	var missing []string
	need := func(flag string, given bool) {
		if !given {
			missing = append(missing, flag)
		}
	}
	r := p.Registrations[0]
	need("--oauth2-token-url", r.TokenURL != "")
	flow := r.EffectiveFlow()
	need("--oauth2-permission-url", flow != oauth.AuthorizationCode || r.PermissionURL != "")
	need("--oauth2-device-url", flow != oauth.DeviceCode || r.DeviceURL != "")
	need("--oauth2-scope", !thin(r.Scope))
	need("--oauth2-client-id", r.ClientID != "" || flow == oauth.ServiceAccount)
	need("--oauth2-client-secret", flow != oauth.ClientCredentials || !r.Secret.IsZero())
	need("--service-account", flow != oauth.ServiceAccount || !r.Secret.ServiceAccount.IsZero())
	need("--tenant-id", a.provider != string(provider.Microsoft365) || a.tenant != "")
	need("--imap-server-address or --smtp-server-address", len(p.Listeners) > 0)
	for _, l := range p.Listeners {
		need("--"+flagOf(l.Protocol)+"-server-address", l.ServerAddress != "" || knownServer(r, l.Protocol))
	}
	return missing
}

func flagOf(p Protocol) string {
	return map[Protocol]string{IMAP: "imap", POP3: "pop", SMTP: "smtp"}[p]
}

func knownServer(r Registration, p Protocol) bool {
	id, _ := providerOf(r.Settings)
	return servers(provider.ID(id), r.TokenURL)[p].Host != ""
}

// complete writes the whole command: what was given, and for the rest the values of the provider that the
// arguments point to, Microsoft 365 when they point to none. The secret is not repeated.
func (a *arguments) complete(p Plan) string {
	c := a.clone()
	if thin(c.scope) {
		c.scope = ""
	}
	switch c.provider {
	case "":
		c.provider = string(c.likely(p))
		if err := c.fillFromProvider(); err != nil { // a provider without a template
			c.fillWithWords()
		}
		c.provider, c.tenant = "", ""
	case string(provider.Microsoft365):
		fill(&c.tenant, "TENANT_ID")
	}
	c.fillIdentity()
	return c.command()
}

// fillWithWords puts words in capitals where no template knows the value: what the flow needs and nothing else.
func (a *arguments) fillWithWords() {
	flow := oauth.Flow(strings.ToLower(a.flow))
	switch {
	case flow == oauth.DeviceCode:
		fill(&a.deviceURL, "DEVICE_URL")
	case a.interactive, flow == "", flow == oauth.AuthorizationCode:
		fill(&a.permissionURL, "PERMISSION_URL")
	}
	fill(&a.scope, "SCOPE")
}

// command writes the arguments that differ from their defaults, one a line.
func (a *arguments) command() string {
	lines := []string{"orbit email-oauth2-proxy register"}
	a.flags.VisitAll(func(f *pflag.Flag) {
		switch value := f.Value.String(); value {
		case "", "0", "false", f.DefValue:
		case "true":
			lines = append(lines, " --"+f.Name)
		default:
			lines = append(lines, fmt.Sprintf(" --%s=%s", f.Name, quoted(value)))
		}
	})
	return strings.Join(lines, " \\\n")
}

// clone copies the values into arguments with flags of their own.
func (a *arguments) clone() *arguments {
	c := newArguments()
	flags, servers := c.flags, c.servers
	*c = *a
	c.flags, c.servers = flags, servers
	copy(c.servers, a.servers)
	return c
}

// fillIdentity puts words in capitals where only the administrator knows the value.
func (a *arguments) fillIdentity() {
	switch {
	case oauth.Flow(strings.ToLower(a.flow)) == oauth.ServiceAccount:
		fill(&a.serviceAccount, "KEY_FILE.json")
		return
	case a.certificate == "":
		a.secret = "CLIENT_SECRET"
	}
	fill(&a.clientID, "CLIENT_ID")
}

// likely is the provider that the arguments point to.
func (a *arguments) likely(p Plan) provider.ID {
	name, _ := providerOf(p.Registrations[0].Settings)
	id := provider.ID(name)
	for _, l := range p.Listeners {
		if id == provider.Other {
			id = provider.ByHost(l.ServerAddress)
		}
	}
	if id == provider.Other && a.tokenURL == "" {
		return provider.Microsoft365
	}
	return id
}

// thin reports whether a scope lets nobody open a mailbox: the rest was lost on the way.
func thin(scope string) bool {
	for _, s := range strings.Fields(scope) {
		switch s {
		case "offline_access", "openid", "email", "profile":
		default:
			return false
		}
	}
	return true
}

func or(value, standard string) string {
	if value == "" {
		return standard
	}
	return value
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted makes a value one word of a shell.
func quoted(value string) string {
	if plain.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
