package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// registerNames says which flag a setting comes from.
var registerNames = map[string]string{
	"pattern": "--account", "flow": "--oauth2-flow", "permission_url": "--oauth2-permission-url", "token_url": "--oauth2-token-url",
	"device_url": "--oauth2-device-url", "scope": "--oauth2-scope", "client_id": "--oauth2-client-id",
	"client_secret": "--oauth2-client-secret", "redirect_uri": "--oauth2-redirect-uri", "certificate": "--certificate", "key": "--key",
	"service_account": "--service-account",
}

// arguments is what the register command takes.
type arguments struct {
	flags *pflag.FlagSet

	servers                                   []serverArguments
	permissionURL, tokenURL, deviceURL, scope string
	flow, clientID, secret                    string
	redirectURI, provider, cloud, tenant      string
	domain, account                           string
	certificate, key, serviceAccount          string
	caFile, pin                               string
	force                                     bool
	interactive                               bool // a permission URL was meant, even if it is blank
}

// serverArguments are the flags of one protocol.
type serverArguments struct {
	protocol  Protocol
	flag      string // "imap"
	address   string
	port      int
	localPort int
	starttls  bool
	wanted    bool // any of its flags was given
}

func newArguments() *arguments {
	a := &arguments{flags: pflag.NewFlagSet("register", pflag.ContinueOnError)}
	f := a.flags
	f.SetOutput(io.Discard)
	f.SortFlags = false
	a.servers = []serverArguments{
		{protocol: IMAP, flag: "imap", localPort: imapLocalPort},
		{protocol: POP3, flag: "pop", localPort: popLocalPort},
		{protocol: SMTP, flag: "smtp", localPort: smtpLocalPort},
	}
	for i := range a.servers {
		a.servers[i].define(f)
	}
	f.StringVar(&a.provider, "provider", "", "supplies addresses, URLs and scope: microsoft365, google, fastmail, yahoo")
	f.StringVar(&a.cloud, "cloud", "", "Microsoft's cloud: worldwide, china, us_government, us_dod")
	f.StringVar(&a.tenant, "tenant-id", "", "Microsoft tenant")
	f.StringVar(&a.tokenURL, "oauth2-token-url", "", "token endpoint")
	f.StringVar(&a.permissionURL, "oauth2-permission-url", "", "where people consent")
	f.StringVar(&a.deviceURL, "oauth2-device-url", "", "device code endpoint")
	f.StringVar(&a.scope, "oauth2-scope", "", "scopes, separated by blanks")
	f.StringVar(&a.flow, "oauth2-flow", "", "authorization_code, client_credentials, device or service_account")
	f.StringVar(&a.clientID, "oauth2-client-id", "", "client id of the application")
	f.StringVar(&a.secret, "oauth2-client-secret", "", "client secret of the application (its Value)")
	f.StringVar(&a.redirectURI, "oauth2-redirect-uri", "", "redirect URI, when it is not Orbit's own")
	f.StringVar(&a.certificate, "certificate", "", "file with the client certificate (PEM), instead of a secret")
	f.StringVar(&a.key, "key", "", "file with the certificate's key (PEM)")
	f.StringVar(&a.serviceAccount, "service-account", "", "file with a service account's JSON key")
	f.StringVar(&a.caFile, "ca-file", "", "file with the authorities of the mail servers' certificates (PEM), instead of the system's")
	f.StringVar(&a.pin, "pin-sha256", "", "SHA-256 fingerprint of the mail servers' certificate, instead of any authority")
	f.StringVar(&a.account, "account", "", "register for this address only")
	f.StringVar(&a.domain, "domain", "", "register for all addresses of this domain only")
	f.BoolVar(&a.force, "force", false, "replace what is registered without asking")
	return a
}

func (s *serverArguments) define(f *pflag.FlagSet) {
	name := strings.ToUpper(s.flag)
	f.StringVar(&s.address, s.flag+"-server-address", "", name+" server of the provider")
	f.Var((*port)(&s.port), s.flag+"-server-port", fmt.Sprintf("its port (%d)", standardPorts[s.protocol]))
	f.Var((*port)(&s.localPort), s.flag+"-local-port", "port that Orbit opens for "+name)
	f.BoolVar(&s.starttls, s.flag+"-server-starttls", false, "the connection to the server begins without encryption")
}

// noteWanted remembers which protocols the command asks for, and whether a permission URL was meant.
func (a *arguments) noteWanted() {
	for i := range a.servers {
		s := &a.servers[i]
		for _, flag := range []string{"-server-address", "-server-port", "-local-port", "-server-starttls"} {
			s.wanted = s.wanted || a.flags.Changed(s.flag+flag)
		}
	}
	a.interactive = a.flags.Changed("oauth2-permission-url")
}

// port is a flag that takes a port, and a blank for "not given".
type port int

func (p *port) String() string { return fmt.Sprint(int(*p)) }
func (p *port) Type() string   { return "port" }

func (p *port) Set(text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil || fmt.Sprint(n) != text || n < 1 || n > 65535 {
		return fmt.Errorf("%q is no port between 1 and 65535", text)
	}
	*p = port(n)
	return nil
}

// RegisterUsage lists the flags of the register command.
func RegisterUsage() string { return newArguments().flags.FlagUsages() }

// Register reads the arguments of the register command as they are pasted: blank arguments are ignored,
// values are trimmed. The error is a *problem.Refused for arguments that are wrong, or an *Incomplete with
// the complete command.
func Register(args []string, o Options) (Plan, error) {
	a := newArguments()
	if err := a.flags.Parse(withoutBlanks(args)); err != nil {
		return Plan{}, problem.Refuse("%s", err)
	}
	if rest := a.flags.Args(); len(rest) > 0 {
		return Plan{}, problem.Refuse("unexpected argument %q", rest[0])
	}
	a.trim()
	a.noteWanted()
	if a.serviceAccount != "" {
		fill(&a.flow, string(oauth.ServiceAccount))
	}
	if oauth.Flow(strings.ToLower(a.flow)) == oauth.Password {
		return Plan{}, problem.Refuse("the password flow is insecure; it is only taken over from a configuration that has it: orbit email-oauth2-proxy import FILE")
	}
	given := a.clone()
	p := Plan{Force: a.force}
	if err := a.fillFromProvider(); err != nil {
		return Plan{}, err
	}
	r, err := a.registration(o)
	if err != nil {
		return Plan{}, err
	}
	p.Registrations = []Registration{r}
	p.Listeners = a.listeners()
	if missing := a.missing(p); len(missing) > 0 {
		return Plan{}, &Incomplete{Missing: missing, Command: given.complete(p), Note: given.contradiction()}
	}
	p.finish(registerNames)
	p.completeServers()
	if err := p.Trust(a.caFile, a.pin, o); err != nil {
		return Plan{}, err
	}
	return p, p.Problems.Err()
}

// withoutBlanks drops arguments that consist of blanks, which a copied "\ \" leaves behind.
func withoutBlanks(args []string) []string {
	var kept []string
	for _, arg := range args {
		if strings.TrimSpace(arg) != "" {
			kept = append(kept, strings.TrimSpace(arg))
		}
	}
	return kept
}

func (a *arguments) trim() {
	a.flags.VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "string" {
			_ = f.Value.Set(strings.TrimSpace(f.Value.String())) // a string takes anything
		}
	})
}

// fillFromProvider sets what was left out from the template of --provider.
func (a *arguments) fillFromProvider() error {
	if a.provider == "" {
		return nil
	}
	preset := provider.Find(provider.ID(strings.ToLower(a.provider)))
	i, err := a.template(preset)
	if err != nil {
		return err
	}
	t := preset.OAuth[i]
	tenant := or(a.tenant, "TENANT_ID")
	inTenant := func(address string) string { return strings.ReplaceAll(address, "{tenant}", tenant) }
	fill(&a.tokenURL, inTenant(t.TokenURL))
	switch flow := oauth.Flow(strings.ToLower(a.flow)); {
	case flow == oauth.DeviceCode:
		fill(&a.scope, t.Scope)
		fill(&a.deviceURL, inTenant(t.DeviceURL))
	case (flow == oauth.ClientCredentials || flow == oauth.ServiceAccount) && !a.interactive:
		fill(&a.scope, t.AppScope)
	default:
		fill(&a.scope, t.Scope)
		fill(&a.permissionURL, inTenant(t.PermissionURL))
	}
	a.fillServers(preset.ID)
	return nil
}

// template finds the endpoints of a provider, for Microsoft those of the cloud.
func (a *arguments) template(p provider.Preset) (int, error) {
	if len(p.OAuth) == 0 {
		return 0, problem.Refuse("%q is no provider with OAuth 2.0. Choose microsoft365, google, fastmail or yahoo, or give the URLs.", a.provider)
	}
	for i, t := range p.OAuth {
		if t.Cloud == a.cloud || a.cloud == "" {
			return i, nil
		}
	}
	return 0, problem.Refuse("%q is no cloud of %s. Choose worldwide, china, us_government or us_dod.", a.cloud, p.Name)
}

// fillServers takes the provider's servers: for the protocols that were named, or else for IMAP and SMTP.
func (a *arguments) fillServers(id provider.ID) {
	known := servers(id, a.tokenURL)
	some := slices.ContainsFunc(a.servers, func(s serverArguments) bool { return s.wanted })
	for i := range a.servers {
		s := &a.servers[i]
		if byDefault := !some && s.protocol != POP3; !s.wanted && !byDefault {
			continue
		}
		server := known[s.protocol]
		fill(&s.address, server.Host)
		if s.port == 0 {
			s.port, s.starttls = server.Port, server.Security == "tls"
		}
	}
}

func fill(value *string, standard string) {
	if *value == "" {
		*value = standard
	}
}

// registration is the client that the arguments describe.
func (a *arguments) registration(o Options) (Registration, error) {
	pattern := "@"
	switch {
	case a.account != "" && a.domain != "":
		return Registration{}, problem.Refuse("give --account or --domain, not both")
	case a.account != "":
		pattern = a.account
	case a.domain != "":
		pattern = "@" + strings.TrimPrefix(a.domain, "@")
	}
	r := Registration{Settings: oauth.Settings{
		Pattern: pattern, Flow: oauth.Flow(strings.ToLower(a.flow)), Tenant: a.tenant, PermissionURL: a.permissionURL,
		DeviceURL: a.deviceURL, TokenURL: a.tokenURL, Scope: a.scope, ClientID: a.clientID,
		RedirectURI: a.redirectURI,
	}}
	if r.Flow == "" {
		r.Flow = oauth.AuthorizationCode
	}
	var err error
	r.Secret, err = a.newSecret(o)
	fill(&r.ClientID, r.Secret.ClientID())
	return r, err
}

func (a *arguments) newSecret(o Options) (oauth.NewSecret, error) {
	n := secretOf(a.secret)
	var certificate, key, account string
	for _, f := range []struct {
		flag, path string
		content    *string
	}{
		{"--certificate", a.certificate, &certificate}, {"--key", a.key, &key}, {"--service-account", a.serviceAccount, &account},
	} {
		if f.path == "" {
			continue
		}
		var err error
		if *f.content, err = readFile(o, f.flag, f.path); err != nil {
			return n, err
		}
	}
	n.Certificate, n.Key, n.ServiceAccount = certificate, vault.NewSecret(key), vault.NewSecret(account)
	return n, nil
}

func (a *arguments) listeners() []Listener {
	var all []Listener
	for i := range a.servers {
		s := &a.servers[i]
		if !s.wanted && s.address == "" {
			continue
		}
		all = append(all, Listener{
			Protocol: s.protocol, LocalAddress: loopback, LocalPort: s.localPort,
			ServerAddress: s.address, ServerPort: s.port, STARTTLS: s.starttls,
		})
	}
	return all
}
