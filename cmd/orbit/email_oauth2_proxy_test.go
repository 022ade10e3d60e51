package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/app"
	"orbit/internal/proxyhost"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

// asPrinted is the command as the documentation prints it, with what the page lost.
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

// typed is what a shell makes of a command line that begins with orbit.
func typed(t *testing.T, command string) []string {
	t.Helper()
	script := "orbit() { for a in \"$@\"; do printf '%s\\n' \"$a\"; done; }\n" + command
	out, err := exec.CommandContext(t.Context(), "sh", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// must runs a command that has to succeed and returns what it printed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	status, out, errs := shell(t.Context(), args...)
	if status != exitOK {
		t.Fatalf("orbit %s: status %d\n%s%s", strings.Join(args, " "), status, out, errs)
	}
	return out
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
}

// attached opens the services behind the commands, to do what a page would.
func attached(t *testing.T, do func(context.Context, *app.Orbit)) {
	t.Helper()
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	orbit, err := app.Attach(t.Context(), c, newLog(c, t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	defer orbit.Close()
	do(t.Context(), orbit)
}

func TestTheDocumentsCommandIsAnsweredByTheCompleteOne(t *testing.T) {
	on(t)
	status, out, errs := shell(t.Context(), typed(t, asPrinted)...)
	if status != exitUsage || out != "" {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	wants(t, errs, "--oauth2-token-url", "--imap-server-address=outlook.office365.com", "--smtp-server-address=smtp.office365.com")
	_, complete, _ := strings.Cut(errs, "\n\n")
	complete = strings.NewReplacer("TENANT_ID", "contoso", "CLIENT_ID", "6731de76", "CLIENT_SECRET", "top-word").Replace(complete)

	out = must(t, typed(t, complete)...)
	wants(t, out, "effective flow is authorization_code", "Registered @ at Microsoft 365", "IMAP-2993 at 127.0.0.1:2993 for outlook.office365.com:993",
		"SMTP-2465 at 127.0.0.1:2465 for smtp.office365.com:587", "Register this redirect URI there", "orbit email-oauth2-proxy authorize MAILBOX")
	if strings.Contains(out, "top-word") {
		t.Error("the secret is printed")
	}

	status, _, errs = shell(t.Context(), typed(t, complete)...)
	if status != exitFailed {
		t.Errorf("a second time: status %d", status)
	}
	wants(t, errs, "registered already", "--force")
	must(t, typed(t, strings.TrimSpace(complete)+" --force")...)

	wants(t, must(t, "email-oauth2-proxy", "list"), "APPLIES TO", "@", "authorization_code", "6731de76", "0 of 0")
	shown := must(t, "email-oauth2-proxy", "show", "@", "--steps", "--mailbox", "alerts@example.com")
	wants(t, shown, "Redirect URI", "contoso", "Set-CASMailbox -Identity 'alerts@example.com'", "SMTP.Send")
	wants(t, must(t, "email-oauth2-proxy", "status"), "IMAP-2993", "is orbit serve running?")
	exported := must(t, "email-oauth2-proxy", "export")
	wants(t, exported, "[IMAP-2993]", "[@]", "token_url = https://login.microsoftonline.com/contoso")
	if strings.Contains(exported, "top-word") {
		t.Error("the secret is exported without being asked for")
	}
	file := filepath.Join(t.TempDir(), "emailproxy.config")
	must(t, "email-oauth2-proxy", "export", file, "--with-secrets")
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(kept), "client_secret = top-word")

	wants(t, must(t, "email-oauth2-proxy", "remove", "@"), "Removed @")
	status, _, errs = shell(t.Context(), "email-oauth2-proxy", "remove", "@")
	if status != exitFailed || !strings.Contains(errs, "There is no registration for @") {
		t.Errorf("status %d: %s", status, errs)
	}
}

func TestRegisteringShort(t *testing.T) {
	on(t)
	out := must(t, "email-oauth2-proxy", "register", "--json", "--provider=microsoft365", "--tenant-id=contoso", "--oauth2-flow=client_credentials",
		"--oauth2-client-id=6731de76", "--oauth2-client-secret=top-word", "--domain=example.com")
	var done struct {
		Registrations []struct{ Pattern, Scope string }
		Listeners     []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(out), &done); err != nil || len(done.Registrations) != 1 || len(done.Listeners) != 2 ||
		done.Registrations[0].Scope != "https://outlook.office365.com/.default" || done.Registrations[0].Pattern != "@example.com" {
		t.Errorf("%v: %s", err, out)
	}
	for _, args := range [][]string{
		{"--imap-server-port=99999"}, {"--provider=nobody"}, {"--unknown"}, {"--account=a@b.c", "--domain=b.c"}, {"word"},
	} {
		if status, _, errs := shell(t.Context(), append([]string{"email-oauth2-proxy", "register"}, args...)...); status != exitUsage {
			t.Errorf("%v: status %d, %s", args, status, errs)
		}
	}
}

func TestTheSecretMayComeFromStandardInput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{secretFlag + "=-", "--force"}, {secretFlag, "-", "--force"}} {
		cmd := newProxyRegister()
		cmd.SetIn(strings.NewReader("top-word\n"))
		got, err := withSecret(cmd, args)
		if err != nil || !slices.Equal(got, []string{secretFlag + "=top-word", "--force"}) {
			t.Errorf("%q: %q, %v", args, got, err)
		}
	}
}

const theirConfig = `[emailproxy]
delete_account_token_on_password_error = True
allow_catch_all_accounts = True

[SMTP-2465]
server_address = smtp.office365.com
server_port = 587
starttls = True

[@]
redirect_uri = http://vault.example.com/email-oauth2-proxy-authorize/
redirect_list_address = http://127.0.0.1:8801/
token_url = https://login.microsoftonline.com/contoso/oauth2/v2.0/token
permission_url = https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize
oauth2_scope = https://outlook.office365.com/SMPT.Send offline_access
client_id = 6731de76
client_secret = top-word
oauth2_flow = client_credentials
`

func TestImportingShowsEachCorrectionFirst(t *testing.T) {
	on(t)
	file := filepath.Join(t.TempDir(), "emailproxy.config")
	if err := os.WriteFile(file, []byte(theirConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	dry := must(t, "email-oauth2-proxy", "import", file, "--dry-run")
	wants(t, dry, "SMPT.Send", "now:  https://outlook.office365.com/SMTP.Send offline_access", "redirect_listen_address", "server_starttls", "Would be created:", "Nothing was stored")
	if strings.Contains(dry, "top-word") {
		t.Error("the secret is printed")
	}
	wants(t, must(t, "email-oauth2-proxy", "list", "--json"), "[]")
	wants(t, must(t, "email-oauth2-proxy", "import", file), "Registered @", "Listener   SMTP-2465")
	wants(t, must(t, "email-oauth2-proxy", "import", file, "--dry-run"), "note       --force: @ is registered already", "Nothing was stored")
	var planned struct{ Notes []struct{ Rule int } }
	if err := json.Unmarshal([]byte(must(t, "email-oauth2-proxy", "import", file, "--dry-run", "--json")), &planned); err != nil || len(planned.Notes) < 6 {
		t.Errorf("%v %+v", err, planned)
	}
	if err := os.WriteFile(file, []byte("[@]\ntoken_url = nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, _ := shell(t.Context(), "email-oauth2-proxy", "import", file)
	if status != exitFailed || !strings.Contains(out, "problem") {
		t.Errorf("status %d: %s", status, out)
	}
}

// The tutorial from start to end, with the sandbox's provider in place of Microsoft's.
func TestAuthorisingFromTheTerminal(t *testing.T) {
	on(t)
	t.Setenv("ORBIT_ALLOWED_DESTINATIONS", "127.0.0.0/8")
	provider := sandboxtest.New(t, sandbox.Options{})
	must(t, "email-oauth2-proxy", "register",
		"--smtp-server-address=127.0.0.1", "--smtp-server-port="+port(provider.Ports.Submission), "--smtp-server-starttls", "--smtp-local-port=24651",
		"--oauth2-token-url="+provider.Endpoints.Token, "--oauth2-permission-url="+provider.Endpoints.Authorise,
		"--oauth2-scope=https://outlook.office365.com/SMTP.Send offline_access",
		"--oauth2-client-id=5f0c7d1e-6b1f-4a2b-9d38-0e4f6a7c21b5", "--oauth2-client-secret=orbit-demo-secret")
	attached(t, func(ctx context.Context, o *app.Orbit) {
		if _, err := o.Credentials.Create(ctx, "Alerts", "alerts@orbit.example", vault.NewSecret("local password")); err != nil {
			t.Fatal(err)
		}
	})
	const sentence = "Please visit the following URL to authenticate account alerts@orbit.example: http"
	wants(t, must(t, "email-oauth2-proxy", "logs"), sentence, "/email-oauth2-proxy-authorize/start/")
	wants(t, must(t, "email-oauth2-proxy", "logs", "--account", "Alerts@Orbit.example", "--since", "1h", "--json"), `"kind":"authorise"`)
	if out := must(t, "email-oauth2-proxy", "logs", "--account", "nobody@orbit.example"); out != "" {
		t.Errorf("lines of another account: %s", out)
	}
	wants(t, must(t, "email-oauth2-proxy", "authorize", "alerts@orbit.example"), sentence)
	wants(t, must(t, "email-oauth2-proxy", "authorize", "alerts@orbit.example", "--direct"), provider.Endpoints.Authorise+"?")
	status, _, errs := shell(t.Context(), "email-oauth2-proxy", "authorize", "alerts")
	if status != exitUsage {
		t.Errorf("no address: status %d %s", status, errs)
	}
	wants(t, must(t, "email-oauth2-proxy", "status"), "alerts@orbit.example", "none")

	application := []string{"email-oauth2-proxy", "register", "--force", "--account=bea@orbit.example", "--oauth2-flow=client_credentials",
		"--smtp-server-address=127.0.0.1", "--smtp-server-port=" + port(provider.Ports.Submission), "--smtp-server-starttls", "--smtp-local-port=24651",
		"--oauth2-token-url=" + provider.Endpoints.Token, "--oauth2-scope=https://outlook.office365.com/.default",
		"--oauth2-client-id=5f0c7d1e-6b1f-4a2b-9d38-0e4f6a7c21b5", "--oauth2-client-secret=orbit-demo-secret"}
	must(t, application...)
	status, out, errs := shell(t.Context(), "email-oauth2-proxy", "authorize", "bea@orbit.example")
	if status != exitFailed || !strings.Contains(out, "What to do") || errs != "" { // the sandbox's certificate is nobody's
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	wants(t, must(t, "email-oauth2-proxy", "logs", "--account", "bea@orbit.example"), "Authorisation result error for account bea@orbit.example")
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, []byte(provider.Certificate.CA), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, append(application, "--ca-file="+authority)...)
	wants(t, must(t, "email-oauth2-proxy", "authorize", "bea@orbit.example"), "authentication succeeded", "SMTP at 127.0.0.1:")
	status, _, errs = shell(t.Context(), "email-oauth2-proxy", "remove", "bea@orbit.example")
	if status != exitFailed || !strings.Contains(errs, "1 mailbox has authorised bea@orbit.example") {
		t.Errorf("removing what somebody authorised: status %d %s", status, errs)
	}
	stop := must(t, "email-oauth2-proxy", "stop")
	wants(t, stop, "SMTP-24651", "stopped")
	if status, _, _ := shell(t.Context(), "email-oauth2-proxy", "start", "nobody"); status != exitFailed {
		t.Errorf("an unknown listener: status %d", status)
	}
}

func port(n int) string { return strings.TrimPrefix((&sandbox.Sandbox{}).Address(n), sandbox.Host+":") }

func TestSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"90m": now.Add(-90 * time.Minute), "3d": now.AddDate(0, 0, -3), "2026-11-22T10:00:00Z": time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
	} {
		if got, err := sinceWhen(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "-1h", "1dd", "d"} {
		if _, err := sinceWhen(text, now); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestPasswordsInClearAreWarnedOf(t *testing.T) {
	on(t)
	attached(t, func(ctx context.Context, o *app.Orbit) {
		s := proxyhost.NewSettings()
		s.LocalAddress, s.AllowUnsafeAddress, s.ServerAddress = "0.0.0.0", true, "outlook.office365.com"
		if _, err := o.Proxies.Create(ctx, proxyhost.Change{Settings: s}); err != nil {
			t.Fatal(err)
		}
	})
	const sentence = "Passwords cross the network to 0.0.0.0:2993 in clear"
	for _, command := range []string{"status", "list", "stop"} {
		wants(t, must(t, "email-oauth2-proxy", command), "warning: IMAP-2993: "+sentence)
	}
	wants(t, must(t, "email-oauth2-proxy", "status", "--json"), `"warnings": [`, sentence)
}
