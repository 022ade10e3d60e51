package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"orbit/internal/mail/dial"
)

// These tests, with those that docs/known-proxy.md names, hold what the proxy that administrators know does wrong.

func TestUserNameWithASpaceIsOneName(t *testing.T) {
	t.Parallel()
	const name = "shared mailbox@example.com"
	forms := map[string]struct {
		protocol Protocol
		dialogue []string
	}{
		"IMAP quoted":       {IMAP, []string{"a LOGIN \"" + name + "\" x\r\n", "a NO .*"}},
		"IMAP literal":      {IMAP, []string{fmt.Sprintf("a LOGIN {%d+}\r\n%s x\r\n", len(name), name), "a NO .*"}},
		"IMAP AUTHENTICATE": {IMAP, []string{"a AUTHENTICATE PLAIN " + plain64(name, "x") + "\r\n", "a NO .*"}},
		"POP3 USER":         {POP3, []string{"USER " + name + "\r\n", `\+OK.*`, "PASS x\r\n", "-ERR .*"}},
		"SMTP AUTH LOGIN":   {SMTP, []string{"AUTH LOGIN " + b64(name) + "\r\n", "334 .*", b64("x") + "\r\n", "535 .*"}},
	}
	for title, form := range forms {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			b := newBackend()
			heard := make(chan string, 1)
			b.login = func(_ context.Context, username string) error {
				heard <- username
				return nil
			}
			newRig(t, b, newUpstream(t, form.protocol, dial.Implicit, nil).listener()).greeted().talk(form.dialogue...)
			if got := <-heard; got != name {
				t.Errorf("the user name is %q", got)
			}
		})
	}
}

// The known proxy asks the server first and looks at the password then.
func TestServerIsNotBotheredWithAWrongPassword(t *testing.T) {
	t.Parallel()
	wrong := map[Protocol]string{
		IMAP: "a LOGIN user@example.com wrong\r\n", POP3: "AUTH PLAIN " + plain64(testUser, "wrong") + "\r\n",
		SMTP: "AUTH PLAIN " + plain64(testUser, "wrong") + "\r\n",
	}
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, newBackend(), newUpstream(t, protocol, dial.Implicit, nil).listener())
			if protocol != IMAP {
				r.await(Learnt)
			}
			c := r.greeted()
			before := r.backend.dialled()
			c.talk(wrong[protocol], signIns[protocol].noAuth)
			if n := r.backend.dialled() - before; n != 0 {
				t.Errorf("%d connections to the server", n)
			}
		})
	}
}

// Old programs look for "AUTH=" in EHLO; the server's own must not pass there either.
func TestSMTPServersOldFormOfAuthIsNotPassedOn(t *testing.T) {
	_, _, c := smtpRig(t, func(u *upstream) { u.offer = []string{"AUTH=LOGIN XOAUTH2", "AUTH XOAUTH2"} })
	hello(c)
}

func TestIMAPServersWaysToSignInAreNotPassedOn(t *testing.T) {
	r, u, c := imapRig(t, func(u *upstream) { u.mech = "PLAIN XOAUTH2 OAUTHBEARER" })
	c.talk("a LOGIN \"user@example.com\" \"pass word\"\r\n", imapWelcome, "b LOGOUT\r\n", `\* BYE.*`)
	if len(u.lines()) == 0 {
		t.Error("the server heard nothing")
	}
	c = r.connect() // now that they could have been learnt
	c.talk("", `\* OK \[CAPABILITY [^\]]* AUTH=PLAIN AUTH=LOGIN\] .*`)
	c.talk("c CAPABILITY\r\n", `\* CAPABILITY IMAP4rev1 SASL-IR LITERAL- ID AUTH=PLAIN AUTH=LOGIN`)
}

// A server that does not answer keeps its own client waiting, and nobody else.
func TestASlowServerDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, protocol, dial.Implicit, nil)
			b := newBackend()
			r := newRig(t, b, u.listener())
			if protocol != IMAP {
				r.await(Learnt)
			}
			var dials atomic.Int32
			waiting := make(chan struct{})
			b.mu.Lock()
			b.dial = func(ctx context.Context) (net.Conn, error) {
				if dials.Add(1) == 1 {
					close(waiting)
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return new(net.Dialer).DialContext(ctx, "tcp", hostPort(u.target()))
			}
			b.mu.Unlock()
			stuck := r.greeted()
			stuck.put(signIns[protocol].text)
			<-waiting
			r.greeted().talk(signIns[protocol].text, signIns[protocol].ok)
			_ = stuck.Close()
			for {
				if e := r.await(Ended); errors.Is(e.Err, errGone) {
					return
				}
			}
		})
	}
}

// What was refused upstream stays one line of the client's protocol, whatever the server put into it.
func TestChallengeOfARefusedTokenStaysHere(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, protocol, dial.Implicit, func(u *upstream) { u.accepts = nil })
			c := newRig(t, newBackend(), u.listener()).greeted()
			c.put(signIns[protocol].text)
			line := c.line() // the first thing that the client hears is final
			if !matches(signIns[protocol].noAuth, line) || strings.Contains(line, b64(testBlob)) {
				t.Errorf("got %q", line)
			}
		})
	}
}
