package sandbox_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/sasl"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
)

const (
	alerts   = "alerts@orbit.example"
	bea      = "bea@orbit.example"
	password = "seven-lamps-over-the-river"

	mail = "From: alerts@orbit.example\r\nTo: bea@orbit.example\r\nSubject: Lamp seven\r\n\r\nIt went out.\r\n.hidden dot\r\n"
)

// curl runs curl against the sandbox, trusting its certificate, and returns what it printed.
func curl(t *testing.T, s *sandbox.Sandbox, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is missing: apt-get install curl")
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(s.Certificate.CA), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, append([]string{"-sv", "--max-time", "20", "--cacert", ca}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return log.String(), err
	}
	return out.String(), nil
}

func mustCurl(t *testing.T, s *sandbox.Sandbox, args ...string) string {
	t.Helper()
	out, err := curl(t, s, args...)
	if err != nil {
		t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	return out
}

// Each server of tokens takes both mechanisms, over implicit TLS and after STARTTLS.
func TestCurlSignsInWithTokens(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	if err := s.Deliver(bea, []byte(mail)); err != nil {
		t.Fatal(err)
	}
	token := s.Identity.AccessToken(bea)
	for scheme, port := range map[string]int{"imap": s.Ports.IMAP, "imaps": s.Ports.IMAPS, "pop3": s.Ports.POP3, "pop3s": s.Ports.POP3S} {
		for _, mechanism := range []string{sasl.XOAuth2, sasl.OAuthBearer} {
			t.Run(scheme+" "+mechanism, func(t *testing.T) {
				path := map[bool]string{true: "/INBOX;UID=1", false: "/1"}[strings.HasPrefix(scheme, "imap")]
				got := mustCurl(t, s, "--ssl-reqd", "--user", bea+":", "--oauth2-bearer", token, "--login-options", "AUTH="+mechanism,
					fmt.Sprintf("%s://localhost:%d%s", scheme, port, path))
				if strings.TrimSpace(got) != strings.TrimSpace(mail) {
					t.Errorf("the mail came as %q", got)
				}
			})
		}
	}
}

func TestCurlSendsWithTokens(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	token := s.Identity.AccessToken(alerts)
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	for scheme, port := range map[string]int{"smtp": s.Ports.Submission, "smtps": s.Ports.SMTPS} {
		for _, mechanism := range []string{sasl.XOAuth2, sasl.OAuthBearer} {
			mustCurl(t, s, "--ssl-reqd", "--user", alerts+":", "--oauth2-bearer", token, "--login-options", "AUTH="+mechanism,
				"--mail-from", alerts, "--mail-rcpt", bea, "--mail-rcpt", "somebody@example.com", "--upload-file", file,
				fmt.Sprintf("%s://localhost:%d", scheme, port))
		}
	}
	got := s.Mail.Messages(bea)
	if len(got) != 4 || len(s.Mail.Messages("Somebody@example.com")) != 4 {
		t.Fatalf("%d and %d mails arrived", len(got), len(s.Mail.Messages("somebody@example.com")))
	}
	m := got[0]
	if m.SignedIn != alerts || m.Sender != alerts || len(m.To) != 2 || !bytes.HasSuffix(m.Raw, []byte("\r\n.hidden dot\r\n")) || !bytes.Contains(m.Raw, []byte("with ESMTPSA")) {
		t.Errorf("%+v\n%s", m, m.Raw)
	}
}

// What providers say when they take no token and no password.
func TestRefusalsAreThoseOfTheProvider(t *testing.T) {
	t.Parallel()
	o := idp.Options{Mailboxes: append(idp.DefaultMailboxes(), idp.Mailbox{Address: "off@orbit.example", Off: []idp.Protocol{idp.SMTP, idp.IMAP, idp.POP3}})}
	microsoft := sandboxtest.New(t, sandbox.Options{Identity: o})
	o.Flavour = idp.Google
	google := sandboxtest.New(t, sandbox.Options{Identity: o})
	for _, test := range []struct {
		name, scheme, user, token string
		microsoft, google         string
	}{
		{"smtp, wrong token", "smtps", alerts, "wrong", "535 5.7.3 Authentication unsuccessful", "535 5.7.8 Username and Password not accepted"},
		{"imap, wrong token", "imaps", alerts, "wrong", "NO AUTHENTICATE failed.", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"},
		{"pop3, wrong token", "pop3s", alerts, "wrong", "-ERR Authentication failure: unknown user name or bad password.", "-ERR [AUTH] Username and password not accepted."},
		{"smtp switched off", "smtps", "off@orbit.example", "", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox", "535 5.7.8"},
		{"imap switched off", "imaps", "off@orbit.example", "", "NO AUTHENTICATE failed.", "NO [ALERT] Your account is not enabled for IMAP use."},
		{"pop3 switched off", "pop3s", "off@orbit.example", "", "-ERR Authentication failure", "-ERR [SYS/PERM] Your account is not enabled for POP access."},
		{"another mailbox", "imaps", bea, "of alerts", "BAD User is authenticated but not connected.", "NO [AUTHENTICATIONFAILED]"},
	} {
		for s, want := range map[*sandbox.Sandbox]string{microsoft: test.microsoft, google: test.google} {
			token := test.token
			switch token {
			case "":
				token = s.Identity.AccessToken(test.user)
			case "of alerts":
				token = s.Identity.AccessToken(alerts)
			}
			port := map[string]int{"smtps": s.Ports.SMTPS, "imaps": s.Ports.IMAPS, "pop3s": s.Ports.POP3S}[test.scheme]
			log, err := curl(t, s, "--user", test.user+":", "--oauth2-bearer", token, "--login-options", "AUTH=XOAUTH2", fmt.Sprintf("%s://localhost:%d/", test.scheme, port))
			if err == nil || !strings.Contains(log, want) {
				t.Errorf("%s: %v, want %q in\n%s", test.name, err, want, log)
			}
		}
	}
}

// talk sends lines and returns all that the server said, for what no client would do.
func talk(t *testing.T, s *sandbox.Sandbox, port int, secure bool, lines ...string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Address(port))
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		conn = tls.Client(conn, sandboxtest.TLS(s))
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	_, _ = out.ReadFrom(conn) // until the server hangs up
	return out.String()
}

func TestServersOfTokensTakeNoPassword(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	for _, test := range []struct {
		port   int
		secure bool
		lines  []string
		want   []string
	}{
		{s.Ports.SMTPS, true, []string{"EHLO x", "AUTH PLAIN AGEAYg==", "AUTH LOGIN", "MAIL FROM:<a@b.c>", "QUIT"}, []string{"AUTH XOAUTH2 OAUTHBEARER", "550 5.7.30 Basic authentication is not supported", "530 5.7.57"}},
		{s.Ports.Submission, false, []string{"EHLO x", "AUTH XOAUTH2 eA==", "QUIT"}, []string{"STARTTLS", "523 5.7.10"}},
		{s.Ports.IMAPS, true, []string{"a CAPABILITY", "b LOGIN x y", "c AUTHENTICATE PLAIN AGEAYg==", "d LOGOUT"}, []string{"AUTH=XOAUTH2 AUTH=OAUTHBEARER", "b NO LOGIN failed.", "c NO LOGIN failed."}},
		{s.Ports.IMAP, false, []string{"a CAPABILITY", "b AUTHENTICATE XOAUTH2 eA==", "d LOGOUT"}, []string{"STARTTLS LOGINDISABLED", "b NO [PRIVACYREQUIRED]"}},
		{s.Ports.POP3S, true, []string{"CAPA", "USER x", "PASS y", "AUTH PLAIN AGEAYg==", "STAT", "QUIT"}, []string{"SASL XOAUTH2 OAUTHBEARER", "-ERR Logon failure: basic authentication is not supported", "-ERR Command is not valid"}},
		{s.Ports.POP3, false, []string{"CAPA", "AUTH XOAUTH2 eA==", "QUIT"}, []string{"STLS", "-ERR [SYS/PERM] TLS is required"}},
	} {
		said := talk(t, s, test.port, test.secure, test.lines...)
		for _, want := range test.want {
			if !strings.Contains(said, want) {
				t.Errorf("%q: want %q in\n%s", test.lines, want, said)
			}
		}
	}
}

func TestRefusedTokenIsChallengedFirst(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	const wrong = "dXNlcj1hAWF1dGg9QmVhcmVyIHgBAQ==" // user=a^Aauth=Bearer x^A^A
	for port, lines := range map[int][]string{
		s.Ports.IMAPS: {"a AUTHENTICATE XOAUTH2 " + wrong, "", "b LOGOUT"},
		s.Ports.SMTPS: {"EHLO x", "AUTH XOAUTH2 " + wrong, "", "QUIT"},
		s.Ports.POP3S: {"AUTH XOAUTH2 " + wrong, "", "QUIT"},
	} {
		said := talk(t, s, port, true, lines...)
		if !strings.Contains(said, "eyJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUi") || !strings.Contains(strings.ToUpper(said), "FAIL") && !strings.Contains(said, "535") {
			t.Errorf("%q:\n%s", lines, said)
		}
	}
}

func TestPasswordServersTakePasswords(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	if err := s.Deliver(alerts, []byte(mail)); err != nil {
		t.Fatal(err)
	}
	if err := send(s, bea); err != nil {
		t.Fatal(err)
	}
	if got := s.Mail.Messages(bea); len(got) != 1 || !bytes.Contains(got[0].Raw, []byte("with ESMTPA;")) {
		t.Errorf("%d mails arrived", len(got))
	}
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		for _, scheme := range []string{"imap", "pop3"} {
			for _, security := range []string{"--ssl-reqd", "--silent"} {
				port := map[string]int{"imap": s.Ports.PasswordIMAP, "pop3": s.Ports.PasswordPOP3}[scheme]
				path := map[string]string{"imap": "/INBOX;UID=1", "pop3": "/1"}[scheme]
				args := []string{security, "--user", alerts + ":" + password, "--login-options", "AUTH=" + mechanism, fmt.Sprintf("%s://localhost:%d%s", scheme, port, path)}
				if got := mustCurl(t, s, args...); !strings.Contains(got, "It went out.") {
					t.Errorf("%q: %q", args, got)
				}
			}
		}
	}
	if log, err := curl(t, s, "--user", alerts+":wrong", fmt.Sprintf("imap://localhost:%d/", s.Ports.PasswordIMAP)); err == nil || !strings.Contains(log, "NO LOGIN failed.") {
		t.Errorf("%v\n%s", err, log)
	}
}

// send sends the mail with a password and without TLS.
func send(s *sandbox.Sandbox, to string) error {
	client, err := smtp.Dial(s.Address(s.Ports.PasswordSMTP))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if err := client.Auth(smtp.PlainAuth("", alerts, password, sandbox.Host)); err != nil {
		return err
	}
	if err := client.Mail(alerts); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	data, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := data.Write([]byte(mail)); err != nil {
		return err
	}
	return errors.Join(data.Close(), client.Quit())
}

func TestOldestMailMakesRoom(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{}
	o.Limits.Messages, o.Limits.MessageBytes, o.Limits.Mailboxes = 3, 1000, 2
	s := sandboxtest.New(t, o)
	for range 5 {
		if err := s.Deliver(bea, []byte(mail)); err != nil {
			t.Fatal(err)
		}
	}
	if got := inbox(t, s, bea); !slices.Equal(got, []string{"1 1-3", "2 1-4", "3 1-5"}) {
		t.Errorf("left %q", got)
	}
	if err := s.Deliver(bea, make([]byte, 1001)); err == nil {
		t.Error("a mail larger than the limit is kept")
	}
	if err := s.Deliver(alerts, []byte(mail)); err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver("third@orbit.example", []byte(mail)); err == nil {
		t.Error("a third mailbox is opened")
	}
}

func TestRecipientsThatRefuse(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	for to, want := range map[string]string{"unknown@x.example": "550 5.1.10", "full@x.example": "552 5.2.2", "blocked@x.example": "550 5.7.1", "throttled@x.example": "451 4.7.500", "Later@x.example": "451 4.7.1"} {
		err := send(s, to)
		if code, words, _ := strings.Cut(want, " "); err == nil || !strings.HasPrefix(err.Error(), code+` "`+words) {
			t.Errorf("%s: %v, want %s", to, err, want)
		}
	}
	if err := send(s, "later@x.example"); err != nil {
		t.Errorf("the second try at a greylisted recipient: %v", err)
	}
}
