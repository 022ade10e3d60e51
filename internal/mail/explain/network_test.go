package explain

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"orbit/internal/mail/ladder"
)

func op(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }

func sys(errno syscall.Errno) error { return op(os.NewSyscallError("connect", errno)) }

func TestNetworkErrors(t *testing.T) {
	t.Parallel()
	starttls := Context{Host: "mail.example.com", Port: 587, Security: STARTTLS, Username: "info", Sender: "a@example.com", Recipient: "b@example.net"}
	wrongPort := Context{Host: "mail.example.com", Port: 465, Security: STARTTLS}
	implicit := Context{Host: "mail.example.com", Port: 465, Security: Implicit}
	imap := Context{Host: "imap.example.com", Port: 993, Security: Plain}
	header := func(first string) error {
		return tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake", RecordHeader: [5]byte([]byte(first)[:5])}
	}
	for _, c := range []struct {
		name    string
		step    ladder.Name
		err     error
		context Context
		want    string
		remedy  string
	}{
		{"unknown name", ladder.Resolve, &net.DNSError{Err: "no such host", Name: "mail.example.com", IsNotFound: true}, starttls, "net_name_unknown", "getent ahosts mail.example.com"},
		{"silent name server", ladder.Resolve, &net.DNSError{Err: "i/o timeout", IsTimeout: true}, starttls, "net_dns_silent", "resolv.conf"},
		{"failing name server", ladder.Resolve, &net.DNSError{Err: "server misbehaving", IsTemporary: true}, starttls, "net_dns_failed", "DNSSEC"},
		{"refused", ladder.Connect, sys(syscall.ECONNREFUSED), starttls, "net_refused", "587 with STARTTLS or 465"},
		{"refused beats unreachable", ladder.Connect, errors.Join(sys(syscall.ENETUNREACH), sys(syscall.ECONNREFUSED)), starttls, "net_refused", ""},
		{"silent", ladder.Connect, op(os.ErrDeadlineExceeded), starttls, "net_connect_timeout", "firewall"},
		{"silent, by context", ladder.Connect, context.DeadlineExceeded, starttls, "net_connect_timeout", ""},
		{"silent beats unreachable", ladder.Connect, errors.Join(sys(syscall.ENETUNREACH), op(os.ErrDeadlineExceeded)), starttls, "net_connect_timeout", ""},
		{"no route", ladder.Connect, sys(syscall.EHOSTUNREACH), starttls, "net_unreachable", "ip route get"},
		{"local firewall", ladder.Connect, sys(syscall.EPERM), starttls, "net_forbidden_here", "nftables"},
		{"no descriptors", ladder.Connect, sys(syscall.EMFILE), starttls, "net_no_resources", "LimitNOFILE"},
		{"reset while connecting", ladder.Connect, sys(syscall.ECONNRESET), starttls, "net_reset", ""},
		{"stopped", ladder.Auth, context.Canceled, starttls, "net_cancelled", ""},
		{"no greeting", ladder.Greeting, op(os.ErrDeadlineExceeded), starttls, "net_greeting_timeout", ""},
		{"no greeting on a TLS port", ladder.Greeting, op(os.ErrDeadlineExceeded), wrongPort, "tls_wanted_by_server", `"TLS from the start" (ssl), or use port 587`},
		{"EOF on a TLS port", ladder.Greeting, io.EOF, imap, "tls_wanted_by_server", "port 143"},
		{"TLS alert where the greeting should be", ladder.Greeting, fmt.Errorf("short response: %q", "\x15\x03\x01\x00\x02\x02"), starttls, "tls_wanted_by_server", ""},
		{"greeting where TLS should be", ladder.TLS, header("220 m"), implicit, "tls_plain_greeting", "STARTTLS"},
		{"IMAP greeting where TLS should be", ladder.TLS, header("* OK "), implicit, "tls_plain_greeting", ""},
		{"HTTP where TLS should be", ladder.TLS, header("HTTP/"), implicit, "tls_not_tls", ""},
		{"HTTP where a greeting should be", ladder.Greeting, errors.New(`malformed response: HTTP/1.1 400 Bad Request secret-banner`), starttls, "net_not_a_mail_server", "not shown"},
		{"silence in TLS", ladder.TLS, op(os.ErrDeadlineExceeded), implicit, "tls_timeout", "openssl s_client"},
		{"EOF in TLS", ladder.TLS, io.EOF, implicit, "tls_dropped", ""},
		{"EOF at the greeting", ladder.Greeting, io.EOF, starttls, "net_dropped_greeting", ""},
		{"EOF at EHLO", ladder.Hello, io.ErrUnexpectedEOF, starttls, "net_dropped_ehlo", ""},
		{"EOF at sign-in", ladder.Auth, sys(syscall.ECONNRESET), starttls, "net_dropped_auth", ""},
		{"EOF at the token", ladder.Token, io.EOF, starttls, "net_dropped_token", ""},
		{"EOF at MAIL FROM", ladder.MailFrom, io.EOF, starttls, "net_dropped_mail_from", ""},
		{"EOF at RCPT TO", ladder.RcptTo, io.EOF, starttls, "net_dropped_rcpt_to", ""},
		{"EOF in DATA", ladder.Data, sys(syscall.EPIPE), starttls, "net_dropped_data", ""},
		{"EOF before the reply", ladder.Reply, io.EOF, starttls, "net_dropped_reply", "Message-ID"},
		{"EOF at SELECT", ladder.Select, io.EOF, starttls, "net_dropped_mailbox", ""},
		{"no answer", ladder.Auth, op(os.ErrDeadlineExceeded), starttls, "net_answer_timeout", ""},
		{"no final reply", ladder.Reply, op(os.ErrDeadlineExceeded), starttls, "net_reply_timeout", "log of mail.example.com"},
		{"client certificate demanded late", ladder.Greeting, op(errors.New("remote error: tls: certificate required")), implicit, "tls_client_certificate", ""},
		{"another late alert", ladder.Greeting, op(errors.New("remote error: tls: internal error")), implicit, "tls_handshake", "openssl"},
		{"anything", ladder.Hello, errors.New("strange"), starttls, "net_other", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := Network(c.step, c.err, c.context)
			if f.Code != c.want || !strings.Contains(f.Remedy, c.remedy) {
				t.Fatalf("%s, want %s with %q:\n%s", f.Code, c.want, c.remedy, f.Remedy)
			}
			if strings.Contains(f.Cause+f.Remedy+f.Reply, "secret-banner") {
				t.Error("the words of a service that is no mail server are shown")
			}
			if strings.Contains(f.Cause, "<") || strings.Contains(f.Cause+f.Remedy, "{") {
				t.Errorf("something is missing: %s %s", f.Cause, f.Remedy)
			}
		})
	}
}

// Every step has words of its own, so that no cause ends in "while .".
func TestEveryStepCanFail(t *testing.T) {
	t.Parallel()
	for _, step := range []ladder.Name{
		ladder.Resolve, ladder.Connector, ladder.Connect, ladder.TLS, ladder.Greeting, ladder.Hello, ladder.Token, ladder.Auth,
		ladder.MailFrom, ladder.RcptTo, ladder.Data, ladder.Reply, ladder.Select, ladder.Idle, "unheard_of",
	} {
		for _, err := range []error{io.EOF, os.ErrDeadlineExceeded, errors.New("strange")} {
			if f := Network(step, err, Context{Host: "mail.example.com", Port: 25}); f.Cause == "" || f.Remedy == "" || strings.Contains(f.Cause, "while .") {
				t.Errorf("%s %v: %+v", step, err, f)
			}
		}
	}
}

func TestAWrongClockIsNotTheCertificatesFault(t *testing.T) {
	t.Parallel()
	f := tlsAt(expiredError(), Context{Host: "mail.example.com"}, time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	if f.Code != "tls_clock_off" || !strings.Contains(f.Cause, "2001-01-01") {
		t.Errorf("%+v", f)
	}
}

func TestAlertsOfTheServer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"remote error: tls: protocol version not supported":                                              "tls_version",
		"tls: server selected unsupported protocol version 301":                                          "tls_version",
		"remote error: tls: handshake failure":                                                           "tls_cipher",
		"remote error: tls: unrecognized name":                                                           "tls_unknown_name_alert",
		"remote error: tls: certificate required":                                                        "tls_client_certificate",
		"tls: failed to parse certificate from server: x509: oops":                                       "tls_bad_certificate",
		"remote error: tls: internal error":                                                              "tls_handshake",
		"crypto/rsa: 512-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)": "tls_weak_key",
	} {
		if f := TLS(errors.New(text), Context{Host: "mail.example.com", Port: 465, Security: Implicit}); f.Code != want {
			t.Errorf("%q: %s, want %s", text, f.Code, want)
		}
	}
}

func TestRetirementNotice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host     string
		password bool
		want     bool
	}{
		{"smtp.office365.com", true, true},
		{"SMTP.Office365.com.", true, true},
		{"smtp-legacy.office365.com", true, true},
		{"smtp.office365.us", true, true},
		{"smtp.office365.com", false, false},
		{"smtp.gmail.com", true, false},
		{"smtp.office365.com.example.org", true, false},
	} {
		notice := RetirementNotice(c.host, c.password)
		if (notice != "") != c.want {
			t.Errorf("%s %v: %q", c.host, c.password, notice)
		}
		if c.want && (!strings.Contains(notice, "December 2026") || !strings.Contains(notice, "2027")) {
			t.Errorf("the dates are missing: %s", notice)
		}
	}
}

func TestMailboxPasswordNotice(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"outlook.office365.com": "OAuth 2.0", "imap-mail.outlook.com": "OAuth 2.0", "imap.gmail.com": "2-Step Verification",
		"imap.mail.yahoo.com": "Yahoo takes an application password", "imap.zoho.com": "", "imap.example.com": "", "127.0.0.1": "",
	} {
		notice := MailboxPasswordNotice(host, true)
		if want == "" && notice != "" || !strings.Contains(notice, want) {
			t.Errorf("%s: %q", host, notice)
		}
		if notice := MailboxPasswordNotice(host, false); notice != "" {
			t.Errorf("%s with a token: %q", host, notice)
		}
	}
}

func TestNamedFaults(t *testing.T) {
	t.Parallel()
	c := fullContext()
	plain := c
	plain.Security = Plain
	oauth := c
	oauth.OAuth = true
	imap, pop3 := oauth, oauth
	imap.Protocol, pop3.Protocol = "IMAP", "POP3"
	for _, row := range []struct {
		fault ladder.Fault
		code  string
		says  string
	}{
		{NoSTARTTLS(c), "starttls_not_offered", "PLAIN, LOGIN"},
		{NoAuth(c), "auth_not_offered", "587"},
		{NoAuth(plain), "auth_not_offered_plain", "Use secure connection"},
		{NoMechanism(c), "auth_no_mechanism", "SCRAM-SHA-256"},
		{NoMechanism(oauth), "auth_no_oauth_mechanism", "smtp.office365.com"},
		{NoMechanism(imap), "auth_no_oauth_mechanism", "outlook.office365.com, imap.gmail.com"},
		{NoMechanism(pop3), "auth_no_oauth_mechanism", "outlook.office365.com, pop.gmail.com"},
		{PlainPassword(plain), "auth_without_tls", "did not send"},
		{NoSMTPUTF8(c), "smtputf8_not_offered", "smtputf8_enable"},
		{No8BITMIME(c), "8bitmime_not_offered", "8BITMIME"},
		{TooLarge(c), "message_too_large", "10.0 MB"},
		{NotApproved(c), "credential_not_approved", "mail.example.com:587"},
		{TokenWithheld(c), "token_not_approved", "mail.example.com:587"},
		{NoAddress(c), "net_no_address", "mail.example.com"},
		{NotMailServer(c), "net_not_a_mail_server", "SMTP"},
		{Forbidden(Destination{Address: "169.254.169.254", Rule: "link-local"}, c), "destination_forbidden", "169.254.169.254"},
		{Forbidden(Destination{Address: "127.0.0.1", Rule: "loopback", Variable: "ORBIT_ALLOWED_DESTINATIONS", Setting: "127.0.0.1:25"}, c), "destination_not_allowed", "ORBIT_ALLOWED_DESTINATIONS"},
		{NoProof(c), "auth_server_not_proven", "SCRAM"},
		{Injected(c), "starttls_injected", "mail.example.com:587"},
		{BrokenReply(ladder.Hello, c), "reply_malformed", "asking what the server offers"},
		{BadHost(errors.New("no name"), c), "host_invalid", "no name"},
		{PlainHTTP("id.example.com"), "http_refused", "id.example.com"},
		{RedirectRefused("id.example.com", "evil.example"), "redirect_refused", "evil.example"},
		{ConnectorUnusable("Office", "it is inactive", c), "connector_unusable", "it is inactive"},
		{ClockOff("7 minutes", c), "clock_off", "7 minutes"},
		{BadTrust(errors.New("no PEM"), c), "tls_bad_rule", "no PEM"},
	} {
		if row.fault.Code != row.code || !strings.Contains(row.fault.Cause+row.fault.Remedy, row.says) {
			t.Errorf("%+v, want %s with %q", row.fault, row.code, row.says)
		}
	}
}
