package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

// at is a server that Orbit reaches directly, with a certificate that public authorities vouch for.
func at(host string) credential.Destination {
	return credential.Destination{Host: host, Port: 587, TLS: "tls", Certificate: "verify", Connector: "direct"}
}

func changed(to credential.Destination, change func(*credential.Destination)) credential.Destination {
	change(&to)
	return to
}

func TestTokensGoToTheirProviderAndToThisMachine(t *testing.T) {
	t.Parallel()
	const microsoft, own = "https://login.microsoftonline.com/t/oauth2/v2.0/token", "https://login.example.com/token"
	office := at("smtp.office365.com")
	for _, tt := range []struct {
		name  string
		token string
		to    credential.Destination
		want  bool
	}{
		{"its own", microsoft, office, true},
		{"in any spelling", microsoft, at("SMTP.Office365.com."), true},
		{"through a connector", microsoft, changed(office, func(d *credential.Destination) { d.Connector = "4" }), true},
		{"another provider's", microsoft, at("smtp.gmail.com"), false},
		{"a name that only looks like it", microsoft, at("smtp.office365.com.example.com"), false},
		{"without TLS", microsoft, changed(office, func(d *credential.Destination) { d.TLS = "" }), false},
		{"with any certificate", microsoft, changed(office, func(d *credential.Destination) { d.Certificate = "ignore" }), false},
		{"with a certificate that somebody chose", microsoft, changed(office, func(d *credential.Destination) { d.Certificate = "custom_ca:00" }), false},
		{"of a provider nobody knows", own, at("smtp.example.com"), false},
		{"neither is known", own, at("mail.elsewhere.example"), false},
		{"this machine", own, changed(at("127.0.0.1"), func(d *credential.Destination) { d.TLS = "" }), true},
		{"this machine by name", own, at("localhost"), true},
		{"this machine, IPv6", own, at("::1"), true},
		{"the connector's own machine", own, changed(at("127.0.0.1"), func(d *credential.Destination) { d.Connector = "4" }), false},
		{"Orbit's own listeners", own, credential.Self, true},
	} {
		if got := ownServer(Registration{Settings: Settings{TokenURL: tt.token}}, tt.to); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// using makes servers the ones that saved accounts and listeners name.
func (b *bundle) using(servers *[]credential.Destination) {
	b.options.InUse = func(_ context.Context, _ pgx.Tx, _ Registration, covers func(string) bool) ([]credential.Destination, error) {
		if !covers(address) {
			return nil, nil
		}
		return append([]credential.Destination(nil), *servers...), nil
	}
	b.Service = b.process()
}

func (b *bundle) wantAt(to credential.Destination, want string) {
	b.t.Helper()
	_, err := b.Token(asAdmin(), address, to)
	got := ""
	var explained *ladder.Error
	if errors.As(err, &explained) {
		got = explained.Fault.Code
	}
	if got != want || err != nil && want == "" {
		b.t.Errorf("a token for %s: %q %v, want %q", to.Label(), got, err, want)
	}
}

const withheld = "token_not_approved"

func TestAConsentApprovesTheServersInUse(t *testing.T) {
	b := setup(t)
	corp, evil := at("smtp.corp.example"), at("smtp.evil.example")
	used := []credential.Destination{corp}
	b.using(&used)
	b.register(b.settings(AuthorizationCode), sharedSecret())
	b.authorise(address)
	b.wantAt(corp, "")
	used = []credential.Destination{evil} // somebody changes the host and presses Test
	b.wantAt(evil, withheld)
	b.wantAt(evil, withheld)
	b.wantAt(changed(corp, func(d *credential.Destination) { d.TLS = "" }), withheld)
	b.wantAt(changed(corp, func(d *credential.Destination) { d.Certificate = "ignore" }), withheld)
	b.wantAt(changed(corp, func(d *credential.Destination) { d.Port = 25 }), withheld)
	b.wantAt(corp, "")
	if n := b.count("select count(*) from audit_entry where action = 'oauth_grant.token_withheld'"); n != 4 {
		t.Errorf("the audit trail was told %d times, want once for each server", n)
	}
	b.authorise(address)
	b.wantAt(evil, "")
	b.wantAt(corp, withheld)
	other := b.process()
	if _, err := other.Token(asAdmin(), address, evil); err != nil {
		t.Errorf("in another process: %v", err)
	}
	b.approved("smtp.evil.example:587, STARTTLS")
	if err := b.Forget(asAdmin(), address); err != nil {
		t.Fatal(err)
	}
	b.approved()
}

// approved checks what people read of the servers that are approved for the address.
func (b *bundle) approved(want ...string) {
	b.t.Helper()
	grants, err := b.Grants(asAdmin(), 0)
	if err != nil || len(grants) != 1 {
		b.t.Fatalf("%v %d grants", err, len(grants))
	}
	var got []string
	for _, s := range grants[0].ApprovedServers {
		got = append(got, s.Server)
		if s.ApprovedAt.IsZero() || s.ApprovedBy == "" {
			b.t.Errorf("nobody knows who approved it: %+v", s)
		}
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("approved: %q, want %q", got, want)
	}
}

func TestANewSecretApprovesOnlyForItself(t *testing.T) {
	b := setup(t)
	corp, evil := at("smtp.corp.example"), at("smtp.evil.example")
	used := []credential.Destination{corp}
	b.using(&used)
	b.provider.script(func(form url.Values) (int, any) {
		if form.Get("client_secret") == "client-secret" {
			return 0, nil
		}
		return refuse("invalid_client", "AADSTS7000215: Invalid client secret provided.")(nil)
	})
	r := b.register(b.settings(ClientCredentials), sharedSecret())
	b.wantAt(corp, "")
	b.approved("smtp.corp.example:587, STARTTLS")
	used = []credential.Destination{evil}
	b.wantAt(evil, withheld)
	enter := func(text string) {
		t.Helper()
		var err error
		if r, err = b.AddSecret(asAdmin(), r.ID, NewSecret{Secret: vault.NewSecret(text)}); err != nil {
			t.Fatal(err)
		}
	}
	turn := func() {
		t.Helper()
		var err error
		if r, err = b.SwitchSecret(asAdmin(), r.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	enter("made-up-secret") // approves the server, and opens nothing
	b.wantAt(evil, withheld)
	turn()
	b.wantAt(evil, "AADSTS7000215")
	turn()
	b.wantAt(evil, withheld)
	b.wantAt(corp, "")
	if _, _, err := b.Save(asAdmin(), r.ID, Change{Settings: r.Settings, Version: r.Version, Secret: NewSecret{Secret: vault.NewSecret("guessed-secret")}}); err != nil {
		t.Fatal(err)
	}
	b.wantAt(evil, "AADSTS7000215")
	r, _ = b.Find(asAdmin(), r.ID)
	if _, _, err := b.Save(asAdmin(), r.ID, Change{Settings: r.Settings, Version: r.Version, Secret: sharedSecret()}); err != nil {
		t.Fatal(err)
	}
	b.wantAt(evil, "") // who knows the secret may
}
