package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/proxyhost"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/setting"
	"orbit/internal/vault"
	"orbit/web"
)

const (
	mailbox = "alerts@example.com"
	other   = "invoices@example.com"
	client  = "5f0c7d1e-6b1f-4a2b-9d38-0e4f6a7c21b5"
	word    = "the-secret-of-the-client"
)

// proxySite is the pages with the mail proxy, and a provider that accepts only OAuth beside them.
type proxySite struct {
	*site
	provider *sandbox.Sandbox
	oauth    *oauth.Service
	proxies  *proxyhost.Service
}

func newProxySite(t *testing.T) *proxySite {
	t.Helper()
	t.Parallel()
	s := &proxySite{site: &site{t: t, pool: pgtest.New(t), box: vault.NewTestBox(), now: time.Now()}}
	s.identity = identity.New(s.pool, identity.Options{Clock: s.clock, Log: slog.New(slog.DiscardHandler), PasswordCost: quick})
	s.credentials, s.settings = credential.New(s.pool, s.box), setting.New(s.pool)
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	s.provider = sandboxtest.New(t, sandbox.Options{Identity: idp.Options{
		Mailboxes:      []idp.Mailbox{{Address: mailbox, Name: "Alerts"}, {Address: other, Name: "Invoices"}},
		DeviceInterval: time.Second,
		Clients: []idp.Client{
			{ID: client, Name: "Orbit", Secrets: []string{word}, RedirectURIs: []string{s.url + "/email-oauth2-proxy-authorize/"}, Mailboxes: []string{"*"}},
			{ID: "public", Name: "Orbit", RedirectURIs: []string{s.url + "/email-oauth2-proxy-authorize/"}},
		},
	}})
	s.services()
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := web.New(web.Options{
		BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: s.clock,
		Identity: s.identity, Settings: s.settings, Trail: s.pool,
		Credentials: s.credentials, Connectors: s.connectors(), OAuth: s.oauth, Proxies: s.proxies, Accounts: s.accounts,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = pages.Handler()
	return s
}

func (s *proxySite) connectors() *connector.Service {
	s.t.Helper()
	rules, err := connector.ParseRules("127.0.0.0/8", "")
	if err != nil {
		s.t.Fatal(err)
	}
	return connector.NewService(s.pool, rules)
}

func (s *proxySite) services() {
	s.t.Helper()
	ways := s.connectors()
	var err error
	s.oauth, err = oauth.New(oauth.Options{
		Pool: s.pool, Box: s.box, BaseURL: s.url,
		Client: func(ctx context.Context, r oauth.Registration) (*http.Client, error) {
			return ways.HTTPClient(ctx, r.UseNetworkConnector, r.NetworkConnectorID)
		},
		Prover: oauth.ProverFunc(func(ctx context.Context, address string, token vault.Secret) (string, error) {
			return s.proxies.Prove(ctx, address, token)
		}),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.proxies, err = proxyhost.New(proxyhost.Options{Pool: s.pool, OAuth: s.oauth, Credentials: s.credentials, Connectors: ways})
	if err != nil {
		s.t.Fatal(err)
	}
	s.accounts = account.New(account.Options{Pool: s.pool, Credentials: s.credentials, Settings: s.settings, Dialers: ways, Own: s.proxies.Own})
}

// run starts the background work: device flows, listeners, the log.
func (s *proxySite) run() {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended := make(chan error, 2)
	go func() { ended <- s.oauth.Run(ctx) }()
	go func() { ended <- s.proxies.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				s.t.Errorf("run: %v", err)
			}
		}
	})
}

// registered stores a registration for everybody at the sandbox's provider.
func (s *proxySite) registered(change func(*oauth.Change)) oauth.Registration {
	s.t.Helper()
	c := oauth.Change{
		Settings: oauth.Settings{
			Pattern: "@", Flow: oauth.AuthorizationCode, Provider: "other", TokenURL: s.provider.Endpoints.Token, PermissionURL: s.provider.Endpoints.Authorise,
			ClientID: client, Scope: "https://outlook.office365.com/SMTP.Send https://outlook.office365.com/IMAP.AccessAsUser.All offline_access",
		},
		Secret: oauth.NewSecret{Secret: vault.NewSecret(word)},
	}
	if change != nil {
		change(&c)
	}
	stored, _, err := s.oauth.Create(context.Background(), c)
	if err != nil {
		s.t.Fatal(err)
	}
	return stored
}

// listener stores a listener in front of the sandbox's submission server.
func (s *proxySite) listener() proxyhost.Listener {
	s.t.Helper()
	stored, err := s.proxies.Create(context.Background(), proxyhost.Change{Settings: proxyhost.Settings{
		Name: "SMTP-2465", Protocol: proxy.SMTP, LocalAddress: "127.0.0.1", LocalPort: freePort(s.t),
		ServerAddress: "127.0.0.1", ServerPort: s.provider.Ports.Submission, ServerSecurity: dial.STARTTLS,
		CertificateRule: dial.CustomCA, CertificateCA: s.provider.Certificate.CA,
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	return stored
}

// approved is what a consent does while an account names a server of somebody else.
func (s *proxySite) approved(address string, to credential.Destination) {
	s.t.Helper()
	_, err := s.pool.Exec(context.Background(), `
		insert into oauth_destination (oauth_grant_id, destination, approved_by)
		select id, $2, 'ana' from oauth_grant where address = $1`, address, to.String())
	if err != nil {
		s.t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	server := httptest.NewServer(nil)
	defer server.Close()
	u, _ := url.Parse(server.URL)
	var port int
	for _, c := range u.Port() {
		port = port*10 + int(c-'0')
	}
	return port
}

// ana is the administrator.
func (s *proxySite) ana() *guest {
	s.t.Helper()
	s.somebody("ana", identity.Administrator)
	return s.as("ana")
}

var consentAddress = regexp.MustCompile(`href="(http://127\.0\.0\.1:\d+/sandbox/oauth2/v2\.0/authorize[^"]+)"`)

// consentOn finds the way to the provider on a page.
func consentOn(t *testing.T, a answer) string {
	t.Helper()
	found := consentAddress.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("no way to the provider:\n%s", a.main())
	}
	return unescape(found[1])
}

func itoa(id int64) string { return strconv.FormatInt(id, 10) }
