package account

import (
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
)

// The password that the client sent to the proxy was right, so nobody is told to type it again.
func TestATokenThatIsRefusedBehindTheProxyIsExplained(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]struct{ protocol, remedy string }{
		"535 5.7.8 smtp.office365.com:587 refuses the access token: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.": {"SMTP", "Set-CASMailbox -Identity 'alerts@example.com'"},
		"535 5.7.8 127.0.0.1:3587 refuses the access token: 535 5.7.3 Authentication unsuccessful [SANDBOX01.prod.outlook.example]":                                 {"SMTP", "authorised for alerts@example.com and not for another mailbox"},
		"[AUTHENTICATIONFAILED] outlook.office365.com:993 refuses the access token: NO AUTHENTICATE failed.":                                                        {"IMAP", "Set-CASMailbox -Identity 'alerts@example.com' -ImapEnabled"},
		"[AUTHENTICATIONFAILED] imap.gmail.com:993 refuses the access token: NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)":                               {"IMAP", "https://mail.google.com/"},
		"[AUTH] outlook.office365.com:995 refuses the access token: -ERR Authentication failure: unknown user name or bad password.":                                {"POP3", "-PopEnabled"},
	} {
		fault, ok := refusedToken(want.protocol, reply, "alerts@example.com")
		if !ok || !strings.Contains(fault.Remedy, want.remedy) {
			t.Errorf("%s\n%t %+v", reply, ok, fault)
		}
	}
	for protocol, reply := range map[string]string{
		"SMTP": "535 5.7.8 The user name or password is not that of a registered credential",
		"IMAP": "[AUTHENTICATIONFAILED] The user name or password is not that of a registered credential",
	} {
		if fault, ok := refusedToken(protocol, reply, "alerts@example.com"); ok {
			t.Errorf("%+v", fault)
		}
	}
}

// The account and the listener are the same administrator's, so nobody else is sent for.
func TestEncryptionThatOurOwnListenerHasNotIsExplained(t *testing.T) {
	t.Parallel()
	h := newHouseWith(t, Options{Own: func(_ string, port int) bool { return port == 2465 }})
	for code, explained := range map[string]bool{"starttls_not_offered": true, "tls_plain_greeting": true, "tls_expired": false} {
		for port, own := range map[int]bool{2465: true, 25: false} {
			failed := ladder.Step{Name: ladder.TLS, Fault: &ladder.Fault{Code: code, Reply: "the server's words"}}
			step := h.behindOwn(h.ctx, access{target: dial.Target{Host: "127.0.0.1", Port: port}}, failed)
			if got := strings.Contains(step.Fault.Remedy, "Use secure connection of the account to No"); got != (explained && own) || step.Fault.Reply == "" {
				t.Errorf("%s at port %d: %+v", code, port, step.Fault)
			}
		}
	}
}
