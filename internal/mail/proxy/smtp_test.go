package proxy

import (
	"slices"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
)

func smtpRig(t *testing.T, change func(*upstream)) (*rig, *upstream, *peer) {
	t.Helper()
	t.Parallel()
	u := newUpstream(t, SMTP, dial.Implicit, change)
	r := newRig(t, newBackend(), u.listener())
	r.await(Learnt)
	c := r.connect()
	c.want("220 orbit.test ESMTP Orbit .*")
	return r, u, c
}

const smtpWelcome = "235 2.7.0 Accepted by upstream"

// hello says EHLO and reads what the proxy offers.
func hello(c *peer) {
	c.t.Helper()
	c.talk("EHLO me.test\r\n", "250-orbit.test")
	c.want("250-PIPELINING", "250-SIZE 1000", "250 AUTH PLAIN LOGIN")
}

func TestSMTPSignsInByEveryForm(t *testing.T) {
	t.Parallel()
	dialogues := map[string][]string{
		"plain inline":       {"AUTH PLAIN " + plain64(testUser, testPassword) + "\r\n", smtpWelcome},
		"lower case":         {"auth plain " + plain64(testUser, testPassword) + "\r\n", smtpWelcome},
		"plain in two steps": {"AUTH PLAIN\r\n", "334 ", plain64(testUser, testPassword) + "\r\n", smtpWelcome},
		"login": {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6", b64(testUser) + "\r\n", "334 UGFzc3dvcmQ6",
			b64(testPassword) + "\r\n", smtpWelcome},
		"login inline": {"AUTH LOGIN " + b64(testUser) + "\r\n", "334 UGFzc3dvcmQ6", b64(testPassword) + "\r\n", smtpWelcome},
	}
	for name, dialogue := range dialogues {
		t.Run(name, func(t *testing.T) {
			_, u, c := smtpRig(t, nil)
			hello(c)
			c.talk(dialogue...)
			c.talk("MAIL FROM:<user@example.com>\r\n", `250 upstream heard "MAIL FROM:<user@example.com>"`)
			if got := strings.Join(u.lines(), " "); !strings.Contains(got, "EHLO me.test AUTH XOAUTH2 "+xoauth2(testToken)+" MAIL") {
				t.Errorf("the server heard %q", got)
			}
		})
	}
}

func TestSMTPRefusesAndGoesOn(t *testing.T) {
	t.Parallel()
	dialogues := map[string][]string{
		"wrong password":   {"AUTH PLAIN " + plain64(testUser, "x") + "\r\n", "535 5.7.8 .*"},
		"unknown account":  {"AUTH PLAIN " + plain64("nobody", "x") + "\r\n", "535 5.7.8 .*"},
		"empty":            {"AUTH PLAIN =\r\n", "535 5.7.8 .*"},
		"malformed":        {"AUTH PLAIN " + b64("x") + "\r\n", "535 5.7.8 .*"},
		"non-UTF-8":        {"AUTH LOGIN\r\n", "334 .*", b64(testUser) + "\r\n", "334 .*", b64("\xff\xfe") + "\r\n", "535 5.7.8 .*"},
		"cancelled":        {"AUTH PLAIN\r\n", "334 ", "*\r\n", "501 5.7.0 .*"},
		"not base64":       {"AUTH LOGIN\r\n", "334 .*", "!!!\r\n", "501 5.5.2 .*"},
		"other mechanism":  {"AUTH CRAM-MD5\r\n", "504 5.5.4 .*"},
		"long response":    {"AUTH PLAIN\r\n", "334 ", strings.Repeat("A", 13000) + "\r\n", "500 5.5.6 .*"},
		"mail":             {"MAIL FROM:<a@b>\r\n", "530 5.7.0 .*"},
		"rcpt":             {"RCPT TO:<a@b>\r\n", "530 5.7.0 .*"},
		"data":             {"DATA\r\n", "530 5.7.0 .*"},
		"starttls":         {"STARTTLS\r\n", "502 5.5.1 .*"},
		"vrfy":             {"VRFY a\r\n", "502 5.5.1 .*"},
		"expn":             {"EXPN a\r\n", "502 5.5.1 .*"},
		"xclient":          {"XCLIENT NAME=x\r\n", "500 5.5.1 .*"},
		"help":             {"HELP\r\n", "214 .*"},
		"rset":             {"RSET\r\n", "250 2.0.0 .*"},
		"bad hello":        {"EHLO\r\n", "501 5.5.4 .*"},
		"two word hello":   {"EHLO a b\r\n", "501 5.5.4 .*"},
		"helo":             {"HELO me.test\r\n", "250 orbit.test"},
		"bare LF":          {"NOOP\n", "500 5.5.2 .*CR LF"},
		"long line":        {"NOOP " + strings.Repeat("x", 600) + "\r\n", "500 5.5.2 .*"},
		"very long line":   {"NOOP " + strings.Repeat("x", 20000) + "\r\n", "500 5.5.2 .*"},
		"line of 512":      {"NOOP " + strings.Repeat("x", 505) + "\r\n", "250 2.0.0 .*"},
		"line of 513":      {"NOOP " + strings.Repeat("x", 506) + "\r\n", "500 5.5.2 .*"},
		"spaces behind it": {"NOOP \r\n", "250 2.0.0 .*"},
	}
	for name, dialogue := range dialogues {
		t.Run(name, func(t *testing.T) {
			r, u, c := smtpRig(t, nil)
			hello(c)
			c.talk(dialogue...)
			c.talk("NOOP\r\n", "250 2.0.0 .*")
			probed := func(line string) bool { return line == "EHLO localhost" || line == "QUIT" } // its QUIT may come late
			if heard := slices.DeleteFunc(u.lines(), probed); r.backend.dialled() != 1 || len(heard) > 0 {
				t.Errorf("the server heard %q", heard)
			}
			c.talk("AUTH PLAIN "+plain64(testUser, testPassword)+"\r\n", smtpWelcome)
		})
	}
}

func TestSMTPWantsHelloBeforeAuth(t *testing.T) {
	_, _, c := smtpRig(t, nil)
	c.talk("AUTH PLAIN "+plain64(testUser, testPassword)+"\r\n", "503 5.5.1 .*", "QUIT\r\n", "221 2.0.0 .*")
	c.ended()
}

// A8.12: EHLO and AUTH in one write, with a message behind them.
func TestSMTPPipelinedCommandsWaitForTheSignIn(t *testing.T) {
	_, u, c := smtpRig(t, nil)
	c.put("EHLO me.test\r\nAUTH PLAIN " + plain64(testUser, "wrong") + "\r\nMAIL FROM:<lost@example.com>\r\n" +
		"AUTH PLAIN " + plain64(testUser, testPassword) + "\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n")
	c.want("250-orbit.test", "250-.*", "250-.*", "250 .*", "535 5.7.8 .*", "530 5.7.0 .*", smtpWelcome,
		`250 upstream heard "MAIL FROM:<a@example.com>"`, `250 upstream heard "RCPT TO:<b@example.com>"`)
	heard := strings.Join(u.lines(), "\n")
	if strings.Contains(heard, plain64(testUser, testPassword)) || strings.Contains(heard, "wrong") || strings.Contains(heard, "lost") {
		t.Errorf("the server heard %q", heard)
	}
}

// BDAT's octets come without being asked for; taken for commands they could sign somebody in.
func TestSMTPChunkBeforeSignInEndsTheSession(t *testing.T) {
	_, u, c := smtpRig(t, nil)
	hello(c)
	before := len(u.lines())
	c.put("BDAT 20 LAST\r\nAUTH PLAIN " + plain64(testUser, testPassword) + "\r\n")
	c.want("530 5.7.0 .*", "421 .*")
	c.ended()
	if len(u.lines()) != before {
		t.Errorf("the server heard %q", u.lines())
	}
}

// A8.18: EHLO right after AUTH does not advertise the server's own ways to sign in.
func TestSMTPSecondHelloHidesTheServersMechanisms(t *testing.T) {
	_, u, c := smtpRig(t, nil)
	hello(c)
	c.talk("AUTH PLAIN "+plain64(testUser, testPassword)+"\r\n", smtpWelcome)
	c.talk("EHLO again.test\r\n", "250-upstream")
	c.want("250-PIPELINING", "250 SIZE 1000")
	c.talk("EHLO two words\r\n", "501 .*", "HELO third.test\r\n", ".*third.test.*")
	c.talk("E\r\n", `250 upstream heard "E"`) // shorter than the word it starts like
	if heard := strings.Join(u.lines(), " "); !strings.Contains(heard, "EHLO again.test HELO third.test E") {
		t.Errorf("the server heard %q", heard)
	}
}

func TestSMTPLongTokenTravelsByItself(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("t", 2000)
	u := newUpstream(t, SMTP, dial.Implicit, func(u *upstream) { u.accepts = []string{token} })
	b := newBackend()
	b.tokens = []string{token}
	r := newRig(t, b, u.listener())
	c := r.connect()
	c.want("220 .*")
	hello(c)
	c.talk("AUTH PLAIN "+plain64(testUser, testPassword)+"\r\n", smtpWelcome)
	if heard := strings.Join(u.lines(), " "); !strings.Contains(heard, "AUTH XOAUTH2 "+xoauth2(token)) {
		t.Errorf("the server heard %q", heard)
	}
}

func TestSMTPSendsTroublemakersAway(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"guessing": strings.Repeat("AUTH PLAIN "+plain64("a", "b")+"\r\n", maxFailures),
		"nonsense": strings.Repeat("XYZZY\r\n", maxErrors),
		"endless":  strings.Repeat("x", 2*maxFlood),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, c := smtpRig(t, nil)
			hello(c)
			go func() { _, _ = c.Write([]byte(text)) }()
			line := c.line()
			for !strings.HasPrefix(line, "421 ") {
				line = c.line()
			}
			c.ended()
		})
	}
}
