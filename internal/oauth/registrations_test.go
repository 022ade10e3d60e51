package oauth

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestLookupOrderIsAddressDomainEverybody(t *testing.T) {
	b := setup(t)
	for _, pattern := range []string{"@", "@example.com", address} {
		s := b.settings(AuthorizationCode)
		s.Pattern = pattern
		b.register(s, sharedSecret())
	}
	for mailbox, want := range map[string]string{
		"Alerts@Example.com": address, "other@example.com": "@example.com", "somebody@elsewhere.org": "@",
	} {
		r, err := b.Lookup(context.Background(), mailbox)
		if err != nil || r.Pattern != want || !r.Covers(mailbox) {
			t.Errorf("%s: %s, %v, want %s", mailbox, r.Pattern, err, want)
		}
	}
}

func TestBetterRegistrationTakesOverWithoutAPersonAndWaitsForOne(t *testing.T) {
	b := setup(t)
	s := b.settings(ClientCredentials)
	s.Pattern = "@"
	b.register(s, sharedSecret())
	b.token(address)
	better := b.settings(ClientCredentials)
	better.ClientID = "client-2"
	b.register(better, sharedSecret())
	b.clock.advance(2 * time.Second)
	b.token(address)
	if got := b.provider.last().Get("client_id"); got != "client-2" {
		t.Errorf("asked as %s", got)
	}

	const person = "person@example.org"
	domain := b.settings(AuthorizationCode)
	domain.Pattern = "@example.org"
	b.register(domain, sharedSecret())
	b.authorise(person)
	own := b.settings(AuthorizationCode)
	own.Pattern, own.ClientID = person, "client-3"
	b.register(own, sharedSecret())
	b.clock.advance(2 * time.Hour)
	b.token(person)
	if got := b.provider.last().Get("client_id"); got != "client-1" {
		t.Errorf("refreshed as %s before anybody consented again", got)
	}
	b.authorise(person)
	b.clock.advance(2 * time.Hour)
	b.token(person)
	if got := b.provider.last().Get("client_id"); got != "client-3" {
		t.Errorf("refreshed as %s after the new consent", got)
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	c := Change{Settings: Settings{Pattern: "nonsense", Flow: "implicit", TokenURL: "http://id.example.com/token", RedirectListenAddress: "0.0.0.0:8801"}}
	_, err := c.check(nil)
	var wrong problem.Invalid
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	for _, field := range []string{"pattern", "flow", "token_url", "scope", "client_id", "redirect_listen_address"} {
		if wrong.For(field) == "" {
			t.Errorf("nothing about %s in\n%v", field, wrong)
		}
	}
}

func TestEndpointsWantHTTPS(t *testing.T) {
	t.Parallel()
	for value, right := range map[string]bool{
		"https://login.microsoftonline.com/x/oauth2/v2.0/token": true,
		"http://127.0.0.1:9000/token":                           true,
		"http://[::1]:9000/token":                               true,
		"http://localhost/token":                                true,
		"http://id.example.com/token":                           false,
		"http://127.0.0.1.example.com/token":                    false,
		"ftp://id.example.com/token":                            false,
		"https://user:pass@id.example.com/token":                false,
		"https://id.example.com/token#x":                        false,
		"id.example.com/token":                                  false,
		"https://id..example.com/token":                         false,
		"https://":                                              false,
		"://":                                                   false,
	} {
		s := Settings{Pattern: "@", Flow: ClientCredentials, TokenURL: value, Scope: "mail", ClientID: "x"}
		if got := s.Validate().For("token_url") == ""; got != right {
			t.Errorf("%s: accepted %v, want %v", value, got, right)
		}
	}
}

func TestFlowsWantWhatTheyNeed(t *testing.T) {
	t.Parallel()
	base := Settings{Pattern: "@", TokenURL: "https://id.example.com/token", Scope: "mail", ClientID: "x"}
	for flow, field := range map[Flow]string{
		AuthorizationCode: "permission_url", DeviceCode: "device_url", ClientCredentials: "client_secret", ServiceAccount: "service_account",
	} {
		s := base
		s.Flow = flow
		c := Change{Settings: s}
		_, err := c.check(nil)
		var wrong problem.Invalid
		if !errors.As(err, &wrong) || wrong.For(field) == "" {
			t.Errorf("%s does not ask for %s: %v", flow, field, err)
		}
	}
}

func TestPermissionURLMakesTheFlowInteractive(t *testing.T) {
	t.Parallel()
	for _, flow := range []Flow{AuthorizationCode, ClientCredentials, Password, ServiceAccount, ""} {
		s := Settings{Flow: flow, PermissionURL: "https://id.example.com/authorize"}
		if got := s.EffectiveFlow(); got != AuthorizationCode {
			t.Errorf("%s with a permission URL is %s", flow, got)
		}
	}
	if got := (Settings{Flow: DeviceCode, PermissionURL: "https://id.example.com/authorize"}).EffectiveFlow(); got != DeviceCode {
		t.Errorf("device became %s", got)
	}
	notes := Settings{Flow: ClientCredentials, PermissionURL: "https://id.example.com/authorize"}.Notes()
	if len(notes) != 1 || notes[0].Rule != FlowContradiction || !strings.Contains(notes[0].Why, "the effective flow is authorization_code") {
		t.Errorf("notes %v", notes)
	}
}

func TestCleanMendsSlipsAndSaysSo(t *testing.T) {
	t.Parallel()
	const microsoft = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
	for name, c := range map[string]struct {
		given Settings
		field func(Settings) string
		want  string
		rule  Rule
	}{
		"blanks":             {Settings{TokenURL: " https://a.example/token "}, func(s Settings) string { return s.TokenURL }, "https://a.example/token", StrayText},
		"markdown":           {Settings{TokenURL: "[https://a.example/token](https://a.example/token)"}, func(s Settings) string { return s.TokenURL }, "https://a.example/token", StrayText},
		"markdown text only": {Settings{TokenURL: "[https://a.example/token]()"}, func(s Settings) string { return s.TokenURL }, "https://a.example/token", StrayText},
		"markdown remains":   {Settings{TokenURL: "[]("}, func(s Settings) string { return s.TokenURL }, "", StrayText},
		"scope":              {Settings{Scope: " a  SMPT.Send "}, func(s Settings) string { return s.Scope }, "a SMTP.Send", MisspelledScope},
		"redirect":           {Settings{RedirectURI: "http://vault.example.com/email-oauth2-proxy-authorize/"}, func(s Settings) string { return s.RedirectURI }, "https://vault.example.com/email-oauth2-proxy-authorize/", InsecureRedirect},
		"redirect with gap":  {Settings{RedirectURI: "http://<Your_Vault_Address>/x/"}, func(s Settings) string { return s.RedirectURI }, "", InsecureRedirect},
		"redirect localhost": {Settings{RedirectURI: "http://localhost"}, func(s Settings) string { return s.RedirectURI }, "http://localhost", 0},
		"app only":           {Settings{Flow: ClientCredentials, TokenURL: microsoft, Scope: "https://outlook.office365.com/SMTP.Send"}, func(s Settings) string { return s.Scope }, "https://outlook.office365.com/.default", AppOnlyScope},
		"app only elsewhere": {Settings{Flow: ClientCredentials, TokenURL: "https://a.example/token", Scope: "mail"}, func(s Settings) string { return s.Scope }, "mail", 0},
	} {
		cleaned, notes := c.given.Clean()
		if got := c.field(cleaned); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		told := slices.ContainsFunc(notes, func(n Note) bool { return n.Rule == c.rule && n.Corrected() && n.Was != "" && n.Why != "" })
		if told != (c.rule != 0) {
			t.Errorf("%s: notes %v", name, notes)
		}
		if again, more := cleaned.Clean(); again != cleaned || len(more) != 0 {
			t.Errorf("%s: cleaning twice changes %v", name, more)
		}
	}
}

func TestListenAddress(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"http://127.0.0.1:8801/": "127.0.0.1:8801", "127.0.0.1:8801": "127.0.0.1:8801", "http://localhost": "localhost:80",
		"http://[::1]:9/": "[::1]:9", "http://0.0.0.0:8801": "", "https://127.0.0.1:1": "", "127.0.0.1:99999": "", "": "", "http://mail.example.com:80": "",
	} {
		got, err := ListenAddress(value)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v, want %q", value, got, err, want)
		}
	}
}

func TestChangedTokenURLWantsTheSecretAgain(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(ClientCredentials), sharedSecret())
	changed := r.Settings
	changed.TokenURL = "https://thief.example.com/token"
	_, _, err := b.Save(asAdmin(), r.ID, Change{Settings: changed, Version: r.Version})
	var wrong problem.Invalid
	if !errors.As(err, &wrong) || !strings.Contains(wrong.For("client_secret"), "again") {
		t.Fatalf("%v", err)
	}
	b.exec("update oauth_client set token_url = 'https://thief.example.com/token'") // not even in the database
	_, err = b.access(context.Background(), address)
	if fault := wantFault(t, err); fault.Code != "token_secret_shut" {
		t.Errorf("fault %+v", fault)
	}
}

func TestSavingKeepsTheSecretAndEmptiesGrantsOfAnotherIdentity(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(AuthorizationCode), sharedSecret())
	b.authorise(address)
	changed := r.Settings
	changed.RedirectURI = "https://orbit.example.org/email-oauth2-proxy-authorize/"
	r, _, err := b.Save(asAdmin(), r.ID, Change{Settings: changed, Version: r.Version})
	if err != nil || len(r.Secrets) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	b.wantState(address, Waiting)
	changed.Scope = "https://outlook.office365.com/IMAP.AccessAsUser.All offline_access"
	if _, _, err = b.Save(asAdmin(), r.ID, Change{Settings: changed, Version: r.Version}); err != nil {
		t.Fatal(err)
	}
	b.wantState(address, None)
}

func TestTwoAdministratorsAreToldOfEachOther(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(AuthorizationCode), sharedSecret())
	first, second := r.Settings, r.Settings
	first.Tenant, second.ClientID = "contoso", "client-9"
	if _, _, err := b.Save(asAdmin(), r.ID, Change{Settings: first, Version: r.Version}); err != nil {
		t.Fatal(err)
	}
	_, _, err := b.Save(asAdmin(), r.ID, Change{Settings: second, Version: r.Version})
	var c *problem.Conflict
	if !errors.As(err, &c) || c.Who != "admin" || len(c.Changed) != 2 {
		t.Errorf("%v: %+v", err, c)
	}
}

func TestPatternIsUniqueInAnyCase(t *testing.T) {
	b := setup(t)
	b.register(b.settings(AuthorizationCode), sharedSecret())
	s := b.settings(AuthorizationCode)
	s.Pattern = "ALERTS@example.com "
	_, _, err := b.Create(asAdmin(), Change{Settings: s, Secret: sharedSecret()})
	var wrong problem.Invalid
	if !errors.As(err, &wrong) || wrong.For("pattern") == "" {
		t.Error(err)
	}
}

func TestRemovingARegistrationEndsItsGrants(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(AuthorizationCode), sharedSecret())
	b.authorise(address)
	other := b.process()
	if _, err := other.access(context.Background(), address); err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(asAdmin(), r.ID); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(recheck)
	for _, s := range []*Service{b.Service, other} {
		if _, err := s.access(context.Background(), address); wantFault(t, err).Code != "oauth_unregistered" {
			t.Errorf("%v", err)
		}
	}
}

func TestWrongSecretsAreRefusedByField(t *testing.T) {
	t.Parallel()
	interactive := Settings{Pattern: "@", Flow: AuthorizationCode, PermissionURL: "https://a.example/authorize", TokenURL: "https://a.example/token", Scope: "m", ClientID: "x"}
	for name, c := range map[string]struct {
		secret NewSecret
		field  string
	}{
		"key without certificate":      {NewSecret{Key: vault.NewSecret("x")}, "certificate"},
		"certificate without key":      {NewSecret{Certificate: "x"}, "key"},
		"no PEM":                       {NewSecret{Certificate: "x", Key: vault.NewSecret("x")}, "certificate"},
		"no JSON":                      {NewSecret{ServiceAccount: vault.NewSecret("x")}, "service_account"},
		"service account to a web app": {serviceAccountFile(), "service_account"},
	} {
		change := Change{Settings: interactive, Secret: c.secret}
		_, err := change.check(nil)
		var wrong problem.Invalid
		if !errors.As(err, &wrong) || wrong.For(c.field) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryChangeAndUseIsAudited(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(AuthorizationCode), sharedSecret())
	b.authorise(address)
	b.clock.advance(2 * time.Hour)
	b.token(address)
	if err := b.Proved(context.Background(), address, "SMTP"); err != nil {
		t.Fatal(err)
	}
	if err := b.Forget(asAdmin(), address); err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(asAdmin(), r.ID); err != nil {
		t.Fatal(err)
	}
	rows, err := b.pool.Query(context.Background(), "select action from audit_entry order by id")
	if err != nil {
		t.Fatal(err)
	}
	actions, err := pgx.CollectRows(rows, pgx.RowTo[string])
	want := []string{"oauth_client.created", "oauth_grant.authorised", "oauth_grant.refreshed", "oauth_grant.proven", "oauth_grant.forgotten", "oauth_client.removed"}
	if err != nil || !slices.Equal(actions, want) {
		t.Errorf("%v, %v, want %v", actions, err, want)
	}
	if n := b.count("select count(*) from audit_entry where detail::text like '%-secret%'"); n != 0 {
		t.Error("a secret is in the audit trail")
	}
}

// TestStatesAreThoseOfTheTable compares the types with the CHECKs.
func TestStatesAreThoseOfTheTable(t *testing.T) {
	b := setup(t)
	quoted := regexp.MustCompile(`'([a-z_A-Z0-9]*)'::text`)
	for constraint, want := range map[string][]string{
		"oauth_client_flow":             {string(AuthorizationCode), string(ClientCredentials), string(DeviceCode), string(Password), string(ServiceAccount)},
		"oauth_client_secret_kind":      {string(SharedSecret), string(ClientCertificate), string(AccountKey)},
		"oauth_grant_state":             {string(None), string(Waiting), string(Active), string(Failed)},
		"oauth_grant_failed_because":    {string(NoReason), string(GrantFailed), string(ClientFail), string(UpstreamNo)},
		"oauth_client_secret_algorithm": {"", "PS256", "RS256"},
	} {
		var definition string
		if err := b.pool.QueryRow(context.Background(), "select pg_get_constraintdef(oid) from pg_constraint where conname = $1", constraint).Scan(&definition); err != nil {
			t.Fatalf("%s: %v", constraint, err)
		}
		var got []string
		for _, m := range quoted.FindAllStringSubmatch(definition, -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the table has %v, the code %v", constraint, got, want)
		}
	}
}

func TestPuttingReplacesOnlyWithForce(t *testing.T) {
	b := setup(t)
	put := func(clientID string, force bool) (r Registration, err error) {
		s := b.settings(AuthorizationCode)
		s.ClientID = clientID
		err = pgx.BeginFunc(asAdmin(), b.pool, func(tx pgx.Tx) error {
			r, err = b.PutIn(asAdmin(), tx, Change{Settings: s, Secret: sharedSecret()}, force)
			return err
		})
		return r, err
	}
	first, err := put("client-1", false)
	if err != nil {
		t.Fatal(err)
	}
	var confirm *problem.Confirm
	if _, err := put("client-2", false); !errors.As(err, &confirm) || !strings.Contains(confirm.Text, "client-1") {
		t.Errorf("%v", err)
	}
	second, err := put("client-2", true)
	if err != nil || second.ID != first.ID || second.ClientID != "client-2" || len(second.Secrets) != 1 {
		t.Errorf("%+v, %v", second, err)
	}
}
