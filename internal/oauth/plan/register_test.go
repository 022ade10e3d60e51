package plan

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"orbit/internal/oauth"
	"orbit/internal/problem"
)

// asPrinted is the command of the documentation, with what the page lost.
const asPrinted = `orbit email-oauth2-proxy register \ \
 --imap-server-port=993 \ \
 --smtp-server-port=587 \
 --smtp-server-starttls \
 --oauth2-token-url=" " \
 --oauth2-permission-url=" " \
 --oauth2-scope=" offline_access " \
 --oauth2-flow="client_credentials" \
 --oauth2-client-id="CLIENT_ID" \
 --oauth2-client-secret="CLIENT_SECRET" \
`

func TestCommandAsPrintedIsAnsweredByTheCompleteOne(t *testing.T) {
	t.Parallel()
	args, ok := registerArgs(asPrinted)
	if !ok {
		t.Fatal("not recognised")
	}
	_, err := Register(args, Options{})
	var incomplete *Incomplete
	if !errors.As(err, &incomplete) {
		t.Fatal(err)
	}
	for _, flag := range []string{"--oauth2-token-url", "--oauth2-scope", "--imap-server-address", "--smtp-server-address"} {
		if !slices.Contains(incomplete.Missing, flag) {
			t.Errorf("%s is not said to be missing: %v", flag, incomplete.Missing)
		}
	}
	want := `orbit email-oauth2-proxy register \
 --imap-server-address=outlook.office365.com \
 --imap-server-port=993 \
 --smtp-server-address=smtp.office365.com \
 --smtp-server-port=587 \
 --smtp-server-starttls \
 --oauth2-token-url=https://login.microsoftonline.com/TENANT_ID/oauth2/v2.0/token \
 --oauth2-permission-url=https://login.microsoftonline.com/TENANT_ID/oauth2/v2.0/authorize \
 --oauth2-scope='https://outlook.office365.com/SMTP.Send https://outlook.office365.com/IMAP.AccessAsUser.All https://outlook.office365.com/POP.AccessAsUser.All offline_access' \
 --oauth2-flow=client_credentials \
 --oauth2-client-id=CLIENT_ID \
 --oauth2-client-secret=CLIENT_SECRET`
	if incomplete.Command != want {
		t.Errorf("the complete command is\n%s\nwant\n%s", incomplete.Command, want)
	}
	args, _ = registerArgs(incomplete.Command)
	p, err := Register(args, Options{})
	if err != nil {
		t.Fatalf("the complete command is not complete: %v", err)
	}
	words := 0
	for _, n := range p.Notes {
		if strings.HasSuffix(n.Why, "Put your own value in its place.") {
			words++
		}
	}
	if words != 3 {
		t.Errorf("%d words of the documentation noticed, want 3: %v", words, p.Notes)
	}
}

func TestDocumentedCommandRegistersTheTutorial(t *testing.T) {
	t.Parallel()
	p, err := Register([]string{
		" ", "--imap-server-address= outlook.office365.com", "--imap-server-port= 993 ", "",
		"--smtp-server-address=smtp.office365.com", "--smtp-server-port=587", "--smtp-server-starttls",
		"--oauth2-token-url= https://login.microsoftonline.com/contoso/oauth2/v2.0/token ",
		"--oauth2-permission-url= https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize ",
		"--oauth2-scope= https://outlook.office365.com/IMAP.AccessAsUser.All https://outlook.office365.com/SMTP.Send offline_access ",
		"--oauth2-flow=client_credentials", "--oauth2-client-id=6731de76", "--oauth2-client-secret=value", "--force",
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Registrations[0]
	if r.Pattern != "@" || r.EffectiveFlow() != oauth.AuthorizationCode || r.Tenant != "contoso" || r.Provider != "microsoft365" || !p.Force {
		t.Errorf("%+v", r)
	}
	want := []Listener{
		{Protocol: IMAP, LocalAddress: "127.0.0.1", LocalPort: 2993, ServerAddress: "outlook.office365.com", ServerPort: 993},
		{Protocol: SMTP, LocalAddress: "127.0.0.1", LocalPort: 2465, ServerAddress: "smtp.office365.com", ServerPort: 587, STARTTLS: true},
	}
	if !slices.Equal(p.Listeners, want) {
		t.Errorf("%+v", p.Listeners)
	}
	if !slices.ContainsFunc(p.Notes, func(n oauth.Note) bool {
		return n.Rule == oauth.FlowContradiction && n.Where == "--oauth2-flow" && strings.Contains(n.Why, "the effective flow is authorization_code")
	}) {
		t.Errorf("the effective flow is not said: %v", p.Notes)
	}
}

func TestProviderSuppliesTheRest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args  string
		check func(Plan) bool
	}{
		"microsoft": {"--provider microsoft365 --tenant-id contoso --oauth2-client-id x --oauth2-client-secret y", func(p Plan) bool {
			r := p.Registrations[0]
			return r.TokenURL == "https://login.microsoftonline.com/contoso/oauth2/v2.0/token" && r.PermissionURL != "" && len(p.Listeners) == 2
		}},
		"application": {"--provider microsoft365 --tenant-id contoso --oauth2-client-id x --oauth2-client-secret y --oauth2-flow client_credentials", func(p Plan) bool {
			r := p.Registrations[0]
			return r.EffectiveFlow() == oauth.ClientCredentials && r.Scope == "https://outlook.office365.com/.default" && r.PermissionURL == ""
		}},
		"china": {"--provider microsoft365 --cloud china --tenant-id t --oauth2-client-id x --oauth2-client-secret y --pop-local-port 4995", func(p Plan) bool {
			return strings.HasPrefix(p.Registrations[0].TokenURL, "https://login.partner.microsoftonline.cn/t/") && len(p.Listeners) == 1 &&
				p.Listeners[0] == Listener{Protocol: POP3, LocalAddress: "127.0.0.1", LocalPort: 4995, ServerAddress: "partner.outlook.cn", ServerPort: 995}
		}},
		"device": {"--provider microsoft365 --tenant-id t --oauth2-client-id x --oauth2-flow device --account A@Example.com", func(p Plan) bool {
			r := p.Registrations[0]
			return r.DeviceURL == "https://login.microsoftonline.com/t/oauth2/v2.0/devicecode" && r.PermissionURL == "" && r.Pattern == "a@example.com"
		}},
		"google": {"--provider google --domain example.com --oauth2-client-id x --oauth2-client-secret y", func(p Plan) bool {
			return p.Registrations[0].Pattern == "@example.com" && p.Listeners[1].ServerAddress == "smtp.gmail.com" && p.Listeners[1].STARTTLS
		}},
	} {
		p, err := Register(strings.Fields(c.args), Options{})
		if err != nil || !c.check(p) {
			t.Errorf("%s: %v\n%s", name, err, show(p))
		}
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--imap-server-port=99999"}, {"--imap-server-port=x"}, {"--unknown"}, {"word"}, {"--account=a@b.c", "--domain=b.c"},
		{"--provider=nobody"}, {"--provider=microsoft365", "--cloud=mars"}, {"--certificate=/etc/passwd", "--key=x"}, {"--oauth2-flow=password"},
	} {
		_, err := Register(args, Options{})
		var refused *problem.Refused
		if !errors.As(err, &refused) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestCertificateInsteadOfASecret(t *testing.T) {
	t.Parallel()
	args := strings.Fields("--provider microsoft365 --tenant-id t --oauth2-client-id x --oauth2-flow client_credentials --certificate c.pem --key k.pem")
	p, err := Register(args, Options{ReadFile: func(path string) ([]byte, error) { return []byte(path), nil }})
	var wrong problem.Invalid
	if !errors.As(err, &wrong) || wrong.For("--certificate") == "" { // the content is no certificate, and that is said
		t.Errorf("%v\n%s", err, show(p))
	}
	if _, err := Register(args, Options{ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist }}); err == nil {
		t.Error("a missing file is accepted")
	}
}

// accountKey is a service account's key as Google hands it out.
func accountKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "orbit@project.iam.gserviceaccount.com", "private_key_id": "key-1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheKeyOfAServiceAccountSaysTheRest(t *testing.T) {
	t.Parallel()
	args := []string{"--provider=google", "--account=a@example.com", "--service-account=key.json"}
	p, err := Register(args, Options{ReadFile: func(string) ([]byte, error) { return []byte(accountKey(t)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Registrations[0]; r.Flow != oauth.ServiceAccount || r.ClientID != "orbit@project.iam.gserviceaccount.com" || r.PermissionURL != "" {
		t.Errorf("%+v", r.Settings)
	}
}

func TestPastedTextIsRecognised(t *testing.T) {
	t.Parallel()
	for text, command := range map[string]bool{
		asPrinted: true,
		"email-oauth2-proxy register –-provider=“google”":              true,
		"register --provider=google":                                   true,
		"$ sudo orbit email-oauth2-proxy register --provider='google'": true,
		account:             false,
		"register = 1":      false,
		"[@]\nregister = x": false,
	} {
		if _, ok := registerArgs(text); ok != command {
			t.Errorf("%q: %v, want %v", text, ok, command)
		}
	}
	p := Parse("orbit email-oauth2-proxy register –-provider=“google” --oauth2-client-id=‘x y’ --oauth2-client-secret=s", Options{})
	if len(p.Problems) > 0 || p.Registrations[0].ClientID != "x y" {
		t.Error(show(p))
	}
	if p := Parse(asPrinted, Options{}); len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, "The complete command") {
		t.Error(show(p))
	}
}

// The command that is offered does what was asked: no permission URL turns an application into a person.
func TestTheCompleteCommandKeepsTheFlow(t *testing.T) {
	t.Parallel()
	const unknown = "--imap-server-address=mail.example.com --oauth2-token-url=https://id.example.com/token "
	const person, device = "--oauth2-permission-url", "--oauth2-device-url=DEVICE_URL"
	for args, c := range map[string]struct{ with, without string }{
		"--oauth2-flow=client_credentials":                             {"/.default", person},
		"--provider=microsoft365 --oauth2-flow=client_credentials":     {"--tenant-id=TENANT_ID", person},
		unknown + "--oauth2-flow=Client_Credentials":                   {"--oauth2-scope=SCOPE", person},
		unknown + "--oauth2-flow=device":                               {device, person},
		unknown:                                                        {person + "=PERMISSION_URL", device},
		"--oauth2-flow=client_credentials --oauth2-permission-url=":    {"the effective flow is authorization_code", device},
		"--imap-server-address=imap.gmail.com --oauth2-scope=openid":   {person + "=https://accounts.google.com", device},
		"--imap-server-address=imap.gmail.com --oauth2-flow=something": {"--oauth2-flow=something", device},
	} {
		_, err := Register(strings.Fields(args), Options{})
		var incomplete *Incomplete
		if !errors.As(err, &incomplete) {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if text := incomplete.Error(); !strings.Contains(text, c.with) || strings.Contains(incomplete.Command, c.without) {
			t.Errorf("%s: want %q and not %q in\n%s", args, c.with, c.without, text)
		}
	}
}
