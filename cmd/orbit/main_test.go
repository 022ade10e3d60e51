package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"orbit/internal/postgres/pgtest"
)

// shell runs one command line and returns its exit status and what it printed.
func shell(ctx context.Context, args ...string) (status int, out, errs string) {
	var printed, complained bytes.Buffer
	status = run(ctx, args, &printed, &complained)
	return status, printed.String(), complained.String()
}

// on points the environment at a database of the test's own.
func on(t *testing.T) {
	t.Helper()
	t.Setenv("ORBIT_DATABASE_URL", pgtest.URL(t))
	t.Setenv("ORBIT_DATA_DIR", t.TempDir())
	t.Setenv("ORBIT_CONNECTOR_LISTEN", "127.0.0.1:0")
}

func TestHelpWorksAtEveryLevelInEverySpelling(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		for _, help := range []string{"-help", "-h", "--help"} {
			status, out, _ := shell(t.Context(), append(path, help)...)
			if status != exitOK || !strings.Contains(out, "Usage:") {
				t.Errorf("orbit %s %s: status %d", strings.Join(path, " "), help, status)
			}
		}
		if cmd.Short == "" {
			t.Errorf("%s has no sentence", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			if !sub.Hidden && sub.Name() != "help" {
				walk(sub)
			}
		}
	}
	walk(newRoot())
}

func TestWrongUsageIsStatusTwoWithTheWayOut(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"sevre"}, "did you mean serve"},
		{[]string{"serve", "now"}, "one argument too many"},
		{[]string{"smtp", "test"}, "NAME is missing"},
		{[]string{"smtp", "test", "Office365"}, "--to is missing"},
		{[]string{"imap", "test"}, "NAME is missing"},
		{[]string{"smtp", "tset"}, "did you mean test"},
		{[]string{"token", "create", "x", "--rol", "auditor"}, "unknown flag: --rol"},
		{[]string{"token", "create", "x", "--role", "bogus"}, "choose administrator, operator, auditor or member"},
		{[]string{"token", "create", "x", "--days", "-1"}, "0 or more"},
		{[]string{"user", "add", "x", "--role", "bogus"}, "choose administrator, operator, auditor or member"},
		{[]string{"email-oauth2-proxy", "logs", "--lines", "many"}, "0 or more"},
		{[]string{"email-oauth2-proxy", "logs", "--since", "yesterday"}, "neither a duration"},
		{[]string{"email-oauth2-proxy", "register", "--provider", "nobody"}, "microsoft365, google, fastmail or yahoo"},
		{[]string{"email-oauth2-proxy", "register", "--provider", "microsoft365", "--cloud", "mars"}, "worldwide, china"},
	} {
		status, _, errs := shell(t.Context(), c.args...)
		if status != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("orbit %v: status %d, %q", c.args, status, errs)
		}
	}
}

func TestAWrongEnvironmentIsStatusTwoAndSaysAllThatIsWrong(t *testing.T) {
	on(t)
	t.Setenv("ORBIT_LISTEN", "8080")
	t.Setenv("ORBIT_LOG_LEVEL", "loud")
	status, _, errs := shell(t.Context(), "serve")
	if status != exitUsage || !strings.Contains(errs, "ORBIT_LISTEN") || !strings.Contains(errs, "ORBIT_LOG_LEVEL") {
		t.Errorf("status %d: %s", status, errs)
	}
}

func TestWhatIsInTheWayIsOneSentenceAndStatusOne(t *testing.T) {
	t.Run("port in use", func(t *testing.T) {
		on(t)
		taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		t.Setenv("ORBIT_LISTEN", taken.Addr().String())
		wantFailure(t, "another program uses this port", "serve")
	})
	t.Run("certificate without its key", func(t *testing.T) {
		on(t)
		t.Setenv("ORBIT_LISTEN", "127.0.0.1:0")
		t.Setenv("ORBIT_TLS_CERT_FILE", os.DevNull)
		t.Setenv("ORBIT_TLS_KEY_FILE", os.DevNull)
		wantFailure(t, "belong together", "serve")
	})
	t.Run("database not there", func(t *testing.T) {
		on(t)
		t.Setenv("ORBIT_DATABASE_URL", "postgres://orbit@127.0.0.1:1/orbit?connect_timeout=2")
		wantFailure(t, "127.0.0.1", "doctor")
	})
	t.Run("lost key file", func(t *testing.T) {
		on(t)
		if status, _, errs := shell(t.Context(), "migrate"); status != exitOK {
			t.Fatal(errs)
		}
		keys := filepath.Join(os.Getenv("ORBIT_DATA_DIR"), "keyset.key")
		if err := os.Rename(keys, keys+".lost"); err != nil {
			t.Fatal(err)
		}
		wantFailure(t, "key file", "migrate")
		if _, err := os.Stat(keys); err == nil {
			t.Error("a lost key file must not be replaced by a new one")
		}
	})
}

func wantFailure(t *testing.T, want string, args ...string) {
	t.Helper()
	status, _, errs := shell(t.Context(), args...)
	if status != exitFailed || !strings.Contains(errs, want) || strings.Contains(errs, "goroutine") {
		t.Errorf("orbit %v: status %d: %s", args, status, errs)
	}
}

func TestATokenIsPrintedAlone(t *testing.T) {
	on(t)
	status, out, errs := shell(t.Context(), "token", "create", "deploy", "--role", "administrator")
	if status != exitOK || !strings.HasPrefix(out, "orbit_") || strings.Count(out, "\n") != 1 {
		t.Fatalf("status %d, %q, %q", status, out, errs)
	}
	if status, out, _ := shell(t.Context(), "token", "list", "--json"); status != exitOK || !strings.Contains(out, `"deploy"`) || strings.Contains(out, "orbit_") {
		t.Errorf("status %d: %s", status, out)
	}
	if status, _, errs := shell(t.Context(), "token", "revoke", "deploy"); status != exitOK {
		t.Error(errs)
	}
}

func TestDoctorSaysWhatNeedsAttention(t *testing.T) {
	on(t)
	status, out, _ := shell(t.Context(), "doctor")
	if status != exitFailed || !strings.Contains(out, "orbit user add") || !strings.Contains(out, "default") {
		t.Errorf("status %d: %s", status, out)
	}
}

func TestKeysRotate(t *testing.T) {
	on(t)
	if status, out, errs := shell(t.Context(), "keys", "rotate"); status != exitOK || !strings.Contains(out, "new key") {
		t.Errorf("status %d: %s %s", status, out, errs)
	}
	if status, out, _ := shell(t.Context(), "keys", "init"); status != exitOK || !strings.Contains(out, "exists already") {
		t.Errorf("status %d: %s", status, out)
	}
}

func TestSMTPTestOfAnUnknownAccount(t *testing.T) {
	on(t)
	wantFailure(t, "orbit smtp list", "smtp", "test", "Office365", "--to", "bob@example.com")
}

func TestTheKeyFileIsNamedOnceByWhoeverMakesIt(t *testing.T) {
	on(t)
	const words = "The key that seals every secret was created in "
	status, out, errs := shell(t.Context(), "user", "list", "--json")
	if status != exitOK || !strings.Contains(errs, words+os.Getenv("ORBIT_DATA_DIR")) || strings.Contains(out, words) {
		t.Errorf("the first command: status %d, %q, %q", status, out, errs)
	}
	if _, _, errs = shell(t.Context(), "user", "list"); strings.Contains(errs, words) {
		t.Errorf("the second command: %q", errs)
	}
}
