package explain

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

var example = regexp.MustCompile(`^(\d{3}) (?:(\d\.\d+\.\d+) )?(.*)$`)

// contextOf makes the visit in which an entry's pattern can fit.
func contextOf(m pattern) (ladder.Name, Context) {
	c := fullContext()
	c.Provider = string(m.provider)
	c.OAuth = m.signIn == token || m.signIn == appToken
	c.AppOnly = m.signIn == appToken
	step := ladder.Reply
	if len(m.steps) > 0 {
		step = m.steps[0]
	}
	if m.signIn != anySignIn {
		step = ladder.Auth
	}
	return step, c
}

// The examples of the dictionary are what its readers search for, so each must lead to its own entry.
func TestEverySMTPEntryIsFoundByItsExample(t *testing.T) {
	t.Parallel()
	for _, e := range smtpEntries {
		m := example.FindStringSubmatch(strings.TrimSuffix(e.Seen, " (with an access token)"))
		if m == nil {
			if e.match.fits(reply{}) {
				continue // the last one has no example
			}
			t.Errorf("%s: the example %q is no reply", e.Code, e.Seen)
			continue
		}
		code, _ := strconv.Atoi(m[1])
		step, c := contextOf(e.match)
		f := SMTP(step, code, m[2], m[3], c)
		if f.Code != e.Code {
			t.Errorf("%s: %q at %s is explained as %s", e.Code, e.Seen, step, f.Code)
		}
	}
}

func TestNoSMTPReplyStaysUnexplained(t *testing.T) {
	t.Parallel()
	steps := []ladder.Name{ladder.Greeting, ladder.Hello, ladder.TLS, ladder.Auth, ladder.MailFrom, ladder.RcptTo, ladder.Data, ladder.Reply, ""}
	for _, step := range steps {
		for code := 200; code < 600; code++ {
			for _, enhanced := range []string{"", fmt.Sprintf("%d.%d.%d", code/100, code%8, code%13)} {
				f := SMTP(step, code, enhanced, "some words", fullContext())
				if f.Code == "" || f.Cause == "" || f.Who == "" || f.Remedy == "" {
					t.Fatalf("%s %d %s: %+v", step, code, enhanced, f)
				}
				if code/100 == 4 && !f.Temporary {
					t.Fatalf("%s %d %s is not temporary: %s", step, code, enhanced, f.Code)
				}
			}
		}
	}
}

// What administrators meet most, as the servers really say it.
func TestSMTPReplies(t *testing.T) {
	t.Parallel()
	m365 := Context{Host: "smtp.office365.com", Port: 587, Username: "info@example.com", Sender: "noreply@example.com", ClientID: "c-1"}
	m365Token, m365App := m365, m365
	m365Token.OAuth, m365App.AppOnly = true, true
	google := Context{Host: "smtp.gmail.com", Port: 587, Username: "info@example.com", Sender: "info@example.com"}
	proxy := Context{Host: "127.0.0.1", Port: 2465, Username: "info@example.com", Sender: "info@example.com"}
	relay := Context{Host: "relay.example.com", Port: 25, Username: "info", Sender: "info@example.com", Recipient: "anna@example.net"}
	for _, c := range []struct {
		name     string
		step     ladder.Name
		code     int
		enhanced string
		text     string
		context  Context
		want     string
		who      ladder.Who
		remedy   string
	}{
		{"mailbox switched off", ladder.Auth, 535, "5.7.139", "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. [FR0P281CA0130.DEUP281.PROD.OUTLOOK.COM]", m365, "smtp_535_5.7.139_mailbox", ladder.Microsoft365, "Set-CASMailbox -Identity 'info@example.com' -SmtpClientAuthenticationDisabled $false"},
		{"the same through the own proxy", ladder.Auth, 535, "5.7.139", "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. [FR0P281CA0130.DEUP281.PROD.OUTLOOK.COM]", proxy, "smtp_535_5.7.139_tenant", ladder.Microsoft365, "Set-CASMailbox"},
		{"status inside the text", ladder.Auth, 535, "", "5.7.139 Authentication unsuccessful, basic authentication is disabled. [BM1P287CA0015.INDP287.PROD.OUTLOOK.COM]", m365, "smtp_535_5.7.139_basic_disabled", ladder.Microsoft365, "OAuth 2.0"},
		{"application without mailbox permission", ladder.Auth, 535, "5.7.3", "Authentication unsuccessful [SN2PR00CA0018.namprd00.prod.outlook.com]", m365App, "smtp_535_5.7.3_app", ladder.Microsoft365, "New-ServicePrincipal -AppId 'c-1' -ObjectId"},
		{"token of a person", ladder.Auth, 535, "5.7.3", "Authentication unsuccessful", m365Token, "smtp_535_5.7.3_token", ladder.Microsoft365, "SMTP.Send"},
		{"passwords retired", ladder.Auth, 550, "5.7.30", "Basic authentication is not supported for Client Submission.", m365, "smtp_550_5.7.30", ladder.You, "OAuth 2.0"},
		{"send as", ladder.Reply, 554, "5.2.252", "SendAsDenied; info@example.com not allowed to send as noreply@example.com; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", m365, "smtp_550_5.7.60", ladder.Microsoft365, "Add-RecipientPermission -Identity 'noreply@example.com' -Trustee 'info@example.com' -AccessRights SendAs"},
		{"fourth connection", ladder.MailFrom, 432, "4.3.2", "STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname=AM0PR]", m365, "smtp_432_4.3.2", ladder.Nobody, "by itself"},
		{"busy", ladder.RcptTo, 451, "4.7.500", "Server busy. Please try again later from [198.51.100.7]. (S77719)", m365, "smtp_451_4.7.500", ladder.Nobody, "slows down"},
		{"second factor", ladder.Auth, 534, "5.7.9", "Application-specific password required. For more information, go to https://support.google.com/mail/?p=InvalidSecondFactor 5b1f-gsmtp", google, "smtp_534_5.7.9", ladder.MailboxOwner, "https://myaccount.google.com/apppasswords"},
		{"wrong password", ladder.Auth, 535, "5.7.8", "Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials", google, "smtp_535_5.7.8_google", ladder.MailboxOwner, "application password"},
		{"daily limit", ladder.Reply, 550, "5.4.5", "Daily user sending limit exceeded. For more information on Gmail sending limits", google, "smtp_550_5.4.5", ladder.Nobody, "24 hours"},
		{"unauthenticated", ladder.Reply, 550, "5.7.26", "Your email has been blocked because the sender is unauthenticated.", google, "smtp_550_5.7.26", ladder.You, "_dmarc.example.com"},
		{"postgrey", ladder.RcptTo, 450, "4.2.0", "<anna@example.net>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/", relay, "smtp_greylisted", ladder.Nobody, "by itself"},
		{"Postfix wants STARTTLS", ladder.MailFrom, 530, "5.7.0", "Must issue a STARTTLS command first", relay, "smtp_530_5.7.0_starttls", ladder.You, "STARTTLS (port 587)"},
		{"Postfix relay", ladder.RcptTo, 554, "5.7.1", "<anna@example.net>: Relay access denied", relay, "smtp_relay_denied", ladder.You, "Use authentication on"},
		{"Postfix sender login", ladder.RcptTo, 553, "5.7.1", "<info@example.com>: Sender address rejected: not owned by user info", relay, "smtp_sender_not_owned", ladder.ServerAdmin, "smtpd_sender_login_maps"},
		{"Postfix unknown user", ladder.RcptTo, 550, "5.1.1", "<anna@example.net>: Recipient address rejected: User unknown in local recipient table", relay, "smtp_550_5.1.1", ladder.You, "Correct the address"},
		{"size", ladder.MailFrom, 552, "5.3.4", "Message size exceeds fixed limit", relay, "smtp_552_5.3.4", ladder.You, "message_size_limit"},
		{"Dovecot password", ladder.Auth, 535, "5.7.8", "Error: authentication failed: (reason unavailable)", relay, "smtp_status_7.8", ladder.You, "enter the password again"},
		{"Exim password", ladder.Auth, 535, "", "Incorrect authentication data", relay, "smtp_auth_refused", ladder.You, "enter the password again"},
		{"token at a normal server", ladder.Auth, 535, "5.7.8", "Error: authentication failed", Context{Host: "imap.example.com", OAuth: true, Username: "info@example.com"}, "smtp_auth_token_refused", ladder.You, "Authorise"},
		{"mechanism", ladder.Auth, 504, "5.5.4", "Unrecognized authentication type", relay, "smtp_504_auth", ladder.You, "authentication type"},
		{"Spamhaus", ladder.RcptTo, 554, "5.7.1", "Service unavailable; Client host [198.51.100.7] blocked using zen.spamhaus.org", relay, "smtp_blocklisted", ladder.NetworkTeam, "removal"},
		{"a mailbox called marble is no block list", ladder.RcptTo, 550, "5.1.1", "marble street office: no mailbox here by that name", relay, "smtp_550_5.1.1", ladder.You, "Correct"},
		{"an address is no reason", ladder.RcptTo, 550, "", "<blacklist@example.net> refused", relay, "smtp_recipient_refused", ladder.You, "Check the address"},
		{"greeting refused", ladder.Greeting, 554, "", "mx.example.com ESMTP not accepting messages", relay, "smtp_greeting_refused", ladder.ServerAdmin, "allow list"},
		{"421 at the greeting", ladder.Greeting, 421, "", "Service not available", relay, "smtp_busy", ladder.Nobody, "by itself"},
		{"content", ladder.Reply, 554, "", "rejected by policy", relay, "smtp_message_refused", ladder.ServerAdmin, "The reply says why"},
		{"sandbox of SES", ladder.Reply, 554, "", "Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: info@example.com", Context{Host: "email-smtp.eu-west-1.amazonaws.com", Sender: "info@example.com"}, "smtp_ses_not_verified", ladder.You, "example.com"},
		{"Fastmail sender", ladder.Reply, 551, "5.7.1", "Not authorised to send from this header address", Context{Host: "smtp.fastmail.com"}, "smtp_fastmail_sender", ladder.MailboxOwner, "sending identity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := SMTP(c.step, c.code, c.enhanced, c.text, c.context)
			if f.Code != c.want || f.Who != c.who {
				t.Fatalf("%s for %s, want %s for %s\n%s", f.Code, f.Who, c.want, c.who, f.Cause)
			}
			if !strings.Contains(f.Remedy, c.remedy) {
				t.Errorf("the remedy lacks %q:\n%s", c.remedy, f.Remedy)
			}
			if !strings.HasPrefix(f.Reply, strconv.Itoa(c.code)) {
				t.Errorf("the reply is %q", f.Reply)
			}
			if strings.Contains(c.text, f.Reply) || strings.Count(f.Reply, "5.7.139") > 1 {
				t.Errorf("the reply is %q", f.Reply)
			}
		})
	}
}

func TestThrottlingIsNotAFailure(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"sender thread limit exceeded", "Too many messages, slow down", "Throttling failure: Maximum sending rate exceeded"} {
		f := SMTP(ladder.RcptTo, 450, "", text, Context{})
		if !f.Throttled || !f.Temporary {
			t.Errorf("%q: %+v", text, f)
		}
	}
}

func TestProviderIsKnownFromHostOrReply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		context Context
		text    string
		want    provider.ID
	}{
		{Context{Host: "smtp.office365.com"}, "", provider.Microsoft365},
		{Context{Host: "127.0.0.1"}, "busy [am0pr.prod.outlook.com]", provider.Microsoft365},
		{Context{Host: "relay.example.com"}, "no such user - gsmtp", provider.Google},
		{Context{Host: "relay.example.com", Provider: "other"}, "no such user - gsmtp", provider.Google},
		{Context{Host: "relay.example.com", Provider: "zoho"}, "", provider.Zoho},
		{Context{Host: "notoutlook.com.example.org"}, "", provider.Other},
	} {
		if got := c.context.providerOf(c.text); got != c.want {
			t.Errorf("%+v %q: %s", c.context, c.text, got)
		}
	}
}

func FuzzSMTP(f *testing.F) {
	f.Add(535, "5.7.139", "Authentication unsuccessful", "info@example.com")
	f.Add(0, "", "5.7.1 \x00{host}", "{ps:mailbox}'")
	f.Add(421, "4.7.0", strings.Repeat("a@", 100), "’")
	f.Fuzz(func(t *testing.T, code int, enhanced, text, username string) {
		c := Context{Host: "smtp.office365.com", Port: 587, Username: username, Sender: username}
		for _, step := range []ladder.Name{ladder.Auth, ladder.Reply} {
			fault := SMTP(step, code, enhanced, text, c)
			if fault.Code == "" || fault.Cause == "" || fault.Who == "" || fault.Remedy == "" {
				t.Fatalf("unexplained: %+v", fault)
			}
			if strings.ContainsAny(fault.Reply+fault.Cause, "\x00\x1b\r") {
				t.Fatalf("control characters: %+v", fault)
			}
		}
	})
}
