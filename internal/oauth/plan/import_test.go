package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orbit/internal/oauth"
	"orbit/internal/vault"
)

var update = flag.Bool("update", false, "write the golden files")

const redirectURI = "https://orbit.example.com/email-oauth2-proxy-authorize/"

// show writes a plan as a person would read it.
func show(p Plan) string {
	var b strings.Builder
	for _, r := range p.Registrations {
		secret := "no secret"
		if !r.Secret.IsZero() {
			secret = "with a secret"
		}
		fmt.Fprintf(&b, "registration %s\n  flow %s, effective %s, provider %s, tenant %q, %s\n  permission %s\n  device %s\n  token %s\n  scope %s\n  resource %s\n  client %s\n  redirect %s, listen %s\n",
			r.Pattern, r.Flow, r.EffectiveFlow(), r.Provider, r.Tenant, secret, r.PermissionURL, r.DeviceURL, r.TokenURL, r.Scope,
			r.Resource, r.ClientID, r.RedirectURI, r.RedirectListenAddress)
	}
	for _, l := range p.Listeners {
		fmt.Fprintf(&b, "listener %s %s:%d to %s:%d, starttls %t, local starttls %t, certificate %q\n",
			l.Protocol, l.LocalAddress, l.LocalPort, l.ServerAddress, l.ServerPort, l.STARTTLS, l.LocalSTARTTLS, l.LocalCertificate)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "note %d %s\n", n.Rule, n)
	}
	for _, f := range p.Problems {
		fmt.Fprintf(&b, "problem %s: %s\n", f.Name, f.Text)
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

func TestImportGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.config")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := show(Import(string(text), Options{RedirectURI: redirectURI}))
		golden := strings.TrimSuffix(file, ".config") + ".want"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s (run with -update and look at the difference):\n%s", file, got)
		}
	}
}

func TestTheKnownExampleHasAllTwelveContradictions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/example.config")
	if err != nil {
		t.Fatal(err)
	}
	p := Import(string(text), Options{})
	found := map[oauth.Rule]bool{}
	for _, n := range p.Notes {
		found[n.Rule] = true
	}
	for rule := oauth.FlowContradiction; rule <= oauth.ReplyWordsDiffer; rule++ {
		if !found[rule] {
			t.Errorf("contradiction %d was not found", rule)
		}
	}
	if len(p.Problems) > 0 {
		t.Errorf("after the corrections it is still wrong: %v", p.Problems)
	}
}

// account is a right section that a case changes one line of.
const account = `
[emailproxy]
delete_account_token_on_password_error = False
encrypt_client_secret_on_first_use = True
allow_catch_all_accounts = True
[SMTP-2465]
server_address = smtp.office365.com
server_port = 587
server_starttls = True
local_address = 127.0.0.1
[@]
permission_url = https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize
token_url = https://login.microsoftonline.com/contoso/oauth2/v2.0/token
oauth2_scope = https://outlook.office365.com/SMTP.Send offline_access
client_id = client
client_secret = value
oauth2_flow = authorization_code
redirect_uri = https://vault.example.com/email-oauth2-proxy-authorize/
`

func TestEachContradictionIsFoundAndCorrected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule      oauth.Rule
		old, new  string // the change that makes the contradiction
		where     string
		was, now  string
		corrected func(Plan) bool
	}{
		{oauth.FlowContradiction, "= authorization_code", "= client_credentials", "[@] oauth2_flow", "client_credentials", "authorization_code",
			func(p Plan) bool { return p.Registrations[0].EffectiveFlow() == oauth.AuthorizationCode }},
		{oauth.AppOnlyScope, "permission_url = https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize", "oauth2_flow = client_credentials", "[@] oauth2_scope",
			"https://outlook.office365.com/SMTP.Send offline_access", "https://outlook.office365.com/.default",
			func(p Plan) bool { return p.Registrations[0].Scope == "https://outlook.office365.com/.default" }},
		{oauth.MisspelledScope, "SMTP.Send", "SMPT.Send", "[@] oauth2_scope",
			"https://outlook.office365.com/SMPT.Send offline_access", "https://outlook.office365.com/SMTP.Send offline_access",
			func(p Plan) bool { return strings.Contains(p.Registrations[0].Scope, "SMTP.Send") }},
		{oauth.MisspelledListen, "client_id", "redirect_list_address = http://127.0.0.1:8801/\nclient_id", "[@] redirect_list_address",
			"http://127.0.0.1:8801/", "redirect_listen_address = http://127.0.0.1:8801/",
			func(p Plan) bool { return p.Registrations[0].RedirectListenAddress == "http://127.0.0.1:8801/" }},
		{oauth.LegacySTARTTLS, "server_starttls", "starttls", "[SMTP-2465] starttls", "True", "server_starttls = True",
			func(p Plan) bool { return p.Listeners[0].STARTTLS }},
		{oauth.ListensEverywhere, "local_address = 127.0.0.1\n", "", "[SMTP-2465] local_address", "(not given)", "127.0.0.1",
			func(p Plan) bool { return p.Listeners[0].LocalAddress == "127.0.0.1" }},
		{oauth.ListensEverywhere, "local_address = 127.0.0.1", "local_address = ::", "[SMTP-2465] local_address", "::", "127.0.0.1",
			func(p Plan) bool { return p.Listeners[0].LocalAddress == "127.0.0.1" }},
		{0, "server_port = 587\n", "", "[SMTP-2465] server_port", "(not given)", "587",
			func(p Plan) bool { return p.Listeners[0].ServerPort == 587 && p.Listeners[0].STARTTLS }},
		{oauth.InsecureRedirect, "https://vault.", "http://vault.", "[@] redirect_uri",
			"http://vault.example.com/email-oauth2-proxy-authorize/", "https://vault.example.com/email-oauth2-proxy-authorize/",
			func(p Plan) bool { return strings.HasPrefix(p.Registrations[0].RedirectURI, "https://") }},
		{oauth.StrayText, "token_url = https://login.microsoftonline.com/contoso/oauth2/v2.0/token", "token_url = [the token](https://login.microsoftonline.com/contoso/oauth2/v2.0/token)", "[@] token_url",
			"[the token](https://login.microsoftonline.com/contoso/oauth2/v2.0/token)", "https://login.microsoftonline.com/contoso/oauth2/v2.0/token",
			func(p Plan) bool {
				return p.Registrations[0].TokenURL == "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
			}},
		{oauth.StrayText, "client_id = client", `client_id = " client "`, "[@] client_id", `" client "`, "client",
			func(p Plan) bool { return p.Registrations[0].ClientID == "client" }},
		{oauth.DeletesTokens, "password_error = False", "password_error = True", "[emailproxy] delete_account_token_on_password_error", "True", "False", nil},
		{oauth.DeletesTokens, "delete_account_token_on_password_error = False\n", "", "[emailproxy] delete_account_token_on_password_error", "(not given)", "False", nil},
		{oauth.ClearTextSecret, "first_use = True", "first_use = False", "[emailproxy] encrypt_client_secret_on_first_use", "False", "True", nil},
		{oauth.ReplyWordsDiffer, "[@]", "# answer APPROVE or DISAPPROVE\n[@]", "reply words", "APPROVE/DISAPPROVE and APPROVE/REJECT", "APPROVE, and both DISAPPROVE and REJECT", nil},
	} {
		changed := strings.Replace(account, c.old, c.new, 1)
		if c.rule == oauth.AppOnlyScope { // the flow is named once
			changed = strings.Replace(changed, "oauth2_flow = authorization_code\n", "", 1)
		}
		p := Import(changed, Options{})
		at := slices.IndexFunc(p.Notes, func(n oauth.Note) bool { return n.Rule == c.rule })
		if at < 0 {
			t.Errorf("%d %s: not found in %v", c.rule, c.where, p.Notes)
			continue
		}
		if n := p.Notes[at]; n.Where != c.where || n.Was != c.was || n.Now != c.now || n.Why == "" {
			t.Errorf("%d: %+v, want %s: %q becomes %q", c.rule, n, c.where, c.was, c.now)
		}
		if c.corrected != nil && !c.corrected(p) {
			t.Errorf("%d %s: not corrected in %s", c.rule, c.where, show(p))
		}
		if len(p.Problems) > 0 {
			t.Errorf("%d %s: %v", c.rule, c.where, p.Problems)
		}
	}
}

func TestRightConfigurationHasOneNote(t *testing.T) {
	t.Parallel()
	p := Import(account, Options{})
	if len(p.Notes) != 1 || p.Notes[0].Rule != oauth.TestBeforeSignIn || len(p.Problems) > 0 {
		t.Error(show(p)) // that of the order: authorise, then test
	}
}

func TestCertificatesAreReadOnlyWhereFilesMayBe(t *testing.T) {
	t.Parallel()
	text := strings.Replace(account, "client_secret = value", "jwt_certificate_path = /etc/client.crt\njwt_key_path = /etc/client.key", 1)
	p := Import(text, Options{})
	if !p.Registrations[0].Secret.IsZero() || !slices.ContainsFunc(p.Notes, func(n oauth.Note) bool { return strings.HasPrefix(n.Why, "Paths are not read") }) {
		t.Error(show(p))
	}
	var read []string
	p = Import(text, Options{ReadFile: func(path string) ([]byte, error) {
		read = append(read, path)
		return []byte("content of " + path), nil
	}})
	if !slices.Equal(read, []string{"/etc/client.crt", "/etc/client.key"}) || p.Registrations[0].Secret.Certificate != "content of /etc/client.crt" ||
		!p.Registrations[0].Secret.Key.Equal(vault.NewSecret("content of /etc/client.key")) {
		t.Errorf("read %v: %+v", read, p.Registrations[0].Secret)
	}
	p = Import(text, Options{ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist }})
	if p.Problems.For("[@] jwt_certificate_path") == "" {
		t.Error(p.Problems)
	}
}

func TestServiceAccountKeyIsIndented(t *testing.T) {
	t.Parallel()
	text := `[mail@example.com]
token_url = https://oauth2.googleapis.com/token
oauth2_scope = https://mail.google.com/
oauth2_flow = service_account
client_id = key
client_secret = {
    "type": "service_account",

    "client_email": "x@y"
    }
`
	p := Import(text, Options{})
	want := "{\n\"type\": \"service_account\",\n\n\"client_email\": \"x@y\"\n}"
	if got := p.Registrations[0].Secret.ServiceAccount; !got.Equal(vault.NewSecret(want)) {
		t.Errorf("%q", got.Reveal())
	}
}

func TestCatchAllIsLeftOutWhereItIsOff(t *testing.T) {
	t.Parallel()
	p := Import(strings.Replace(account, "allow_catch_all_accounts = True", "", 1), Options{})
	if len(p.Registrations) != 0 || !slices.ContainsFunc(p.Notes, func(n oauth.Note) bool { return strings.HasPrefix(n.Why, "Not imported: allow_catch_all_accounts") }) {
		t.Error(show(p))
	}
}

func TestSecretsAreNotInAPlanThatIsPrinted(t *testing.T) {
	t.Parallel()
	p := Import(account, Options{})
	if text := fmt.Sprintf("%+v %#v %s", p, p, show(p)); strings.Contains(text, "= value") || strings.Contains(text, `"value"`) {
		t.Error(text)
	}
}

func TestNotesHoldNoSecrets(t *testing.T) {
	t.Parallel()
	p := Import("[@]\ntoken_url = https://idp.example.com/token\nclient_id = x\nclient_secret = \"top-word\"\nclient_secert = top-word\nrefresh_token = top-word\n", Options{})
	for _, n := range p.Notes {
		if strings.Contains(n.Was+n.Now+n.Why, "top-word") {
			t.Errorf("%+v", n)
		}
	}
}
