package fetch

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

// signIn opens a mailbox on a scripted server and returns what the server got, and the steps.
func signIn(t *testing.T, server faulty, a Server) (commands []string, steps []ladder.Step) {
	t.Helper()
	r := server.start(t)
	l := ladder.New(nil)
	m, err := Open(ladder.With(t.Context(), l), to{r.address}, a)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	checkNoSecret(t, l.Steps(), "")
	return r.received(), l.Steps()
}

func TestTokensWaitWhereTheyMust(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("eyJ0eXAi", 40)
	bearer := encode("n,a=" + testUser + ",\x01host=127.0.0.1\x01port=143\x01auth=Bearer t\x01\x01")
	for name, c := range map[string]struct {
		server faulty
		token  string
		want   []string
	}{
		"IMAP with SASL-IR": {faulty{protocol: IMAP, offers: []string{"SASL-IR", "AUTH=XOAUTH2"}}, long, []string{"o2 AUTHENTICATE XOAUTH2 " + xoauth2(long)}},
		"IMAP without": {faulty{protocol: IMAP, offers: []string{"AUTH=XOAUTH2"}, answers: map[string]string{"AUTHENTICATE": "+ "}}, long,
			[]string{"o2 AUTHENTICATE XOAUTH2", xoauth2(long)}},
		"IMAP OAUTHBEARER": {faulty{protocol: IMAP, offers: []string{"SASL-IR", "AUTH=OAUTHBEARER"}}, "t", []string{"o2 AUTHENTICATE OAUTHBEARER " + bearer}},
		"POP3, short":      {faulty{protocol: POP3, offers: []string{"SASL XOAUTH2"}}, "t", []string{"AUTH XOAUTH2 " + xoauth2("t")}},
		"POP3, long":       {faulty{protocol: POP3, offers: []string{"SASL XOAUTH2"}, answers: map[string]string{"AUTH": "+ "}}, long, []string{"AUTH XOAUTH2", xoauth2(long)}},
	} {
		commands, _ := signIn(t, c.server, withToken(c.server.protocol, tokens(c.token)))
		if got := commands[1 : 1+len(c.want)]; !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// go-imap would send "=" for the first, and nothing for the second.
func TestARefusalsReasonIsAnswered(t *testing.T) {
	t.Parallel()
	reason := "+ " + encode(`{"status":"401"}`)
	for mechanism, want := range map[string]string{"XOAUTH2": "", "OAUTHBEARER": "AQ=="} {
		for p, script := range map[Protocol]faulty{
			IMAP: {protocol: IMAP, offers: []string{"SASL-IR", "AUTH=" + mechanism}, answers: map[string]string{"AUTHENTICATE": reason, "STEP": "%T NO no"}},
			POP3: {protocol: POP3, offers: []string{"SASL " + mechanism}, answers: map[string]string{"AUTH": reason, "STEP": "-ERR no"}},
		} {
			server := script.start(t)
			if _, err := Open(t.Context(), to{server.address}, withToken(p, tokens("t"))); err == nil {
				t.Error("signed in")
			}
			if got := server.received()[2]; got != want {
				t.Errorf("%s %s: answered %q, want %q", p, mechanism, got, want)
			}
		}
	}
}

func TestPasswordsThatQuotesCannotHold(t *testing.T) {
	t.Parallel()
	a := account(IMAP)
	a.Auth = Auth{Username: `a"b\c`, Password: vault.NewSecret("pässword")}
	server := faulty{protocol: IMAP, offers: []string{"IDLE"}, answers: map[string]string{"LOGIN": "+ go on"}}
	commands, _ := signIn(t, server, a)
	if want := []string{`o2 LOGIN "a\"b\\c" {9}`, "pässword"}; !slices.Equal(commands[1:3], want) {
		t.Errorf("%q", commands)
	}
	if got := loginCommand("o1", "ü", "ö"); !slices.Equal(got, []string{"o1 LOGIN {2}\r\n", "ü {2}\r\n", "ö\r\n"}) {
		t.Errorf("%q", got)
	}
}

func TestTheBestMethodIsTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server faulty
		host   string
		want   string // in the result of the step
		warns  bool
	}{
		"IMAP PLAIN":                      {faulty{protocol: IMAP, offers: []string{"AUTH=LOGIN", "AUTH=PLAIN"}}, "mail.example.test", "(PLAIN)", true},
		"IMAP to this machine":            {faulty{protocol: IMAP, offers: []string{"AUTH=PLAIN"}}, "127.0.0.1", "(PLAIN)", false},
		"IMAP command":                    {faulty{protocol: IMAP, offers: []string{"IDLE"}}, "mail.example.test", "(LOGIN command)", true},
		"IMAP, offered and not supported": {faulty{protocol: IMAP, offers: []string{"AUTH=PLAIN"}, answers: map[string]string{"AUTHENTICATE": "%T NO Unsupported authentication mechanism."}}, "localhost", "(LOGIN command)", false},
		"POP3 of old":                     {faulty{protocol: POP3, answers: map[string]string{"CAPA": "-ERR what?"}}, "mail.example.test", "(USER and PASS)", true},
		"POP3 APOP":                       {faulty{protocol: POP3, greeting: "+OK <1@b>", offers: []string{"USER"}}, "mail.example.test", "(APOP)", false},
		"POP3 APOP without a secret":      {faulty{protocol: POP3, greeting: "+OK <1@b>", offers: []string{"USER"}, answers: map[string]string{"APOP": "-ERR no"}}, "mail.example.test", "(USER and PASS)", true},
		"POP3 LOGIN":                      {faulty{protocol: POP3, offers: []string{"SASL LOGIN"}, answers: map[string]string{"AUTH": "+ " + encode("Username:"), "STEP#1": "+ " + encode("Password:")}}, "localhost", "(LOGIN)", false},
	} {
		a := account(c.server.protocol)
		a.Target.Host = c.host
		_, steps := signIn(t, c.server, a)
		i := slices.IndexFunc(steps, func(s ladder.Step) bool { return s.Name == ladder.Auth })
		if s := steps[i]; !strings.Contains(s.Result, c.want) || (len(s.Warnings) > 0) != c.warns {
			t.Errorf("%s: %q, warnings %q", name, s.Result, s.Warnings)
		}
	}
}

func TestTheWayUpOverTLS(t *testing.T) {
	t.Parallel()
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{Names: []string{"mail.example.test"}})
	for _, p := range []Protocol{IMAP, POP3} {
		for security, want := range map[dial.Security]string{
			dial.Implicit: "connect tls greeting ehlo auth select idle",
			dial.STARTTLS: "connect greeting ehlo tls ehlo auth select idle",
		} {
			a := account(p)
			a.Target = dial.Target{Host: "mail.example.test", Port: 143, Security: security, Trust: dial.Trust{Rule: dial.CustomCA, CA: cert.CA}}
			server := faulty{protocol: p, tls: &tls.Config{Certificates: []tls.Certificate{cert.TLS}}, implicit: security == dial.Implicit}
			_, steps := signIn(t, server, a)
			if got := names(steps); got != want {
				t.Errorf("%s %s: %s", p, security, got)
			}
			for _, s := range steps {
				if !s.Done || s.Fault != nil || s.Result == "" || s.Name == ladder.Auth && len(s.Warnings) > 0 {
					t.Errorf("%+v", s)
				}
			}
		}
	}
}

func TestAlertsAreShown(t *testing.T) {
	t.Parallel()
	server := on(IMAP, "AUTHENTICATE", "* OK [ALERT] The server closes at noon\r\n%T OK done")
	_, steps := signIn(t, server, account(IMAP))
	i := slices.IndexFunc(steps, func(s ladder.Step) bool { return s.Name == ladder.Auth })
	if w := steps[i].Warnings; len(w) != 1 || !strings.Contains(w[0], "closes at noon") {
		t.Errorf("%q", w)
	}
}
