package account

import (
	"strings"
	"testing"
)

// The password that the client sent to the proxy was right, so nobody is told to type it again.
func TestATokenThatIsRefusedBehindTheProxyIsExplained(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"535 5.7.8 smtp.office365.com:587 refuses the access token: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.": "Set-CASMailbox -Identity 'alerts@example.com'",
		"535 5.7.8 127.0.0.1:3587 refuses the access token: 535 5.7.3 Authentication unsuccessful [SANDBOX01.prod.outlook.example]":                                 "authorised for alerts@example.com and not for another mailbox",
	} {
		fault, ok := refusedToken("SMTP", reply, "alerts@example.com")
		if !ok || !strings.Contains(fault.Remedy, want) {
			t.Errorf("%s\n%t %+v", reply, ok, fault)
		}
	}
	if fault, ok := refusedToken("SMTP", "535 5.7.8 The user name or password is not that of a registered credential", "alerts@example.com"); ok {
		t.Errorf("%+v", fault)
	}
}
