package proxy

import (
	"strings"
	"testing"

	"orbit/internal/mail/dial"
)

func pop3Rig(t *testing.T, change func(*upstream)) (*rig, *upstream, *peer) {
	t.Helper()
	t.Parallel()
	u := newUpstream(t, POP3, dial.Implicit, change)
	r := newRig(t, newBackend(), u.listener())
	c := r.connect()
	c.want(`\+OK Orbit [^<>]*`) // no APOP timestamp
	return r, u, c
}

const pop3Welcome = `\+OK Logged in`

func TestPOP3SignsInByEveryForm(t *testing.T) {
	t.Parallel()
	dialogues := map[string][]string{
		"user and pass":      {"USER user@example.com\r\n", `\+OK.*`, "PASS pass word\r\n", pop3Welcome},
		"lower case":         {"user user@example.com\r\n", `\+OK.*`, "pass pass word\r\n", pop3Welcome},
		"bare LF":            {"USER user@example.com\n", `\+OK.*`, "PASS pass word\n", pop3Welcome},
		"noop between":       {"USER user@example.com\r\n", `\+OK.*`, "NOOP\r\n", `\+OK.*`, "PASS pass word\r\n", pop3Welcome},
		"nonsense between":   {"USER user@example.com\r\n", `\+OK.*`, "XYZZY\r\n", `-ERR.*`, "PASS pass word\r\n", pop3Welcome},
		"plain inline":       {"AUTH PLAIN " + plain64(testUser, testPassword) + "\r\n", pop3Welcome},
		"plain in two steps": {"AUTH PLAIN\r\n", `\+ `, plain64(testUser, testPassword) + "\r\n", pop3Welcome},
		"login": {"AUTH LOGIN\r\n", `\+ VXNlcm5hbWU6`, b64(testUser) + "\r\n", `\+ UGFzc3dvcmQ6`,
			b64(testPassword) + "\r\n", pop3Welcome},
		"login inline":   {"AUTH LOGIN " + b64(testUser) + "\r\n", `\+ .*`, b64(testPassword) + "\r\n", pop3Welcome},
		"second attempt": {"USER user@example.com\r\n", `\+OK.*`, "PASS x\r\n", `-ERR \[AUTH\].*`, "USER user@example.com\r\n", `\+OK.*`, "PASS pass word\r\n", pop3Welcome},
	}
	for name, dialogue := range dialogues {
		t.Run(name, func(t *testing.T) {
			_, _, c := pop3Rig(t, nil)
			c.talk(dialogue...)
			c.talk("STAT\r\n", `\+OK STAT`)
		})
	}
}

func TestPOP3RefusesAndGoesOn(t *testing.T) {
	t.Parallel()
	dialogues := map[string][]string{
		"wrong password":  {"USER user@example.com\r\n", `\+OK.*`, "PASS wrong\r\n", `-ERR \[AUTH\] .*`},
		"unknown account": {"USER nobody\r\n", `\+OK.*`, "PASS x\r\n", `-ERR \[AUTH\] .*`},
		"empty password":  {"USER nobody\r\n", `\+OK.*`, "PASS\r\n", `-ERR \[AUTH\] .*`},
		"pass alone":      {"PASS x\r\n", `-ERR Send USER first`},
		"pass twice":      {"USER a\r\n", `\+OK.*`, "PASS x\r\n", `-ERR \[AUTH\].*`, "PASS x\r\n", `-ERR Send USER first`},
		"user alone":      {"USER\r\n", "-ERR .*"},
		"cancelled":       {"AUTH PLAIN\r\n", `\+ `, "*\r\n", "-ERR .*cancelled.*"},
		"not base64":      {"AUTH PLAIN !\r\n", "-ERR .*base64.*"},
		"other mechanism": {"AUTH XOAUTH2 x\r\n", "-ERR .*PLAIN or LOGIN"},
		"apop":            {"APOP a c4c9334bac560ecc979e58001b3e22fb\r\n", "-ERR APOP .*"},
		"stat":            {"STAT\r\n", "-ERR Sign in first"},
		"no stls":         {"STLS\r\n", "-ERR .*"},
		"long line":       {"USER " + strings.Repeat("x", 2000) + "\r\n", "-ERR .*too long"},
		"longer line":     {"USER " + strings.Repeat("x", 20000) + "\r\n", "-ERR .*too long"},
		"auth list":       {"AUTH\r\n", `\+OK`, "", "PLAIN", "", "LOGIN", "", `\.`},
	}
	for name, dialogue := range dialogues {
		t.Run(name, func(t *testing.T) {
			_, u, c := pop3Rig(t, nil)
			c.talk(dialogue...)
			c.talk("NOOP\r\n", `\+OK`, "USER user@example.com\r\n", `\+OK.*`, "PASS pass word\r\n", pop3Welcome)
			for _, line := range u.lines() { // the proxy's own words only
				if line != "CAPA" && line != "QUIT" && line != "AUTH XOAUTH2" && line != xoauth2(testToken) {
					t.Errorf("the server heard %q", line)
				}
			}
		})
	}
}

func TestPOP3CapabilitiesAreOursAndTheServers(t *testing.T) {
	r, _, c := pop3Rig(t, func(u *upstream) { u.offer = []string{"EXPIRE NEVER", "RESP-CODES"} })
	r.await(Learnt)
	c.talk("CAPA\r\n", `\+OK.*`)
	c.want("USER", "SASL PLAIN LOGIN", "RESP-CODES", "AUTH-RESP-CODE", "TOP", "UIDL", "EXPIRE NEVER", `\.`)
	c.talk("QUIT\r\n", `\+OK.*`)
	c.ended()
}

func TestPOP3PipelinedCommandsWaitForTheSignIn(t *testing.T) {
	_, u, c := pop3Rig(t, nil)
	c.put("USER user@example.com\r\nPASS wrong\r\nDELE 1\r\nUSER user@example.com\r\nPASS pass word\r\nSTAT\r\nLIST\r\n")
	c.want(`\+OK.*`, `-ERR \[AUTH\].*`, "-ERR .*", `\+OK.*`, pop3Welcome, `\+OK STAT`, `\+OK LIST`)
	for _, line := range u.lines() {
		if strings.Contains(line, "pass") || strings.Contains(line, "DELE") {
			t.Errorf("the server heard %q", line)
		}
	}
}

func TestPOP3SendsTroublemakersAway(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"guessing": strings.Repeat("AUTH PLAIN "+plain64("a", "b")+"\r\n", maxFailures),
		"nonsense": strings.Repeat("XYZZY\r\n", maxErrors),
		"endless":  strings.Repeat("x", 2*maxFlood),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, c := pop3Rig(t, nil)
			go func() { _, _ = c.Write([]byte(text)) }()
			line := c.line()
			for !strings.HasPrefix(line, "-ERR Closing the connection: ") {
				line = c.line()
			}
			c.ended()
		})
	}
}
