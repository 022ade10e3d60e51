package sandbox_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
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

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"orbit/internal/mail/sasl"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
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

func TestIMAPAndPOP3ShareOneMailbox(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	for range 4 {
		if err := s.Deliver(bea, []byte(mail)); err != nil {
			t.Fatal(err)
		}
	}
	arrived := make(chan uint32, 10)
	expunged := make(chan uint32, 10)
	client, err := imapclient.DialTLS(s.Address(s.Ports.IMAPS), &imapclient.Options{
		TLSConfig: sandboxtest.TLS(s),
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					arrived <- *data.NumMessages
				}
			},
			Expunge: func(n uint32) { expunged <- n },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	token := vault.NewSecret(s.Identity.AccessToken(bea))
	if err := client.Authenticate(sasl.NewXOAuth2(bea, token)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}

	// Move one to Trash, expunge another.
	moved, err := client.Move(imap.SeqSetNum(2), "Trash").Wait()
	if err != nil || moved.DestUIDs.(imap.UIDSet).String() != "1" {
		t.Fatalf("%+v, %v", moved, err)
	}
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := client.Store(imap.SeqSetNum(1), deleted, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	if got := inbox(t, s, bea); !slices.Equal(got, []string{"1 1-3", "2 1-4"}) {
		t.Errorf("POP3 lists %q", got)
	}
	if got := s.Mail.Messages(bea); len(got) != 3 {
		t.Errorf("%d mails are kept, want two in INBOX and one in Trash", len(got))
	}

	// IDLE hears of mail that arrives, and of mail that POP3 removes.
	for len(expunged) > 0 {
		<-expunged
	}
	idle, err := client.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(bea, []byte(mail)); err != nil {
		t.Fatal(err)
	}
	if n := receive(t, arrived); n != 3 {
		t.Errorf("IDLE says %d messages", n)
	}
	pop(t, s, bea, "DELE 1", "QUIT")
	if n := receive(t, expunged); n != 1 {
		t.Errorf("IDLE says %d is expunged", n)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}

	// APPEND is kept too.
	appending := client.Append("Sent", int64(len(mail)), nil)
	if _, err := appending.Write([]byte(mail)); err != nil {
		t.Fatal(err)
	}
	if err := appending.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := appending.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := s.Mail.Messages(bea); len(got) != 4 || got[0].Folder != "Sent" || string(got[0].Raw) != mail {
		t.Errorf("%d mails are kept, the last %+v", len(got), got[0])
	}
}

func receive(t *testing.T, from <-chan uint32) uint32 {
	t.Helper()
	select {
	case n := <-from:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		return 0
	}
}

// pop signs in to POP3 with a token and says lines.
func pop(t *testing.T, s *sandbox.Sandbox, user string, lines ...string) string {
	t.Helper()
	client := sasl.NewXOAuth2(user, vault.NewSecret(s.Identity.AccessToken(user)))
	_, initial, _ := client.Start()
	return talk(t, s, s.Ports.POP3S, true, append([]string{"AUTH XOAUTH2 " + base64Of(initial)}, lines...)...)
}

// inbox is what UIDL lists.
func inbox(t *testing.T, s *sandbox.Sandbox, user string) []string {
	t.Helper()
	said := pop(t, s, user, "UIDL", "QUIT")
	_, list, _ := strings.Cut(said, "authenticated.\r\n+OK\r\n")
	list, _, _ = strings.Cut(list, "\r\n.\r\n")
	return strings.Split(list, "\r\n")
}

func TestPOP3(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	for range 2 {
		if err := s.Deliver(bea, []byte(mail)); err != nil {
			t.Fatal(err)
		}
	}
	said := pop(t, s, bea, "STAT", "LIST", "LIST 2", "TOP 1 1", "RETR 1", "DELE 1", "RETR 1", "STAT", "RSET", "STAT", "DELE 2", "NOOP", "RETR 9", "TOP 1 x", "XYZ", "QUIT")
	size := len(mail)
	want := []string{
		"+OK 2 " + fmt.Sprint(2*size), "+OK", fmt.Sprintf("1 %d", size), fmt.Sprintf("2 %d", size), ".", fmt.Sprintf("+OK 2 %d", size),
		"+OK", "From: alerts@orbit.example", "To: bea@orbit.example", "Subject: Lamp seven", "", "It went out.", ".",
		fmt.Sprintf("+OK %d octets", size), "From: alerts@orbit.example", "To: bea@orbit.example", "Subject: Lamp seven", "", "It went out.", "..hidden dot", ".",
		"+OK", "-ERR The specified message is out of range.", fmt.Sprintf("+OK 1 %d", size), "+OK", "+OK 2 " + fmt.Sprint(2*size), "+OK", "+OK",
		"-ERR The specified message is out of range.", "-ERR Protocol error: TOP wants a number of lines.", "-ERR Command is not valid in this state.", "+OK Goodbye.", "",
	}
	_, got, _ := strings.Cut(said, "successfully authenticated.\r\n")
	if got != strings.Join(want, "\r\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\r\n"))
	}
	if left := inbox(t, s, bea); !slices.Equal(left, []string{"1 1-1"}) {
		t.Errorf("left %q", left)
	}
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

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
