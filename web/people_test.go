package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/account"
	"orbit/internal/approval"
	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/setting"
	"orbit/internal/vault"
	"orbit/web"
)

const goodPassword = "seven lamps over the river"

// site is the pages on a database of their own, with a clock that the test moves.
type site struct {
	t        *testing.T
	pool     *pgxpool.Pool
	identity *identity.Service
	url      string

	box         *vault.Box
	credentials *credential.Service
	settings    *setting.Service
	accounts    *account.Service
	approvals   *approval.Service
	sent        outbox // mails of approvals and invitations
	notify      *notify.Service
	ways        *connector.Service

	mu  sync.Mutex
	now time.Time
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// quick is for passwords that nobody guesses: with the race detector a real hash takes half a second.
var quick = identity.Cost{Memory: 64, Passes: 1, Threads: 1}

func newSite(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	s := &site{t: t, pool: pgtest.New(t), box: vault.NewTestBox(), now: time.Now()}
	s.identity = identity.New(s.pool, identity.Options{Clock: s.clock, Log: slog.New(slog.DiscardHandler), PasswordCost: quick,
		SendInvitation: s.sent.invite})
	s.credentials, s.settings = credential.New(s.pool, s.box), setting.New(s.pool)
	here, err := connector.ParseRules("127.0.0.0/8", "")
	if err != nil {
		t.Fatal(err)
	}
	s.ways = connector.NewService(s.pool, here)
	s.ways.Credentials = s.credentials
	t.Cleanup(s.ways.Close)
	s.accounts = account.New(account.Options{Pool: s.pool, Credentials: s.credentials, Settings: s.settings, Dialers: s.ways})
	agents, err := connector.NewAgents(connector.AgentOptions{Pool: s.pool, Box: s.box, Listen: ":51445"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(agents.Close)
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.approvals = approval.NewService(approval.Options{
		Pool: s.pool, People: people{s.identity}, Notices: &s.sent, BaseURL: base, Clock: s.clock,
	})
	if s.notify, err = notify.New(notify.Options{Pool: s.pool, Accounts: s.accounts, Settings: s.settings, Box: s.box, BaseURL: base}); err != nil {
		t.Fatal(err)
	}
	pages, err := web.New(web.Options{
		BaseURL: base, Notify: s.notify, Log: slog.New(slog.DiscardHandler), Clock: s.clock, Approvals: s.approvals,
		Identity: s.identity, Settings: s.settings, Trail: s.pool,
		Credentials: s.credentials, Connectors: s.ways, Agents: agents, Accounts: s.accounts,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = pages.Handler()
	return s
}

func (s *site) somebody(name string, role identity.Role) identity.User {
	s.t.Helper()
	u, err := s.identity.CreateUser(context.Background(), identity.User{Username: name, Role: role}, vault.NewSecret(goodPassword))
	if err != nil {
		s.t.Fatalf("create %s: %v", name, err)
	}
	return u
}

// guest is a browser that follows no redirect, so that tests see them.
type guest struct {
	site   *site
	client *http.Client
}

func (s *site) guest() *guest {
	jar, _ := cookiejar.New(nil)
	return &guest{site: s, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as is a browser in which name is signed in.
func (s *site) as(name string) *guest {
	s.t.Helper()
	g := s.guest()
	if a := g.post("/login", "username", name, "password", goodPassword); a.status != http.StatusSeeOther {
		s.t.Fatalf("sign in as %s: %d", name, a.status)
	}
	return g
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (g *guest) get(path string) answer {
	g.site.t.Helper()
	return g.do(http.MethodGet, path, nil)
}

// post sends a form of names and values.
func (g *guest) post(path string, pairs ...string) answer {
	g.site.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return g.do(http.MethodPost, path, form)
}

func (g *guest) do(method, path string, form url.Values, headers ...string) answer {
	g.site.t.Helper()
	r, err := http.NewRequest(method, g.site.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		g.site.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := g.client.Do(r)
	if err != nil {
		g.site.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.site.t.Fatal(err)
	}
	return answer{t: g.site.t, status: response.StatusCode, header: response.Header, body: string(body)}
}

// key is the session's cookie.
func (g *guest) key() string {
	base, _ := url.Parse(g.site.url)
	for _, c := range g.client.Jar.Cookies(base) {
		if c.Name == "orbit" {
			return c.Value
		}
	}
	return ""
}

// is checks the status and that the page says each text.
func (a answer) is(status int, texts ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("status %d, want %d\n%s", a.status, status, a.main())
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("the page does not say %q\n%s", text, a.main())
		}
	}
	return a
}

// hides checks that none of the texts is on the page.
func (a answer) hides(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.t.Errorf("the page says %q", text)
		}
	}
	return a
}

// leads checks that the answer is a redirect to a path.
func (a answer) leads(to string) answer {
	a.t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != to {
		a.t.Errorf("status %d to %q, want 303 to %q\n%s", a.status, a.header.Get("Location"), to, a.main())
	}
	return a
}

// main is the part of the page that matters in a failure.
func (a answer) main() string {
	_, rest, found := strings.Cut(a.body, "<main")
	if !found {
		return a.body
	}
	return rest
}
