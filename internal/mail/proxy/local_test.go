package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/dial"
)

func TestClientsCanUseTLSFromTheFirstByte(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			l := newUpstream(t, protocol, dial.Implicit, nil).listener()
			l.LocalSecurity = dial.Implicit
			newRig(t, newBackend(), l).greeted().talk(signIns[protocol].text, signIns[protocol].ok)
		})
	}
}

// Where STARTTLS is offered nobody signs in without it.
func TestClientsMustUseSTARTTLSWhereItIsOffered(t *testing.T) {
	t.Parallel()
	dialogues := map[Protocol][]string{
		IMAP: {"", `\* OK \[CAPABILITY .* STARTTLS LOGINDISABLED\] .*`, "a LOGIN a b\r\n", `a NO \[PRIVACYREQUIRED\] .*`,
			"a AUTHENTICATE PLAIN AGEAYg==\r\n", `a NO \[PRIVACYREQUIRED\] .*`, "a STARTTLS\r\n", "a OK .*"},
		POP3: {"", `\+OK .*`, "USER a\r\n", "-ERR Use STLS first", "AUTH PLAIN AGEAYg==\r\n", "-ERR Use STLS first", "STLS\r\n", `\+OK .*`},
		SMTP: {"", "220 .*", "EHLO me\r\n", "250-.*", "", "250-PIPELINING", "", "250-SIZE 1000", "", "250 STARTTLS",
			"AUTH PLAIN AGEAYg==\r\n", `538 5\.7\.11 .*`, "STARTTLS now\r\n", "501 .*", "STARTTLS\r\n", "220 .*"},
	}
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			l := newUpstream(t, protocol, dial.Implicit, nil).listener()
			l.LocalSecurity = dial.STARTTLS
			c := newRig(t, newBackend(), l).connect()
			c.talk(dialogues[protocol]...)
			c = newPeer(t, tls.Client(c.Conn, clientTLS()))
			if protocol == SMTP {
				c.talk(signIns[protocol].text, "503 .*", "EHLO me\r\n", "250-.*") // EHLO before TLS is forgotten
				c.want("250-PIPELINING", "250-SIZE 1000", "250 AUTH PLAIN LOGIN")
			}
			c.talk(signIns[protocol].text, signIns[protocol].ok)
		})
	}
}

// Octets behind STARTTLS in the same segment may be somebody else's.
func TestPlaintextBehindSTARTTLSEndsTheSession(t *testing.T) {
	t.Parallel()
	commands := map[Protocol]string{IMAP: "a STARTTLS\r\na NOOP\r\n", POP3: "STLS\r\nNOOP\r\n", SMTP: "STARTTLS\r\nNOOP\r\n"}
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			l := newUpstream(t, protocol, dial.Implicit, nil).listener()
			l.LocalSecurity = dial.STARTTLS
			c := newRig(t, newBackend(), l).connect()
			c.line()
			c.put(commands[protocol])
			if line := c.line(); !matches(`(\* BYE|-ERR|421) .*`, line) {
				t.Errorf("got %q", line)
			}
			c.ended()
		})
	}
}

// A renewed certificate is used without a restart; a broken one is not.
func TestCertificateIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	shown := func(c *certificate) string {
		t.Helper()
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.Subject.CommonName
	}
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.get(nil); err == nil || !strings.Contains(err.Error(), certFile) {
		t.Errorf("without files: %v", err)
	}
	for i, name := range []string{"old", "new"} {
		newPair(name).write(t, certFile, keyFile)
		stamp := time.Now().Add(time.Duration(i) * time.Minute)
		_ = os.Chtimes(certFile, stamp, stamp)
		if got := shown(c); got != name {
			t.Errorf("shows %q, want %q", got, name)
		}
	}
	if err := os.WriteFile(certFile, []byte("half writ"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := shown(c); got != "new" {
		t.Errorf("shows %q after a broken renewal", got)
	}
}

func TestProxyHeaderNamesTheClient(t *testing.T) {
	t.Parallel()
	v2 := "\r\n\r\n\x00\r\nQUIT\n"
	headers := map[string]struct{ header, want string }{
		"v1":         {"PROXY TCP4 192.0.2.1 192.0.2.2 4711 993\r\n", "192.0.2.1:4711"},
		"v1 IPv6":    {"PROXY TCP6 2001:db8::1 2001:db8::2 4711 993\r\n", "[2001:db8::1]:4711"},
		"v1 unknown": {"PROXY UNKNOWN\r\n", "127.0.0.1:"},
		"v2":         {v2 + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x03\xe1", "192.0.2.1:4711"},
		"v2 IPv6": {v2 + "\x21\x21\x00\x27" + "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01" + strings.Repeat("\x00", 16) +
			"\x12\x67\x03\xe1" + "tlv", "[2001:db8::1]:4711"},
		"v2 local": {v2 + "\x20\x00\x00\x00", "127.0.0.1:"},
	}
	for _, security := range []dial.Security{dial.Plain, dial.Implicit} {
		for name, c := range headers {
			t.Run(fmt.Sprintf("%s %q", name, security), func(t *testing.T) {
				t.Parallel()
				l := newUpstream(t, IMAP, dial.Implicit, nil).listener()
				l.ProxyProtocol, l.LocalSecurity = true, security
				r := newRig(t, newBackend(), l)
				conn, err := net.Dial("tcp", r.address())
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.WriteString(conn, c.header)
				if security == dial.Implicit {
					conn = tls.Client(conn, clientTLS())
				}
				p := newPeer(t, conn)
				p.introduce(IMAP)
				p.talk(signIns[IMAP].text, signIns[IMAP].ok)
				if e := r.await(SignedIn); !strings.HasPrefix(e.Client.String(), c.want) {
					t.Errorf("client %s, want %s", e.Client, c.want)
				}
				_ = p.Close()
			})
		}
	}
}

func TestConnectionWithoutProxyHeaderIsClosed(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"a LOGIN user@example.com x\r\n", "PROXY TCP4 192.0.2.1\r\n", "PROXY TCP4 " + strings.Repeat("1", 200),
		"PROXY TCP9 a b c d\r\n", "PROXY TCP4 a b c d\r\n", "\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x00", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			l := newUpstream(t, IMAP, dial.Implicit, nil).listener()
			l.ProxyProtocol = true
			c := newRig(t, newBackend(), l).connect()
			c.put(header)
			if text, _ := io.ReadAll(c.in); len(text) > 0 {
				t.Errorf("heard %q", text)
			}
		})
	}
}

func TestExposedListenersAreRecognised(t *testing.T) {
	t.Parallel()
	for address, exposed := range map[string]bool{
		"127.0.0.1:2993": false, "[::1]:2993": false, "localhost:2993": false, "127.8.9.1:1": false,
		":2993": true, "0.0.0.0:2993": true, "[::]:2993": true, "192.0.2.1:2993": true, "mail.example.com:2993": true, "nonsense": true,
	} {
		if got := (Listener{LocalAddress: address}).Exposed(); got != exposed {
			t.Errorf("%s exposed: %t", address, got)
		}
		if (Listener{LocalAddress: address, LocalSecurity: dial.STARTTLS}).Exposed() {
			t.Errorf("%s is exposed in spite of TLS", address)
		}
	}
}
