package fetch

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

const (
	testUser     = "info@example.com"
	testPassword = "correct horse battery"
	testToken    = "ya29.very-secret-access-token"
)

// fault is one thing that goes wrong on the way up, and what a person must read about it.
type fault struct {
	name      string
	server    faulty
	host      string        // default mail.example.test
	port      int           // default 143 or 110
	security  dial.Security // default none
	trust     dial.Trust
	auth      Auth // default user and testPassword
	timeouts  Timeouts
	step      ladder.Name
	code      string
	who       ladder.Who
	remedy    string // a part of it
	reply     string // a part of it
	temporary bool
	throttled bool
}

func (f fault) account() Server {
	s := Server{Protocol: f.server.protocol, Auth: f.auth, Timeouts: f.timeouts,
		Target: dial.Target{Host: f.host, Port: f.port, Security: f.security, Trust: f.trust}}
	if s.Target.Host == "" {
		s.Target.Host = "mail.example.test"
	}
	if s.Target.Port == 0 {
		s.Target.Port = map[Protocol]int{IMAP: 143, POP3: 110}[s.Protocol]
	}
	if s.Auth == (Auth{}) {
		s.Auth = Auth{Username: testUser, Password: vault.NewSecret(testPassword)}
	}
	return s
}

func TestEveryFaultNamesCauseAndRemedy(t *testing.T) {
	t.Parallel()
	faults := slices.Concat(imapFaults(), imapAuthFaults(), pop3Faults(), tlsFaults(t))
	if len(faults) < 70 {
		t.Errorf("only %d faults", len(faults))
	}
	for i := range faults {
		f := &faults[i]
		t.Run(string(f.server.protocol)+" "+f.name, func(t *testing.T) {
			t.Parallel()
			f.check(t)
		})
	}
}

func (f *fault) check(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l := ladder.New(nil)
	m, err := Open(ladder.With(ctx, l), to{f.server.start(t).address}, f.account())
	if err == nil {
		_ = m.Close(ctx)
	}
	var e *ladder.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is no *ladder.Error", err)
	}
	if e.Step != f.step || e.Fault.Code != f.code || e.Fault.Who != f.who {
		t.Errorf("step %s, code %s, who %q; want %s, %s, %q\n%s\n%v", e.Step, e.Fault.Code, e.Fault.Who, f.step, f.code, f.who, e.Fault.Cause, err)
	}
	if e.Fault.Cause == "" || !strings.Contains(e.Fault.Remedy, f.remedy) {
		t.Errorf("cause %q, remedy %q, want in it %q", e.Fault.Cause, e.Fault.Remedy, f.remedy)
	}
	if f.reply == "" && e.Fault.Reply != "" || !strings.Contains(e.Fault.Reply, f.reply) {
		t.Errorf("reply %q, want %q", e.Fault.Reply, f.reply)
	}
	if e.Fault.Temporary != f.temporary || e.Fault.Throttled != f.throttled {
		t.Errorf("temporary %t, throttled %t", e.Fault.Temporary, e.Fault.Throttled)
	}
	checkSteps(t, l.Steps(), e)
}

// checkSteps holds what every failed visit must show: the failed step last, all before it done, no secret.
func checkSteps(t *testing.T, steps []ladder.Step, e *ladder.Error) {
	t.Helper()
	for i, s := range steps {
		last := i == len(steps)-1
		if !s.Done || (s.Fault != nil) != last || last && s.Fault.Code != e.Fault.Code {
			t.Errorf("step %d of %d: %+v", i+1, len(steps), s)
		}
	}
	checkNoSecret(t, steps, e.Error())
}

func checkNoSecret(t *testing.T, steps []ladder.Step, more string) {
	t.Helper()
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{testPassword, encode(testPassword), encode("\x00" + testUser + "\x00" + testPassword), testToken, encode(testToken)} {
		if strings.Contains(string(text)+more, secret) {
			t.Errorf("%q reached the ladder: %s %s", secret, text, more)
		}
	}
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// brief is the time for a server that says nothing; steps that must succeed before have more.
const brief = 100 * time.Millisecond

func imapFaults() []fault {
	greet := func(greeting string) faulty { return faulty{protocol: IMAP, greeting: greeting} }
	on := func(verb, answer string) faulty {
		return faulty{protocol: IMAP, answers: map[string]string{verb: answer}}
	}
	return []fault{
		{name: "another protocol", server: greet("HTTP/1.1 400 Bad Request"),
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You},
		{name: "another mail protocol", server: greet("220 mail.example.test ESMTP"),
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You},
		{name: "an endless first line", server: greet("* OK " + strings.Repeat("x", 100_000)),
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You},
		{name: "BYE at the greeting", server: greet("* BYE Too many connections from your address"),
			step: ladder.Greeting, code: "imap_too_many_connections", who: ladder.Nobody, reply: "Too many", temporary: true, throttled: true},
		{name: "PREAUTH", server: greet("* PREAUTH welcome"),
			step: ladder.Greeting, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "dropped at the greeting", server: greet(drop),
			step: ladder.Greeting, code: "net_dropped_greeting", who: ladder.ServerAdmin, temporary: true},
		{name: "silent", server: greet(silence), timeouts: Timeouts{Command: brief},
			step: ladder.Greeting, code: "net_greeting_timeout", who: ladder.ServerAdmin, temporary: true},
		{name: "silent on a TLS port", server: greet(silence), port: 993, timeouts: Timeouts{TLS: brief},
			step: ladder.Greeting, code: "tls_wanted_by_server", who: ladder.You, remedy: "143"},
		{name: "dropped at CAPABILITY", server: on("CAPABILITY", drop),
			step: ladder.Hello, code: "net_dropped_ehlo", who: ladder.ServerAdmin, temporary: true},
		{name: "garbage at CAPABILITY", server: on("CAPABILITY", "what?"),
			step: ladder.Hello, code: "reply_malformed", who: ladder.ServerAdmin, remedy: "rewrites IMAP"},
		{name: "no capability", server: on("CAPABILITY", "%T OK done"),
			step: ladder.Hello, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "endless lines at CAPABILITY", server: on("CAPABILITY", strings.Repeat("* OK still here\r\n", 500)),
			step: ladder.Hello, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "an endless line at CAPABILITY", server: on("CAPABILITY", "* CAPABILITY "+strings.Repeat("X", 100_000)),
			step: ladder.Hello, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "CAPABILITY refused", server: on("CAPABILITY", "%T NO [UNAVAILABLE] later"),
			step: ladder.Hello, code: "imap_UNAVAILABLE", who: ladder.Nobody, reply: "[UNAVAILABLE] later", temporary: true},
		{name: "silent at CAPABILITY", server: on("CAPABILITY", silence), timeouts: Timeouts{Command: 2 * time.Second},
			step: ladder.Hello, code: "net_answer_timeout", who: ladder.ServerAdmin, temporary: true},
		{name: "folder missing", server: on("SELECT", "%T NO [NONEXISTENT] Unknown Mailbox"),
			step: ladder.Select, code: "imap_NONEXISTENT", who: ladder.You, remedy: "INBOX", reply: "[NONEXISTENT]"},
		{name: "folder refused", server: on("SELECT", "%T NO no such folder"),
			step: ladder.Select, code: "imap_folder_refused", who: ladder.You, reply: "no such folder"},
		{name: "in use", server: on("SELECT", "%T NO [INUSE] locked"),
			step: ladder.Select, code: "imap_INUSE", who: ladder.Nobody, reply: "[INUSE] locked", temporary: true},
		{name: "another's mailbox at Microsoft", server: on("SELECT", "%T BAD User is authenticated but not connected."), host: "outlook.office365.com",
			step: ladder.Select, code: "imap_not_connected", who: ladder.Microsoft365, remedy: "FullAccess", reply: "not connected"},
		{name: "dropped at SELECT", server: on("SELECT", drop),
			step: ladder.Select, code: "net_dropped_mailbox", who: ladder.ServerAdmin, remedy: "log", temporary: true},
		{name: "BYE at SELECT", server: on("SELECT", "* BYE Server shutting down\r\n"+drop),
			step: ladder.Select, code: "imap_bye", who: ladder.Nobody, reply: "shutting down", temporary: true},
		{name: "silent at SELECT", server: on("SELECT", silence), timeouts: Timeouts{Command: 2 * time.Second},
			step: ladder.Select, code: "net_answer_timeout", who: ladder.ServerAdmin, temporary: true},
		{name: "garbage at SELECT", server: on("SELECT", "* 3 EXISTS?!\r\n%T OK"),
			step: ladder.Select, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "an endless line at SELECT", server: on("SELECT", "* OK "+strings.Repeat("x", 1<<20)),
			step: ladder.Select, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "a huge literal at SELECT", server: on("SELECT", "* 1 FETCH (UID 1 BODY[] {9999999999}\r\n"),
			step: ladder.Select, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "many literals at SELECT", server: on("SELECT", "* 1 FETCH (UID 1 BODY[] {1}\r\nx BODY[] {1}\r\nx BODY[] {1}\r\nx)"),
			step: ladder.Select, code: "reply_malformed", who: ladder.ServerAdmin},
	}
}

func imapAuthFaults() []fault {
	auth := func(answer string) faulty {
		return faulty{protocol: IMAP, answers: map[string]string{"AUTHENTICATE": answer}}
	}
	bearer := func(answer string) faulty {
		return faulty{protocol: IMAP, offers: []string{"SASL-IR", "AUTH=XOAUTH2"}, answers: map[string]string{
			"AUTHENTICATE": "+ " + encode(`{"status":"401"}`), "STEP": answer}}
	}
	offering := func(offers ...string) faulty { return faulty{protocol: IMAP, offers: offers} }
	const google = "imap.gmail.com"
	token := Auth{Username: testUser, Token: tokens(testToken)}
	return []fault{
		{name: "wrong password", server: auth("%T NO [AUTHENTICATIONFAILED] Authentication failed."),
			step: ladder.Auth, code: "imap_authentication_failed", who: ladder.You, remedy: "enter the password again", reply: "[AUTHENTICATIONFAILED]"},
		{name: "wrong password at Google", server: auth("%T NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"), host: google,
			step: ladder.Auth, code: "imap_google_credentials", who: ladder.MailboxOwner, remedy: "Enable IMAP", reply: "Invalid credentials"},
		{name: "application password at Google", server: auth("%T NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)"), host: google,
			step: ladder.Auth, code: "imap_google_app_password", who: ladder.MailboxOwner, reply: "[ALERT]"},
		{name: "unavailable", server: auth("%T NO [UNAVAILABLE] Temporary authentication failure."),
			step: ladder.Auth, code: "imap_UNAVAILABLE", who: ladder.Nobody, reply: "[UNAVAILABLE]", temporary: true},
		{name: "in use", server: auth("%T NO [INUSE] Another session"),
			step: ladder.Auth, code: "imap_INUSE", who: ladder.Nobody, reply: "[INUSE]", temporary: true},
		{name: "limit", server: auth("%T NO [LIMIT] Too many simultaneous connections. (Failure)"),
			step: ladder.Auth, code: "imap_too_many_connections", who: ladder.Nobody, reply: "[LIMIT]", temporary: true, throttled: true},
		{name: "another limit", server: auth("%T NO [LIMIT] Enough for today"),
			step: ladder.Auth, code: "imap_LIMIT", who: ladder.Nobody, reply: "[LIMIT]", temporary: true, throttled: true},
		{name: "expired", server: auth("%T NO [EXPIRED] Change it"),
			step: ladder.Auth, code: "imap_EXPIRED", who: ladder.MailboxOwner, reply: "[EXPIRED]"},
		{name: "IMAP is off", server: auth("%T NO [ALERT] Your account is not enabled for IMAP use. Please visit your settings."), host: google,
			step: ladder.Auth, code: "imap_disabled", who: ladder.MailboxOwner, reply: "not enabled"},
		{name: "BYE", server: auth("* BYE Autologout\r\n" + drop),
			step: ladder.Auth, code: "imap_bye", who: ladder.Nobody, reply: "Autologout", temporary: true},
		{name: "BYE without a reason", server: auth("* BYE [CLIENTBUG] what\r\n" + drop),
			step: ladder.Auth, code: "imap_CLIENTBUG", who: ladder.You, reply: "[CLIENTBUG]"},
		{name: "BYE for no reason", server: auth("* BYE see you\r\n" + drop),
			step: ladder.Auth, code: "imap_bye", who: ladder.Nobody, reply: "see you", temporary: true},
		{name: "dropped", server: auth(drop),
			step: ladder.Auth, code: "net_dropped_auth", who: ladder.ServerAdmin, temporary: true},
		{name: "garbage", server: auth("!!"),
			step: ladder.Auth, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "endless challenges", server: faulty{protocol: IMAP, offers: []string{"AUTH=LOGIN"}, answers: map[string]string{"AUTHENTICATE": "+ eA==", "STEP": "+ eA=="}},
			step: ladder.Auth, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "a server that quotes the password", server: auth("%T BAD no such command: AUTHENTICATE PLAIN " + encode("\x00" + testUser + "\x00" + testPassword)[:20] + "..."),
			step: ladder.Auth, code: "imap_authentication_failed", who: ladder.You, reply: "PLAIN [secret]"},
		{name: "LOGIN refused", server: faulty{protocol: IMAP, offers: []string{"IDLE"}, answers: map[string]string{"LOGIN": "%T NO not " + testPassword}},
			step: ladder.Auth, code: "imap_authentication_failed", who: ladder.You, reply: "not [secret]"},
		{name: "LOGINDISABLED", server: offering("LOGINDISABLED"),
			step: ladder.Auth, code: "auth_not_offered_plain", who: ladder.You, remedy: "STARTTLS on port 143"},
		{name: "other mechanisms only", server: offering("LOGINDISABLED", "AUTH=GSSAPI"),
			step: ladder.Auth, code: "auth_no_mechanism", who: ladder.You, remedy: "OAuth 2.0"},
		{name: "no OAuth", server: offering("AUTH=PLAIN"), auth: token, host: "127.0.0.1",
			step: ladder.Auth, code: "auth_no_oauth_mechanism", who: ladder.You},
		{name: "token in the clear", server: offering("AUTH=XOAUTH2"), auth: token,
			step: ladder.Auth, code: "auth_without_tls", who: ladder.You, remedy: "993"},
		{name: "token refused", server: bearer("%T NO [AUTHENTICATIONFAILED] no"), auth: token, host: "127.0.0.1",
			step: ladder.Auth, code: "imap_token_refused", who: ladder.You, reply: "[AUTHENTICATIONFAILED]"},
		{name: "token of another mailbox", server: bearer("%T BAD User is authenticated but not connected."), auth: token, host: "127.0.0.1",
			step: ladder.Auth, code: "imap_not_connected", who: ladder.Microsoft365, remedy: "FullAccess", reply: "not connected"},
	}
}

func pop3Faults() []fault {
	greet := func(greeting string) faulty { return faulty{protocol: POP3, greeting: greeting} }
	on := func(verb, answer string) faulty {
		return faulty{protocol: POP3, answers: map[string]string{verb: answer}}
	}
	bearer := faulty{protocol: POP3, offers: []string{"SASL XOAUTH2"}, answers: map[string]string{
		"AUTH": "+ " + encode(`{"status":"401"}`), "STEP": "-ERR [AUTH] no"}}
	token := Auth{Username: testUser, Token: tokens(testToken)}
	const google = "pop.gmail.com"
	return []fault{
		{name: "another protocol", server: greet("220 mail.example.test ESMTP"),
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You},
		{name: "an endless first line", server: greet("+OK " + strings.Repeat("x", 100_000)),
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You},
		{name: "busy", server: greet("-ERR [SYS/TEMP] too many connections"),
			step: ladder.Greeting, code: "pop3_SYS/TEMP", who: ladder.Nobody, reply: "[SYS/TEMP]", temporary: true},
		{name: "dropped at the greeting", server: greet(drop),
			step: ladder.Greeting, code: "net_dropped_greeting", who: ladder.ServerAdmin, temporary: true},
		{name: "silent", server: greet(silence), timeouts: Timeouts{Command: brief},
			step: ladder.Greeting, code: "net_greeting_timeout", who: ladder.ServerAdmin, temporary: true},
		{name: "dropped at CAPA", server: on("CAPA", drop),
			step: ladder.Hello, code: "net_dropped_ehlo", who: ladder.ServerAdmin, temporary: true},
		{name: "garbage at CAPA", server: on("CAPA", "* what"),
			step: ladder.Hello, code: "reply_malformed", who: ladder.ServerAdmin, remedy: "rewrites POP3"},
		{name: "endless lines at CAPA", server: on("CAPA", "+OK\r\n"+strings.Repeat("X\r\n", 500)),
			step: ladder.Hello, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "wrong password", server: on("AUTH", "-ERR [AUTH] Authentication failed."),
			step: ladder.Auth, code: "pop3_AUTH", who: ladder.You, remedy: "enter the password again", reply: "[AUTH]"},
		{name: "wrong password without a code", server: faulty{protocol: POP3, offers: []string{"USER"}, answers: map[string]string{"PASS": "-ERR no, not " + testPassword}},
			step: ladder.Auth, code: "pop3_login_refused", who: ladder.You, reply: "not [secret]"},
		{name: "unknown user", server: faulty{protocol: POP3, offers: []string{"USER"}, answers: map[string]string{"USER": "-ERR never heard of"}},
			step: ladder.Auth, code: "pop3_login_refused", who: ladder.You, reply: "never heard of"},
		{name: "temporary", server: on("AUTH", "-ERR [SYS/TEMP] later"),
			step: ladder.Auth, code: "pop3_SYS/TEMP", who: ladder.Nobody, reply: "later", temporary: true},
		{name: "in use", server: on("AUTH", "-ERR [IN-USE] another session"),
			step: ladder.Auth, code: "pop3_IN-USE", who: ladder.Nobody, reply: "[IN-USE]", temporary: true},
		{name: "too soon", server: on("AUTH", "-ERR [LOGIN-DELAY] wait"),
			step: ladder.Auth, code: "pop3_LOGIN-DELAY", who: ladder.Nobody, reply: "wait", temporary: true, throttled: true},
		{name: "POP is off", server: on("AUTH", "-ERR [SYS/PERM] Your account is not enabled for POP access."), host: google,
			step: ladder.Auth, code: "pop3_disabled", who: ladder.MailboxOwner, reply: "not enabled"},
		{name: "password at Microsoft", server: on("AUTH", "-ERR Logon failure: unknown user name or bad password."), host: "outlook.office365.com",
			step: ladder.Auth, code: "pop3_microsoft_password", who: ladder.You, remedy: "OAuth 2.0", reply: "Logon failure"},
		{name: "dropped at AUTH", server: on("AUTH", drop),
			step: ladder.Auth, code: "net_dropped_auth", who: ladder.ServerAdmin, temporary: true},
		{name: "no way in", server: faulty{protocol: POP3, offers: []string{"SASL GSSAPI"}},
			step: ladder.Auth, code: "auth_no_mechanism", who: ladder.You},
		{name: "token refused", server: bearer, auth: token, host: "127.0.0.1",
			step: ladder.Auth, code: "pop3_token_refused", who: ladder.You, reply: "[AUTH]"},
		{name: "token in the clear", server: bearer, auth: token,
			step: ladder.Auth, code: "auth_without_tls", who: ladder.You, remedy: "995"},
		{name: "no OAuth", server: faulty{protocol: POP3}, auth: token, host: "localhost",
			step: ladder.Auth, code: "auth_no_oauth_mechanism", who: ladder.You},
		{name: "locked", server: on("STAT", "-ERR [IN-USE] locked"),
			step: ladder.Select, code: "pop3_IN-USE", who: ladder.Nobody, reply: "locked", temporary: true},
		{name: "dropped at STAT", server: on("STAT", drop),
			step: ladder.Select, code: "net_dropped_mailbox", who: ladder.ServerAdmin, temporary: true},
		{name: "garbage at STAT", server: on("STAT", "+OK many"),
			step: ladder.Select, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "silent at STAT", server: on("STAT", silence), timeouts: Timeouts{Command: 2 * time.Second},
			step: ladder.Select, code: "net_answer_timeout", who: ladder.ServerAdmin, temporary: true},
	}
}

func tlsFaults(t *testing.T) []fault {
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{Names: []string{"mail.example.test"}})
	with := &tls.Config{Certificates: []tls.Certificate{cert.TLS}}
	trust := dial.Trust{Rule: dial.CustomCA, CA: cert.CA}
	var all []fault
	for _, p := range []Protocol{IMAP, POP3} {
		command := map[Protocol]string{IMAP: "STARTTLS", POP3: "STLS"}[p]
		yes := map[Protocol]string{IMAP: "%T OK go", POP3: "+OK go"}[p]
		no := map[Protocol]string{IMAP: "%T NO [UNAVAILABLE] not now", POP3: "-ERR [SYS/TEMP] not now"}[p]
		code := map[Protocol]string{IMAP: "imap_UNAVAILABLE", POP3: "pop3_SYS/TEMP"}[p]
		starttls := func(answer string) faulty {
			return faulty{protocol: p, tls: with, answers: map[string]string{command: answer}}
		}
		all = append(all, []fault{
			{name: "TLS on a plain port", server: faulty{protocol: p}, security: dial.Implicit,
				step: ladder.TLS, code: "tls_plain_greeting", who: ladder.You, remedy: map[Protocol]string{IMAP: "port 993", POP3: "port 995"}[p]},
			{name: "plain on a TLS port", server: faulty{protocol: p, tls: with, implicit: true}, timeouts: Timeouts{TLS: brief},
				port: map[Protocol]int{IMAP: 993, POP3: 995}[p],
				step: ladder.Greeting, code: "tls_wanted_by_server", who: ladder.You},
			{name: "unknown authority", server: faulty{protocol: p, tls: with, implicit: true}, security: dial.Implicit,
				step: ladder.TLS, code: "tls_unknown_authority", who: ladder.You},
			{name: "STARTTLS not offered", server: faulty{protocol: p}, security: dial.STARTTLS,
				step: ladder.TLS, code: "starttls_not_offered", who: ladder.ServerAdmin, remedy: map[Protocol]string{IMAP: "port 993", POP3: "port 995"}[p]},
			{name: "STARTTLS refused", server: starttls(no), security: dial.STARTTLS,
				step: ladder.TLS, code: code, who: ladder.Nobody, reply: "not now", temporary: true},
			{name: "garbage after STARTTLS", server: faulty{protocol: p, offers: []string{command}}, security: dial.STARTTLS,
				step: ladder.TLS, code: "tls_not_tls", who: ladder.You},
			{name: "injected after STARTTLS", server: starttls(yes + "\r\n* OK [CAPABILITY AUTH=PLAIN]"), security: dial.STARTTLS,
				step: ladder.TLS, code: "starttls_injected", who: ladder.NetworkTeam, remedy: "CVE-2011-0411"},
			{name: "dropped at STARTTLS", server: starttls(drop), security: dial.STARTTLS, trust: trust,
				step: ladder.TLS, code: "tls_dropped", who: ladder.ServerAdmin, temporary: true},
			{name: "silent in the handshake", server: faulty{protocol: p, greeting: silence}, security: dial.Implicit, timeouts: Timeouts{TLS: brief},
				step: ladder.TLS, code: "tls_timeout", who: ladder.NetworkTeam, temporary: true},
			{name: "dropped after the handshake", server: faulty{protocol: p, tls: with, implicit: true, greeting: drop}, security: dial.Implicit, trust: trust,
				step: ladder.Greeting, code: "net_dropped_greeting", who: ladder.ServerAdmin, temporary: true},
		}...)
	}
	return all
}
