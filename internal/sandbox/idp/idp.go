// Package idp is the sandbox's identity provider: OAuth 2.0 as mail providers speak it, with consent page,
// device page, client assertions, rotating refresh tokens and the error texts of Microsoft or Google.
//
// It is small and strict. PKCE is demanded, codes work once, redirect URIs must be registered, and a token is
// good for the mailbox and the protocols that somebody consented to. Everything lives in memory and ends with
// the process. Tests script what it answers next with Fail, and read what it was asked with Stats.
//
// Passwords and tokens are plain strings here: they open nothing but the sandbox.
package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"orbit/internal/sandbox/look"
)

// Flavour is whose words and habits the provider has.
type Flavour string

// The flavours.
const (
	Microsoft Flavour = "microsoft"
	Google    Flavour = "google"
)

// Tenant is the directory in the addresses of the endpoints.
const Tenant = "sandbox"

// The lives of what is handed out.
const (
	visitLife  = 10 * time.Minute // of a consent page and of a code
	deviceLife = 15 * time.Minute
)

// Options describe a provider. The zero value has a mailbox, a client, and Microsoft's flavour.
type Options struct {
	Issuer          string // its own address, http://127.0.0.1:3080
	Flavour         Flavour
	Mailboxes       []Mailbox
	Clients         []Client
	ServiceAccounts []ServiceAccount
	TokenLife       time.Duration // one hour
	RefreshLife     time.Duration // 90 days
	StrictRotation  bool          // a refresh token works once; otherwise once more while its successor is unused
	DeviceInterval  time.Duration // between polls; 5 s
}

// Provider is a running identity provider.
type Provider struct {
	o   Options
	key *ecdsa.PrivateKey // signs tokens

	mu        sync.Mutex
	mailboxes map[string]Mailbox
	clients   map[string]Client
	accounts  map[string]ServiceAccount
	tokenLife time.Duration
	visits    shelf[visit]
	codes     shelf[*code]
	devices   shelf[*device]
	tokens    shelf[*access]
	refreshes shelf[*refresh]
	failures  map[Endpoint][]Failure
	stats     Stats
}

// New returns a provider; its pages and endpoints are in Handler.
func New(o Options) (*Provider, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key that signs tokens: %w", err)
	}
	o = o.withDefaults()
	p := &Provider{
		o: o, key: key, tokenLife: o.TokenLife,
		mailboxes: make(map[string]Mailbox), clients: make(map[string]Client), accounts: make(map[string]ServiceAccount),
		failures: make(map[Endpoint][]Failure), stats: newStats(),
	}
	for _, m := range o.Mailboxes {
		p.mailboxes[strings.ToLower(m.Address)] = m
	}
	for _, c := range o.Clients {
		p.clients[c.ID] = c
	}
	for _, a := range o.ServiceAccounts {
		p.accounts[a.Email] = a
	}
	return p, nil
}

func (o Options) withDefaults() Options {
	if o.Flavour == "" {
		o.Flavour = Microsoft
	}
	if len(o.Mailboxes) == 0 {
		o.Mailboxes = DefaultMailboxes()
	}
	if len(o.Clients) == 0 {
		o.Clients = []Client{DefaultClient()}
	}
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.RefreshLife == 0 {
		o.RefreshLife = 90 * 24 * time.Hour
	}
	if o.DeviceInterval == 0 {
		o.DeviceInterval = 5 * time.Second
	}
	return o
}

// Endpoints are the addresses that clients are configured with.
type Endpoints struct {
	Authorise, Token, Device, Introspect, UserInfo string
}

// Endpoints returns the provider's addresses.
func (p *Provider) Endpoints() Endpoints {
	base := p.o.Issuer + "/" + Tenant + "/oauth2/v2.0/"
	return Endpoints{
		Authorise: base + "authorize", Token: base + "token", Device: base + "devicecode",
		Introspect: p.o.Issuer + "/introspect", UserInfo: p.o.Issuer + "/userinfo",
	}
}

// Flavour is whose words the provider uses.
func (p *Provider) Flavour() Flavour { return p.o.Flavour }

// SetTokenLife says how long access tokens live that are given from now on.
func (p *Provider) SetTokenLife(life time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokenLife = life
}

// Handler is every page and endpoint.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", p.authorise)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/consent", p.consent)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", p.token)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", p.startDevice)
	mux.HandleFunc("GET /device", p.devicePage)
	mux.HandleFunc("POST /device", p.enterCode)
	mux.HandleFunc("POST /introspect", p.introspect)
	mux.HandleFunc("GET /userinfo", p.userInfo)
	mux.HandleFunc("GET /"+Tenant+"/v2.0/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /stats", p.showStats)
	mux.HandleFunc("GET /{$}", p.frontPage)
	look.Mount(mux)
	return look.Secure(http.MaxBytesHandler(mux, maxRequest))
}

// maxRequest bounds what anybody sends; a certificate's assertion has a few kilobytes.
const maxRequest = 64 << 10
