// Package plan turns what administrators bring, a configuration of email-oauth2-proxy or the arguments of
// its register command, into what Orbit would create: registrations, listeners, and a note for everything
// that is contradictory in the original and what became of it.
//
// It reads and writes no rows: the command line and the pages show a plan, and store it when somebody
// confirms. Export goes the other way and writes a file that email-oauth2-proxy reads.
package plan

import (
	"strings"

	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Protocol is what a listener speaks.
type Protocol string

// The protocols. The words are those of the table proxy_listener.
const (
	IMAP Protocol = "imap"
	POP3 Protocol = "pop3"
	SMTP Protocol = "smtp"
)

// Local ports that administrators know from the register command.
const (
	imapLocalPort = 2993
	popLocalPort  = 2995
	smtpLocalPort = 2465
)

const loopback = "127.0.0.1"

// Registration is a client to be created.
type Registration struct {
	oauth.Settings
	Secret oauth.NewSecret `json:"-"`
}

// Change is what oauth.Service creates.
func (r Registration) Change() oauth.Change {
	return oauth.Change{Settings: r.Settings, Secret: r.Secret}
}

// Listener is a local port to be opened, in plain values.
type Listener struct {
	Protocol         Protocol `json:"protocol"`
	LocalAddress     string   `json:"local_address"`
	LocalPort        int      `json:"local_port"`
	ServerAddress    string   `json:"server_address"`
	ServerPort       int      `json:"server_port"`
	STARTTLS         bool     `json:"starttls"`             // to the server; otherwise TLS from the first byte
	ServerCA         string   `json:"server_ca,omitempty"`  // authorities of the server's certificate (PEM); empty: the system's
	ServerPin        string   `json:"server_pin,omitempty"` // or its SHA-256 fingerprint
	LocalSTARTTLS    bool     `json:"local_starttls"`       // offered to the client
	LocalCertificate string   `json:"local_certificate,omitempty"`
	LocalKey         string   `json:"local_key,omitempty"` // paths of PEM files
}

// Plan is what would be created. Nothing is stored while Problems is not empty.
type Plan struct {
	Registrations []Registration  `json:"registrations"`
	Listeners     []Listener      `json:"listeners"`
	Notes         []oauth.Note    `json:"notes"`
	Problems      problem.Invalid `json:"problems,omitempty"`
	Force         bool            `json:"force,omitempty"` // replace what is there without asking
}

// Options is what a plan is made with.
type Options struct {
	// ReadFile reads the certificates and keys that a configuration names by path. Nil, as in the pages,
	// where a path would be one of the server's: the contents have to be entered instead.
	ReadFile func(path string) ([]byte, error)
	// RedirectURI is Orbit's own, to tell where the provider has to send people.
	RedirectURI string
}

// Parse reads a pasted text: a register command or a configuration.
func Parse(text string, o Options) Plan {
	if args, ok := registerArgs(text); ok {
		p, err := Register(args, o)
		if err != nil {
			p.Problems.Add("text", "%s", err.Error())
		}
		return p
	}
	return Import(text, o)
}

// finish cleans and checks the registrations and collects what is to be said about them.
func (p *Plan) finish(names map[string]string) {
	for i := range p.Registrations {
		r := &p.Registrations[i]
		cleaned, notes := r.Clean()
		r.Settings = cleaned
		r.Provider, r.Tenant = providerOf(r.Settings)
		for _, n := range append(notes, r.Notes()...) {
			n.Where = where(r.Pattern, n.Where, names)
			p.Notes = append(p.Notes, n)
		}
		p.Notes = append(p.Notes, gaps(*r, names)...)
		if r.EffectiveFlow().NeedsPerson() {
			p.Notes = append(p.Notes, signInFirst(r.Pattern))
		}
		for _, f := range r.Change().Check() {
			p.Problems.Add(where(r.Pattern, f.Name, names), "%s", f.Text)
		}
	}
}

// where names a setting as the original does: "[@] oauth2_scope", "--oauth2-scope".
func where(pattern, field string, names map[string]string) string {
	name, ok := names[field]
	if !ok {
		name = field
	}
	if strings.HasPrefix(name, "--") {
		return name
	}
	return "[" + pattern + "] " + name
}

func signInFirst(pattern string) oauth.Note {
	return oauth.Note{Rule: oauth.TestBeforeSignIn, Where: "[" + pattern + "]",
		Why: "Authorise the address first, then test. In email-oauth2-proxy a test before that blocks for up to ten minutes; Orbit's test says at once that it is not authorised, and goes on when it is."}
}

// gaps finds words of the documentation that were left where an own value belongs.
func gaps(r Registration, names map[string]string) []oauth.Note {
	var notes []oauth.Note
	note := func(field, word string, found bool) {
		if found {
			notes = append(notes, oauth.Note{Where: where(r.Pattern, field, names), Was: word, Why: word + " is a word of the documentation. Put your own value in its place."})
		}
	}
	note("client_id", "CLIENT_ID", r.ClientID == "CLIENT_ID")
	note("client_secret", "CLIENT_SECRET", r.Secret.Secret.Equal(vault.NewSecret("CLIENT_SECRET")))
	note("token_url", "TENANT_ID", strings.Contains(r.TokenURL, "TENANT_ID"))
	return notes
}
