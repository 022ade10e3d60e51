package proxy

import (
	"fmt"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
)

func imapRig(t *testing.T, change func(*upstream)) (*rig, *upstream, *peer) {
	t.Helper()
	t.Parallel()
	return imapRigFor(t, testPassword, change)
}

func imapRigFor(t *testing.T, password string, change func(*upstream)) (*rig, *upstream, *peer) {
	t.Helper()
	u := newUpstream(t, IMAP, dial.Implicit, change)
	b := newBackend()
	b.password = password
	r := newRig(t, b, u.listener())
	c := r.connect()
	c.want(`\* OK \[CAPABILITY IMAP4rev1 SASL-IR LITERAL- ID AUTH=PLAIN AUTH=LOGIN\] Orbit .*`)
	return r, u, c
}

const imapWelcome = `a OK \[CAPABILITY IMAP4rev1 IDLE COMPRESS=DEFLATE\] Logged in`

// Every way to give a user name and a password, each in one write and then octet by octet.
func TestIMAPSignsInByEveryForm(t *testing.T) {
	t.Parallel()
	literal := func(s string) string { return fmt.Sprintf("{%d+}\r\n%s", len(s), s) }
	forms := map[string]struct{ text, password string }{
		"quoted":            {`a LOGIN "user@example.com" "pass word"` + "\r\n", testPassword},
		"atoms":             {"a login user@example.com secret\r\n", "secret"},
		"escaped":           {`a LOGIN "user@example.com" "a\"b\\c"` + "\r\n", `a"b\c`},
		"non-UTF-8":         {"a LOGIN user@example.com \"\xff\xfe\"\r\n", "\xff\xfe"},
		"literals":          {"a LOGIN " + literal(testUser) + " " + literal(testPassword) + "\r\n", testPassword},
		"literal with CRLF": {"a LOGIN user@example.com " + literal("a\r\nb LOGOUT\r\n") + "\r\n", "a\r\nb LOGOUT\r\n"},
		"mixed":             {"a LOGIN " + literal(testUser) + " \"pass word\"\r\n", testPassword},
		"brace atom":        {"a LOGIN user@example.com p{a}\r\n", "p{a}"},
		"bare LF":           {"a LOGIN user@example.com secret\n", "secret"},
		"plain":             {"a AUTHENTICATE PLAIN " + plain64(testUser, testPassword) + "\r\n", testPassword},
		"plain lower case":  {"a authenticate plain " + plain64(testUser, testPassword) + "\r\n", testPassword},
		"plain non-UTF-8":   {"a AUTHENTICATE PLAIN " + plain64(testUser, "\xff\x01") + "\r\n", "\xff\x01"},
		"plain authzid":     {"a AUTHENTICATE PLAIN " + b64("other\x00"+testUser+"\x00"+testPassword) + "\r\n", testPassword},
	}
	for name, form := range forms {
		for _, step := range []int{len(form.text), 1} {
			t.Run(fmt.Sprintf("%s by %d", name, step), func(t *testing.T) {
				t.Parallel()
				_, _, c := imapRigFor(t, form.password, nil)
				for i := 0; i < len(form.text); i += step {
					c.put(form.text[i:min(i+step, len(form.text))])
				}
				c.want(imapWelcome)
				c.talk("b NOOP\r\n", "b OK NOOP done")
			})
		}
	}
}

func TestIMAPAsksForWhatIsNotSentAtOnce(t *testing.T) {
	t.Parallel()
	dialogues := map[string][]string{
		"synchronising literals": {"a LOGIN {16}\r\n", `\+ OK`, testUser + " {9}\r\n", `\+ OK`, testPassword + "\r\n", imapWelcome},
		"last literal only":      {"a LOGIN user@example.com {9}\r\n", `\+ OK`, testPassword + "\r\n", imapWelcome},
		"plain":                  {"a AUTHENTICATE PLAIN\r\n", `\+ `, plain64(testUser, testPassword) + "\r\n", imapWelcome},
		"login": {"a AUTHENTICATE LOGIN\r\n", `\+ VXNlcm5hbWU6`, b64(testUser) + "\r\n", `\+ UGFzc3dvcmQ6`,
			b64(testPassword) + "\r\n", imapWelcome},
		"login with initial response": {"a AUTHENTICATE LOGIN " + b64(testUser) + "\r\n", `\+ UGFzc3dvcmQ6`,
			b64(testPassword) + "\r\n", imapWelcome},
	}
	for name, dialogue := range dialogues {
		t.Run(name, func(t *testing.T) {
			_, _, c := imapRig(t, nil)
			c.talk(dialogue...)
		})
	}
}

// What goes wrong has the code that programs understand, and the session stays usable.
func TestIMAPRefusesAndGoesOn(t *testing.T) {
	t.Parallel()
	dialogues := map[string][]string{
		"wrong password":      {"a LOGIN user@example.com wrong\r\n", `a NO \[AUTHENTICATIONFAILED\] .*`},
		"unknown account":     {"a LOGIN nobody@example.com x\r\n", `a NO \[AUTHENTICATIONFAILED\] .*`},
		"empty password":      {"a LOGIN user@example.com \"\"\r\n", `a NO \[AUTHENTICATIONFAILED\] .*`},
		"empty plain":         {"a AUTHENTICATE PLAIN =\r\n", `a NO \[AUTHENTICATIONFAILED\] .*`},
		"malformed plain":     {"a AUTHENTICATE PLAIN " + b64("nonsense") + "\r\n", `a NO \[AUTHENTICATIONFAILED\] .*`},
		"cancelled":           {"a AUTHENTICATE PLAIN\r\n", `\+ `, "*\r\n", "a BAD .*cancelled"},
		"cancelled login":     {"a AUTHENTICATE LOGIN " + b64(testUser) + "\r\n", `\+ .*`, "*\r\n", "a BAD .*cancelled"},
		"not base64":          {"a AUTHENTICATE PLAIN !!!\r\n", "a BAD .*base64"},
		"other mechanism":     {"a AUTHENTICATE XOAUTH2 " + xoauth2("x") + "\r\n", "a NO .*PLAIN or LOGIN"},
		"one argument":        {"a LOGIN user@example.com\r\n", "a BAD .*"},
		"three arguments":     {"a LOGIN a b c\r\n", "a BAD .*"},
		"open quote":          {"a LOGIN \"a b\r\n", "a BAD .*"},
		"bad escape":          {`a LOGIN "a\b" c` + "\r\n", "a BAD .*"},
		"big literal":         {"a LOGIN user@example.com {5000}\r\n", `a BAD \[TOOBIG\] .*`},
		"big literal plus":    {"a LOGIN a {5000+}\r\n" + strings.Repeat("x", 5000) + "\r\n", `a BAD \[TOOBIG\] .*`},
		"misplaced literal":   {"a LOGIN a b{3+}\r\nx b LOGOUT\r\n", "a BAD .*"},
		"command of later":    {"a SELECT INBOX\r\n", "a BAD Sign in first"},
		"literal of later":    {"a APPEND INBOX {12+}\r\nx LOGOUT\r\ny \r\n", "a BAD Sign in first"},
		"sync literal later":  {"a APPEND INBOX {12}\r\n", "a BAD Sign in first"},
		"no STARTTLS":         {"a STARTTLS\r\n", "a BAD .*"},
		"long line":           {"a LOGIN " + strings.Repeat("x", 20_000) + "\r\n", `\* BAD .*too long`},
		"bad tag":             {"+ NOOP\r\n", `\* BAD .*`},
		"empty line":          {"\r\n", `\* BAD .*`},
		"noop":                {"a NOOP\r\n", "a OK .*"},
		"id":                  {"a ID NIL\r\n", `\* ID .*`},
		"capability":          {"a CAPABILITY\r\n", `\* CAPABILITY IMAP4rev1 SASL-IR LITERAL- ID AUTH=PLAIN AUTH=LOGIN`},
		"cancelled with long": {"a AUTHENTICATE PLAIN\r\n", `\+ `, strings.Repeat("A", 20_000) + "\r\n", "a BAD .*too long"},
	}
	for name, dialogue := range dialogues {
		t.Run(name, func(t *testing.T) {
			r, u, c := imapRig(t, nil)
			c.talk(dialogue...)
			if name == "id" || name == "capability" {
				c.want("a OK .*")
			}
			c.talk("z NOOP\r\n", "z OK .*")
			if r.backend.dialled() != 0 || len(u.lines()) != 0 {
				t.Errorf("the server heard %q", u.lines())
			}
			c.talk("a LOGIN \"user@example.com\" \"pass word\"\r\n", imapWelcome)
		})
	}
}

func TestIMAPTakesItsLeave(t *testing.T) {
	r, _, c := imapRig(t, nil)
	c.talk("a LOGOUT\r\n", `\* BYE .*`, "", "a OK .*")
	c.ended()
	if e := r.await(Ended); e.Err != nil || e.Signed {
		t.Errorf("%+v", e)
	}
}

// A8.12: what follows a sign-in in the same write reaches the server after it, and never without it.
func TestIMAPPipelinedCommandsWaitForTheSignIn(t *testing.T) {
	_, u, c := imapRig(t, nil)
	c.put("a LOGIN user@example.com wrong\r\nb SELECT INBOX\r\nc LOGIN user@example.com \"pass word\"\r\nd SELECT INBOX\r\ne NOOP\r\n")
	c.want(`a NO \[AUTHENTICATIONFAILED\] .*`, "b BAD Sign in first", strings.Replace(imapWelcome, "a", "c", 1), "d OK SELECT done", "e OK NOOP done")
	for _, line := range u.lines() {
		if strings.Contains(line, "pass word") || strings.Contains(line, "wrong") || strings.HasPrefix(line, "b ") {
			t.Errorf("the server heard %q", line)
		}
	}
}

// A8.13 and 5: too much of anything ends the session with a word.
func TestIMAPSendsTroublemakersAway(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, last string }{
		"guessing":       {strings.Repeat("a LOGIN user@example.com wrong\r\n", maxFailures), `\* BYE .*too many failed sign-ins`},
		"nonsense":       {strings.Repeat("a XYZZY\r\n", maxErrors), `\* BYE .*too many wrong commands`},
		"endless line":   {strings.Repeat("x", 2*maxFlood), `\* BYE .*without end`},
		"giant literals": {"a APPEND x {9999999+}\r\n", `\* BYE .*`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, u, p := imapRig(t, nil)
			go func() { _, _ = p.Write([]byte(c.text)) }() // the end may come before all is written
			line := p.line()
			for !strings.HasPrefix(line, "* BYE") {
				line = p.line()
			}
			if !matches(c.last, line) {
				t.Errorf("got %q, want %q", line, c.last)
			}
			p.ended()
			if len(u.lines()) > 0 {
				t.Errorf("the server heard %q", u.lines())
			}
		})
	}
}

func TestIMAPCarriesAlertsAndAsksForCapabilities(t *testing.T) {
	_, u, c := imapRig(t, func(u *upstream) {
		u.answer = "* OK [ALERT] Quota is low\r\nTAG OK welcome"
		u.offer = []string{"IDLE"}
	})
	c.put("a LOGIN \"user@example.com\" \"pass word\"\r\n")
	c.want(`\* OK \[ALERT\] Quota is low`, `a OK \[CAPABILITY IMAP4rev1 IDLE SASL-IR\] welcome`)
	if lines := u.lines(); lines[len(lines)-1] != "o CAPABILITY" {
		t.Errorf("the server heard %q", lines)
	}
}
