package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
)

// provider is a real Dovecot and a real Postfix that accept only tokens, and who says which are good.
type provider struct {
	dovecot *mailtest.DovecotServer
	postfix *mailtest.PostfixServer
}

// newProvider starts the servers; the introspection endpoint accepts testToken as testUser's.
func newProvider(t *testing.T) provider {
	t.Helper()
	introspection := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"active": r.FormValue("token") == testToken, "username": testUser})
	}))
	t.Cleanup(introspection.Close)
	var p provider
	p.dovecot = mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: introspection.URL, Users: map[string]string{testUser: "of no use here"}})
	p.postfix = mailtest.Postfix(t, mailtest.PostfixOptions{SASL: p.dovecot})
	return p
}

func (p provider) listener(protocol Protocol, security, local dial.Security) Listener {
	ports := map[Protocol]map[dial.Security]int{
		IMAP: {dial.Implicit: p.dovecot.IMAPS, dial.STARTTLS: p.dovecot.IMAP},
		POP3: {dial.Implicit: p.dovecot.POP3S, dial.STARTTLS: p.dovecot.POP3},
		SMTP: {dial.Implicit: p.postfix.Submissions, dial.STARTTLS: p.postfix.Submission},
	}
	ca := p.dovecot.Cert.CA
	if protocol == SMTP {
		ca = p.postfix.Cert.CA
	}
	return Listener{Protocol: protocol, LocalSecurity: local, Upstream: dial.Target{
		Host: "localhost", Port: ports[protocol][security], Security: security, Trust: dial.Trust{Rule: dial.CustomCA, CA: ca}}}
}

// run starts a mail program of others and returns what it prints.
func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed; install it with: apt-get install %s", name, name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%s %q: %w\n%s\n%s", name, args, err, log.String(), out.String())
	}
	return out.String(), err
}

const testMail = "From: a@example.com\r\nTo: user@example.com\r\nSubject: Hello\r\n\r\nA mail with a line\r\n.of one dot\r\n"

// Real programs reach real servers through every combination of protection and sign-in.
func TestRealProgramsReachRealServers(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.dovecot.Deliver(t, testUser, []byte(testMail))
	for _, local := range []dial.Security{dial.Plain, dial.STARTTLS, dial.Implicit} {
		for _, upstream := range []dial.Security{dial.Implicit, dial.STARTTLS} {
			for _, options := range []string{"AUTH=PLAIN", "AUTH=LOGIN"} {
				t.Run(fmt.Sprintf("local %q upstream %q %s", local, upstream, options), func(t *testing.T) {
					t.Parallel()
					p.readByIMAP(t, local, upstream, options)
					p.readByPOP3(t, local, upstream, options)
					p.sendBySMTP(t, local, upstream, options)
				})
			}
		}
	}
}

// curl runs curl against a rig.
func curl(t *testing.T, r *rig, path, options string, args ...string) (string, error) {
	t.Helper()
	scheme := string(r.listener.Protocol)
	_, port, _ := net.SplitHostPort(r.address())
	args = append(args, "--silent", "--show-error", "--max-time", "60", "--user", testUser+":"+testPassword)
	switch r.listener.LocalSecurity {
	case dial.Implicit:
		scheme += "s"
		args = append(args, "--cacert", r.listener.CertFile)
	case dial.STARTTLS:
		args = append(args, "--ssl-reqd", "--cacert", r.listener.CertFile)
	case dial.Plain:
	}
	args = append(args, "--login-options", options)
	return run(t, "curl", append(args, fmt.Sprintf("%s://localhost:%s%s", scheme, port, path))...)
}

func (p provider) readByIMAP(t *testing.T, local, upstream dial.Security, options string) {
	t.Helper()
	r := newRig(t, newBackend(), p.listener(IMAP, upstream, local))
	if out, err := curl(t, r, "/INBOX;UID=1", options); err != nil || !strings.Contains(out, ".of one dot") {
		t.Errorf("imap: %q, %v", out, err)
	}
	r.await(SignedIn)
}

func (p provider) readByPOP3(t *testing.T, local, upstream dial.Security, options string) {
	t.Helper()
	r := newRig(t, newBackend(), p.listener(POP3, upstream, local))
	if out, err := curl(t, r, "/1", options); err != nil || !strings.Contains(out, ".of one dot") {
		t.Errorf("pop3: %q, %v", out, err)
	}
	r.await(SignedIn)
}

func (p provider) sendBySMTP(t *testing.T, local, upstream dial.Security, options string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(file, []byte(testMail), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, newBackend(), p.listener(SMTP, upstream, local))
	if _, err := curl(t, r, "", options, "--mail-from", testUser, "--mail-rcpt", "b@example.com", "--upload-file", file); err != nil {
		t.Errorf("smtp: %v", err)
		return
	}
	if m := p.postfix.Sink.Next(t); m.From != testUser || !bytes.Contains(m.Data, []byte("\r\n.of one dot")) {
		t.Errorf("arrived: %q from %s", m.Data, m.From)
	}
	if e := r.await(SignedIn); e.Account.Name != testUser {
		t.Errorf("%+v", e.Account)
	}
}

// swaks shows the whole conversation: the proxy's greeting, the server's extensions without its mechanisms.
func TestSwaksSendsThroughTheProxy(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		for _, local := range []dial.Security{dial.Plain, dial.STARTTLS, dial.Implicit} {
			t.Run(fmt.Sprintf("%s %q", mechanism, local), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, newBackend(), p.listener(SMTP, dial.STARTTLS, local))
				args := []string{"--server", r.address(), "--from", testUser, "--to", "b@example.com", "--auth", mechanism,
					"--auth-user", testUser, "--auth-password", testPassword, "--helo", "me.test"}
				switch local {
				case dial.STARTTLS:
					args = append(args, "--tls")
				case dial.Implicit:
					args = append(args, "--tls-on-connect")
				case dial.Plain:
				}
				out, err := run(t, "swaks", args...)
				if err != nil && strings.Contains(err.Error(), "Net::SSLeay") {
					t.Skip("swaks has no TLS; install it with: apt-get install libnet-ssleay-perl")
				}
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(out, "PIPELINING") || !strings.Contains(out, "AUTH PLAIN LOGIN") || strings.Contains(out, "XOAUTH2") {
					t.Error(out)
				}
				p.postfix.Sink.Next(t)
			})
		}
	}
}

// A refused token gets the client's own error code, from real servers too.
func TestRealServersRefuseTokens(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for _, protocol := range protocols {
		for _, security := range []dial.Security{dial.Implicit, dial.STARTTLS} {
			t.Run(fmt.Sprintf("%s %s", protocol, security), func(t *testing.T) {
				t.Parallel()
				b := newBackend()
				b.tokens = []string{"expired", "expired as well"}
				r := newRig(t, b, p.listener(protocol, security, dial.Plain))
				c := r.greeted()
				c.talk(signIns[protocol].text, signIns[protocol].noAuth)
				if e := r.await(Refused); e.Reason() != TokenRefused || b.refreshed() != 1 {
					t.Errorf("%v, %d refreshes", e.Err, b.refreshed())
				}
				b.mu.Lock()
				b.tokens = []string{"expired", testToken}
				b.mu.Unlock()
				c.talk(signIns[protocol].text, signIns[protocol].ok)
			})
		}
	}
}

// IDLE tells a client that waits about new mail: nothing stands between it and the server.
func TestIdleHearsOfNewMail(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	r := newRig(t, newBackend(), p.listener(IMAP, dial.Implicit, dial.Plain))
	var waiting sync.WaitGroup
	for range 5 {
		c := r.greeted()
		c.talk(signIns[IMAP].text, signIns[IMAP].ok)
		c.put("b SELECT INBOX\r\n")
		for !strings.HasPrefix(c.line(), "b OK") {
		}
		c.talk("c IDLE\r\n", `\+ .*`)
		waiting.Go(func() {
			for !strings.HasSuffix(c.line(), "EXISTS") {
			}
			c.put("DONE\r\n")
		})
	}
	p.dovecot.Deliver(t, testUser, []byte(testMail))
	waiting.Wait()
}
