package submit

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/mail"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

const testPassword = "correct horse battery"

// fault is one thing that goes wrong, and what a person must read about it.
type fault struct {
	name      string
	server    faulty
	dialer    to            // when set, instead of the server
	host      string        // default mail.example.test
	port      int           // default 587
	security  dial.Security // default none
	trust     dial.Trust
	auth      Auth // default user and testPassword
	timeouts  Timeouts
	large     bool // the message
	step      ladder.Name
	code      string
	who       ladder.Who
	remedy    string // a part of it
	reply     string // a part of it
	temporary bool
	throttled bool
	uncertain bool
}

func (f fault) target() dial.Target {
	t := dial.Target{Host: f.host, Port: f.port, Security: f.security, Trust: f.trust}
	if t.Host == "" {
		t.Host = "mail.example.test"
	}
	if t.Port == 0 {
		t.Port = 587
	}
	return t
}

// try sends a message and returns the steps and the error.
func (f fault) try(t *testing.T, server faulty) ([]ladder.Step, error) {
	t.Helper()
	var dialer dial.Dialer = f.dialer
	if f.dialer == (to{}) {
		dialer = to{address: server.start(t).address}
	}
	auth := f.auth
	if auth == (Auth{}) {
		auth = Auth{Username: "info@example.com", Password: vault.NewSecret(testPassword)}
	}
	m := greeting()
	if f.large {
		m.Text = strings.Repeat("All work and no play makes Jack a dull boy.\n", 30_000)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l := ladder.New(nil)
	_, err := Deliver(ladder.With(ctx, l), dialer, Server{Target: f.target(), Auth: auth, Timeouts: f.timeouts}, m, nil)
	return l.Steps(), err
}

// greeting is a small message.
func greeting() Message {
	return Message{
		From:    mail.Address{Name: "Orbit", Address: "info@example.com"},
		To:      []mail.Address{{Address: "ann@example.net"}},
		Subject: "Hello",
		Text:    "A first line.\n.A line with a dot.\n",
	}
}

func TestEveryFaultNamesCauseAndRemedy(t *testing.T) {
	t.Parallel()
	faults := slices.Concat(networkFaults(), tlsFaults(t), authFaults(), addressFaults(), messageFaults())
	if len(faults) < 35 {
		t.Errorf("only %d faults", len(faults))
	}
	for i := range faults {
		f := &faults[i]
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			t.Run("pipelined", func(t *testing.T) { f.check(t, f.server) })
			t.Run("one by one", func(t *testing.T) { f.check(t, f.server.withoutPipelining()) })
		})
	}
}

func (f *fault) check(t *testing.T, server faulty) {
	steps, err := f.try(t, server)
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
	var uncertain *Uncertain
	if errors.As(err, &uncertain) != f.uncertain {
		t.Errorf("uncertain: %v", err)
	}
	checkSteps(t, steps, e)
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
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{testPassword, base64.StdEncoding.EncodeToString([]byte(testPassword)),
		base64.StdEncoding.EncodeToString([]byte("\x00info@example.com\x00" + testPassword)), testToken, "All work"} {
		if strings.Contains(string(text), secret) || strings.Contains(e.Error(), secret) {
			t.Errorf("%q reached the ladder: %s", secret, text)
		}
	}
}

// brief is the time for a server that says nothing; steps that must succeed before have more.
const brief = 100 * time.Millisecond

func networkFaults() []fault {
	return []fault{
		{name: "name not found", dialer: to{err: &net.DNSError{Err: "no such host", IsNotFound: true}, step: ladder.Resolve},
			step: ladder.Resolve, code: "net_name_unknown", who: ladder.You, remedy: "spelling"},
		{name: "refused", dialer: to{err: syscall.ECONNREFUSED, step: ladder.Connect},
			step: ladder.Connect, code: "net_refused", who: ladder.You, remedy: "587 with STARTTLS or 465", temporary: true},
		{name: "connection timed out", dialer: to{err: context.DeadlineExceeded, step: ladder.Connect},
			step: ladder.Connect, code: "net_connect_timeout", who: ladder.NetworkTeam, remedy: "firewall", temporary: true},
		{name: "greeting never", server: faulty{greeting: silence}, timeouts: Timeouts{Command: brief},
			step: ladder.Greeting, code: "net_greeting_timeout", who: ladder.ServerAdmin, remedy: "overloaded", temporary: true},
		{name: "plain on a TLS port", server: faulty{greeting: silence}, port: 465, timeouts: Timeouts{TLS: brief},
			step: ladder.Greeting, code: "tls_wanted_by_server", who: ladder.You, remedy: "TLS"},
		{name: "not SMTP: HTTP", server: faulty{greeting: "HTTP/1.1 400 Bad Request: secret-banner"},
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You, remedy: "Check host and port"},
		{name: "not SMTP: SSH", server: faulty{greeting: "SSH-2.0-OpenSSH_secret-banner"},
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You, remedy: "Check host and port"},
		{name: "not SMTP: FTP", server: faulty{greeting: "220 secret-banner FTP server", answers: map[string]string{
			"EHLO": "500 secret-banner", "HELO": "530 Please login"}},
			step: ladder.Hello, code: "net_not_a_mail_server", who: ladder.You, remedy: "Check host and port"},
		{name: "line too long", server: faulty{greeting: "220 " + strings.Repeat("x", 10_000)},
			step: ladder.Greeting, code: "net_not_a_mail_server", who: ladder.You, remedy: "Check host and port"},
		{name: "reply without end", server: faulty{answers: map[string]string{"EHLO": strings.Repeat("250-MORE\r\n", 5_000)}},
			step: ladder.Hello, code: "reply_malformed", who: ladder.ServerAdmin, remedy: "rewrites SMTP"},
		{name: "reply without code", server: faulty{answers: map[string]string{"MAIL": "Sender ok"}},
			step: ladder.MailFrom, code: "reply_malformed", who: ladder.ServerAdmin, remedy: "rewrites SMTP"},
		{name: "busy", server: faulty{greeting: "421 ESMTP too busy"},
			step: ladder.Greeting, code: "smtp_busy", who: ladder.Nobody, reply: "421 ESMTP", temporary: true},
		{name: "no service", server: faulty{greeting: "554 5.7.1 No SMTP service here"},
			step: ladder.Greeting, code: "smtp_greeting_refused", who: ladder.ServerAdmin, reply: "554 5.7.1"},
		{name: "dropped at greeting", server: faulty{greeting: drop},
			step: ladder.Greeting, code: "net_dropped_greeting", who: ladder.ServerAdmin, remedy: "address", temporary: true},
		{name: "dropped at EHLO", server: faulty{answers: map[string]string{"EHLO": drop}},
			step: ladder.Hello, code: "net_dropped_ehlo", who: ladder.ServerAdmin, remedy: "hostname -f", temporary: true},
		{name: "EHLO refused", server: faulty{answers: map[string]string{"EHLO": "550 Invalid HELO name", "HELO": "550 Invalid HELO name"}},
			step: ladder.Hello, code: "smtp_helo_refused", who: ladder.You, reply: "550 Invalid"},
		{name: "silent at EHLO", server: faulty{answers: map[string]string{"EHLO": silence}}, timeouts: Timeouts{Command: 2 * time.Second},
			step: ladder.Hello, code: "net_answer_timeout", who: ladder.ServerAdmin, remedy: "log", temporary: true},
	}
}

func tlsFaults(t *testing.T) []fault {
	name := mailtest.CertificateOptions{Names: []string{"mail.example.test"}}
	good := mailtest.Certificate(t, name)
	other := mailtest.Certificate(t, mailtest.CertificateOptions{Names: []string{"other.example.test"}})
	expired := mailtest.Certificate(t, mailtest.CertificateOptions{Names: name.Names,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)})
	own := mailtest.Certificate(t, mailtest.CertificateOptions{Names: name.Names, SelfSigned: true})
	with := func(c mailtest.Cert) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c.TLS}} }
	trust := func(c mailtest.Cert) dial.Trust { return dial.Trust{Rule: dial.CustomCA, CA: c.CA} }
	starttls := func(answer string) map[string]string { return map[string]string{"STARTTLS": answer} }
	return []fault{
		{name: "TLS on a plain port", security: dial.Implicit,
			step: ladder.TLS, code: "tls_plain_greeting", who: ladder.You, remedy: "STARTTLS"},
		{name: "TLS to another service", server: faulty{greeting: "HTTP/1.1 400 Bad Request"}, security: dial.Implicit,
			step: ladder.TLS, code: "tls_not_tls", who: ladder.You, remedy: ""},
		{name: "expired certificate", server: faulty{tls: with(expired), implicit: true}, security: dial.Implicit, trust: trust(expired),
			step: ladder.TLS, code: "tls_expired", who: ladder.ServerAdmin, remedy: "enew"},
		{name: "self-signed certificate", server: faulty{tls: with(own)}, security: dial.STARTTLS,
			step: ladder.TLS, code: "tls_self_signed", who: ladder.You, remedy: "in"},
		{name: "wrong name", server: faulty{tls: with(other)}, security: dial.STARTTLS, trust: trust(other),
			step: ladder.TLS, code: "tls_wrong_name", who: ladder.You, remedy: "names of the certificate"},
		{name: "unknown authority", server: faulty{tls: with(good)}, security: dial.STARTTLS,
			step: ladder.TLS, code: "tls_unknown_authority", who: ladder.You, remedy: ""},
		{name: "pin mismatch", server: faulty{tls: with(good), implicit: true}, security: dial.Implicit,
			trust: dial.Trust{Rule: dial.Pin, Fingerprint: own.Fingerprint},
			step:  ladder.TLS, code: "tls_pin_mismatch", who: ladder.You, remedy: ""},
		{name: "STARTTLS not offered", security: dial.STARTTLS,
			step: ladder.TLS, code: "starttls_not_offered", who: ladder.ServerAdmin, remedy: "port 465"},
		{name: "STARTTLS refused", server: faulty{tls: with(good), answers: starttls("454 4.7.0 TLS not available due to local problem")},
			security: dial.STARTTLS, step: ladder.TLS, code: "smtp_starttls_refused", who: ladder.ServerAdmin, reply: "454 4.7.0", temporary: true},
		{name: "no certificate after STARTTLS", server: faulty{tls: &tls.Config{}}, security: dial.STARTTLS,
			step: ladder.TLS, code: "tls_unknown_name_alert", who: ladder.You, remedy: "host"},
		{name: "garbage after STARTTLS", server: faulty{offers: []string{"STARTTLS"}}, security: dial.STARTTLS,
			step: ladder.TLS, code: "tls_not_tls", who: ladder.You, remedy: ""},
		{name: "injected after STARTTLS", server: faulty{tls: with(good), answers: starttls("220 2.0.0 Ready\r\n250 AUTH LOGIN")},
			security: dial.STARTTLS, step: ladder.TLS, code: "starttls_injected", who: ladder.NetworkTeam, remedy: "CVE-2011-0411"},
		{name: "dropped at STARTTLS", server: faulty{tls: with(good), answers: starttls(drop)}, security: dial.STARTTLS,
			step: ladder.TLS, code: "tls_dropped", who: ladder.ServerAdmin, remedy: "", temporary: true},
		{name: "silent in the handshake", server: faulty{greeting: silence}, security: dial.Implicit, timeouts: Timeouts{TLS: brief},
			step: ladder.TLS, code: "tls_timeout", who: ladder.NetworkTeam, remedy: "", temporary: true},
	}
}

func authFaults() []fault {
	auth := func(answer string) faulty { return faulty{answers: map[string]string{"AUTH": answer}} }
	bearer := func(blob, answer string) faulty {
		return faulty{offers: []string{"AUTH XOAUTH2"}, answers: map[string]string{
			"AUTH": "334 " + base64.StdEncoding.EncodeToString([]byte(blob)), "STEP 2": answer}}
	}
	const office, google = "smtp.office365.com", "smtp.gmail.com"
	return []fault{
		{name: "AUTH not offered", server: faulty{offers: []string{"SIZE 100"}},
			step: ladder.Auth, code: "auth_not_offered_plain", who: ladder.You, remedy: "STARTTLS on port 587"},
		{name: "mechanism not supported", server: faulty{offers: []string{"AUTH GSSAPI NTLM"}},
			step: ladder.Auth, code: "auth_no_mechanism", who: ladder.You, remedy: "OAuth 2.0"},
		{name: "offered and then unknown", server: auth("504 5.7.4 Unrecognized authentication type"),
			step: ladder.Auth, code: "smtp_504_auth", who: ladder.You, reply: "504 5.7.4"},
		{name: "OAuth not offered", auth: Auth{Token: tokens("t")}, host: "127.0.0.1",
			step: ladder.Auth, code: "auth_no_oauth_mechanism", who: ladder.You, remedy: "provider's own server"},
		{name: "535 5.7.3", server: auth("535 5.7.3 Authentication unsuccessful [AM0PR04CA0001.eurprd04.prod.outlook.com]"), host: office,
			step: ladder.Auth, code: "smtp_535_5.7.3", who: ladder.You, reply: "535 5.7.3"},
		{name: "535 5.7.3 with token", server: bearer(`{"status":"401"}`, "535 5.7.3 Authentication unsuccessful [x.prod.outlook.com]"),
			host: "127.0.0.1", auth: Auth{Token: tokens(testToken)},
			step: ladder.Auth, code: "smtp_535_5.7.3_token", who: ladder.Microsoft365, remedy: "SmtpClientAuthenticationDisabled", reply: "535 5.7.3"},
		{name: "535 5.7.139", server: auth("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."), host: office,
			step: ladder.Auth, code: "smtp_535_5.7.139_tenant", who: ladder.Microsoft365, remedy: "Set-CASMailbox", reply: "535 5.7.139"},
		{name: "550 5.7.30", server: auth("550 5.7.30 Basic authentication is not supported for Client Submission."), host: office,
			step: ladder.Auth, code: "smtp_550_5.7.30", who: ladder.You, remedy: "OAuth 2.0", reply: "550 5.7.30"},
		{name: "535 5.7.8 Google", server: auth("535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials - gsmtp"), host: google,
			step: ladder.Auth, code: "smtp_535_5.7.8_google", who: ladder.MailboxOwner, remedy: "pplication password", reply: "535 5.7.8 Username and Password not accepted"},
		{name: "534 5.7.9", server: auth("534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp"), host: google,
			step: ladder.Auth, code: "smtp_534_5.7.9", who: ladder.MailboxOwner, remedy: "pplication password", reply: "534 5.7.9"},
		{name: "454 at AUTH", server: auth("454 4.7.0 Temporary authentication failure: Connection lost to authentication server"),
			step: ladder.Auth, code: "smtp_auth_later", who: ladder.ServerAdmin, reply: "454 4.7.0", temporary: true},
		{name: "530 5.7.0", server: faulty{answers: map[string]string{"MAIL": "530 5.7.0 Must issue a STARTTLS command first"}},
			step: ladder.MailFrom, code: "smtp_530_5.7.0_starttls", who: ladder.You, remedy: "STARTTLS", reply: "530 5.7.0"},
		{name: "a server that quotes the password", server: auth("535 5.7.8 no such login: " +
			base64.StdEncoding.EncodeToString([]byte("\x00info@example.com\x00" + testPassword))[:20] + "..."),
			step: ladder.Auth, code: "smtp_status_7.8", who: ladder.You, reply: "no such login: [secret]"},
		{name: "a server that quotes the password in clear text", server: auth("535 5.7.8 wrong password: " + testPassword),
			step: ladder.Auth, code: "smtp_status_7.8", who: ladder.You, reply: "wrong password: [secret]"},
		{name: "endless challenges", server: faulty{offers: []string{"AUTH LOGIN"}, answers: map[string]string{
			"AUTH": "334 VXNlcm5hbWU6", "STEP 2": "334 UGFzc3dvcmQ6", "STEP 3": "334 VXNlcm5hbWU6"}},
			step: ladder.Auth, code: "reply_malformed", who: ladder.ServerAdmin},
		{name: "dropped at AUTH", server: auth(drop),
			step: ladder.Auth, code: "net_dropped_auth", who: ladder.ServerAdmin, remedy: "password", temporary: true},
	}
}

func addressFaults() []fault {
	from := func(answer string) faulty { return faulty{answers: map[string]string{"MAIL": answer}} }
	rcpt := func(answer string) faulty {
		return faulty{answers: map[string]string{"RCPT": answer, "DATA": "503 5.5.1 No recipients"}}
	}
	const office, google = "smtp.office365.com", "smtp.gmail.com"
	return []fault{
		{name: "sender refused 550 5.7.60", server: from("550 5.7.60 SMTP; Client does not have permissions to send as this sender"), host: office,
			step: ladder.MailFrom, code: "smtp_550_5.7.60", who: ladder.Microsoft365, remedy: "SendAs", reply: "550 5.7.60"},
		{name: "recipient refused 550 5.1.1", server: rcpt("550 5.1.1 <ann@example.net>: Recipient address rejected: User unknown"),
			step: ladder.RcptTo, code: "smtp_550_5.1.1", who: ladder.You, remedy: "address", reply: "550 5.1.1"},
		{name: "relay denied 5.7.1", server: rcpt("554 5.7.1 <ann@example.net>: Relay access denied"),
			step: ladder.RcptTo, code: "smtp_relay_denied", who: ladder.You, reply: "554 5.7.1"},
		{name: "greylisted", server: rcpt("450 4.2.0 <ann@example.net>: Recipient address rejected: Greylisted, try again in 5 minutes"),
			step: ladder.RcptTo, code: "smtp_greylisted", who: ladder.Nobody, reply: "450 4.2.0", temporary: true},
		{name: "too fast 450", server: rcpt("450 4.7.1 Error: too much mail from 192.0.2.1"),
			step: ladder.RcptTo, code: "smtp_rate_limited", who: ladder.Nobody, reply: "450 4.7.1", temporary: true, throttled: true},
		{name: "too many connections 432 4.3.2", server: from("432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"), host: office,
			step: ladder.MailFrom, code: "smtp_432_4.3.2", who: ladder.Nobody, reply: "432 4.3.2", temporary: true, throttled: true},
		{name: "throttled 421", server: from("421 4.7.28 Our system has detected an unusual rate of mail - gsmtp"), host: google,
			step: ladder.MailFrom, code: "smtp_421_4.7.28", who: ladder.Nobody, reply: "421 4.7.28", temporary: true, throttled: true},
		{name: "daily limit 550 5.4.5", server: from("550 5.4.5 Daily user sending limit exceeded. - gsmtp"), host: google,
			step: ladder.MailFrom, code: "smtp_550_5.4.5", who: ladder.Nobody, reply: "550 5.4.5", temporary: true, throttled: true},
		{name: "size, announced", large: true,
			step: ladder.MailFrom, code: "message_too_large", who: ladder.You, remedy: "attachments"},
		{name: "size 552", server: from("552 5.3.4 Message size exceeds fixed limit"),
			step: ladder.MailFrom, code: "smtp_552_5.3.4", who: ladder.You, reply: "552 5.3.4"},
		{name: "dropped at MAIL", server: from(drop),
			step: ladder.MailFrom, code: "net_dropped_mail_from", who: ladder.ServerAdmin, remedy: "sender", temporary: true},
		{name: "dropped at RCPT", server: rcpt(drop),
			step: ladder.RcptTo, code: "net_dropped_rcpt_to", who: ladder.ServerAdmin, remedy: "recipient", temporary: true},
		{name: "wants the message without recipient", server: faulty{answers: map[string]string{"RCPT": "550 5.1.1 User unknown"}},
			step: ladder.RcptTo, code: "smtp_550_5.1.1", who: ladder.You, reply: "550 5.1.1"},
	}
}

func messageFaults() []fault {
	data := func(answer string) faulty { return faulty{answers: map[string]string{"DATA": answer}} }
	final := func(answer string) faulty { return faulty{answers: map[string]string{".": answer}} }
	roomy := []string{"SIZE 100000000", "AUTH PLAIN"}
	return []fault{
		{name: "554 at DATA", server: data("554 5.5.1 No valid recipients"),
			step: ladder.Data, code: "smtp_status_5.x", who: ladder.ServerAdmin, reply: "554 5.5.1"},
		{name: "250 at DATA", server: data("250 2.0.0 queued"),
			step: ladder.Data, code: "smtp_unexpected", who: ladder.ServerAdmin, reply: "250 2.0.0 queued"},
		{name: "dropped at DATA", server: data(drop),
			step: ladder.Data, code: "net_dropped_data", who: ladder.ServerAdmin, remedy: "filter", temporary: true},
		{name: "dropped in the message", large: true, server: faulty{offers: roomy, answers: map[string]string{"BODY": reset}},
			step: ladder.Data, code: "net_dropped_data", who: ladder.ServerAdmin, remedy: "filter", temporary: true},
		{name: "550 at the end", server: final("550 5.7.1 Message rejected as spam"),
			step: ladder.Reply, code: "smtp_spam", who: ladder.ServerAdmin, reply: "550 5.7.1"},
		{name: "552 at the end", server: final("552 5.3.4 Message too big"),
			step: ladder.Reply, code: "smtp_552_5.3.4", who: ladder.You, reply: "552 5.3.4"},
		{name: "451 at the end", server: final("451 4.3.0 Error: queue file write error"),
			step: ladder.Reply, code: "smtp_status_3.x", who: ladder.ServerAdmin, reply: "451 4.3.0", temporary: true},
		{name: "554 5.2.252 SendAsDenied", host: "smtp.office365.com",
			server: final("554 5.2.252 SendAsDenied; info@example.com not allowed to send as other@example.com; STOREDRV.Submission.Exception"),
			step:   ladder.Reply, code: "smtp_550_5.7.60", who: ladder.Microsoft365, remedy: "SendAs", reply: "554 5.2.252"},
		{name: "dropped after the message", server: final(drop),
			step: ladder.Reply, code: "net_dropped_reply", who: ladder.ServerAdmin, remedy: "Message-ID", temporary: true, uncertain: true},
		{name: "reset after the message", server: final(reset),
			step: ladder.Reply, code: "net_dropped_reply", who: ladder.ServerAdmin, remedy: "Message-ID", temporary: true, uncertain: true},
		{name: "silent after the message", server: final(silence), timeouts: Timeouts{DataEnd: brief},
			step: ladder.Reply, code: "net_reply_timeout", who: ladder.ServerAdmin, remedy: "log", temporary: true, uncertain: true},
		{name: "nonsense after the message", server: final("HTTP/1.1 200 OK"),
			step: ladder.Reply, code: "net_reply_timeout", who: ladder.ServerAdmin, remedy: "log", temporary: true, uncertain: true},
	}
}
