package mailtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The mailbox that servers have when a test names no users.
const (
	User     = "info@example.com"
	Password = "correct horse battery"
)

// nobody owns the mail; Dovecot refuses to serve it as root.
const nobody = 65534

// DovecotOptions describe a Dovecot; the zero value serves the mailbox of User.
type DovecotOptions struct {
	Users         map[string]string // address -> password
	Mechanisms    []string          // for passwords; default PLAIN, LOGIN, SCRAM-SHA-256, CRAM-MD5
	Introspection string            // URL: XOAUTH2 and OAUTHBEARER, with tokens that this endpoint calls active (RFC 7662)
	Cert          *Cert             // default: good for localhost
	Busy          bool              // processes serve many sign-ins, and thousands of sessions fit; else one process for each
}

// DovecotServer is a running Dovecot. All ports are on 127.0.0.1.
type DovecotServer struct {
	IMAP, IMAPS int // IMAP offers STARTTLS and, on loopback, plain sign-in
	POP3, POP3S int
	Auth        int // Dovecot's authentication protocol, for Postfix
	Cert        Cert
	dir         string
}

// Dovecot starts one; it ends with the test.
func Dovecot(t testing.TB, o DovecotOptions) *DovecotServer {
	t.Helper()
	path := program(t, "dovecot", "dovecot-imapd dovecot-pop3d")
	needRoot(t, "Dovecot")
	s := &DovecotServer{dir: openDir(t)}
	s.Cert = certOr(t, o.Cert)
	if o.Users == nil {
		o.Users = map[string]string{User: Password}
	}
	if o.Mechanisms == nil {
		o.Mechanisms = []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"}
	}
	s.writeUsers(t, o.Users)
	s.writeOAuth(t, o.Introspection)
	ports := start(t, 5, func(ports []int) *exec.Cmd {
		config := filepath.Join(s.dir, "dovecot.conf")
		writeFile(t, config, s.config(o, ports), 0o644)
		return exec.Command(path, "-F", "-c", config)
	})
	s.IMAP, s.IMAPS, s.POP3, s.POP3S, s.Auth = ports[0], ports[1], ports[2], ports[3], ports[4]
	return s
}

// Deliver puts a message into a user's inbox, as a mail server would.
func (s *DovecotServer) Deliver(t testing.TB, user string, message []byte) {
	t.Helper()
	path := "/usr/lib/dovecot/deliver"
	cmd := exec.Command(path, "-c", filepath.Join(s.dir, "dovecot.conf"), "-d", user)
	cmd.Stdin = strings.NewReader(string(message))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("deliver to %s: %v\n%s", user, err, out)
	}
}

// Drop puts many messages into a user's inbox at once, by the hundred faster than Deliver, under names like those
// that Dovecot gives. Nobody may be looking.
func (s *DovecotServer) Drop(t testing.TB, user string, n int, message func(i int) []byte) {
	t.Helper()
	s.Deliver(t, user, message(0)) // makes the folders
	dir := filepath.Join(s.dir, "mail", user, "Maildir", "new")
	for i := 1; i < n; i++ {
		text := string(message(i))
		sent := len(text) + strings.Count(text, "\n") - strings.Count(text, "\r\n") // with CRLF
		path := filepath.Join(dir, fmt.Sprintf("%d.drop.localhost,S=%d,W=%d", 1_000_000_000+i, len(text), sent))
		writeFile(t, path, text, 0o600)
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *DovecotServer) writeUsers(t testing.TB, users map[string]string) {
	t.Helper()
	var lines strings.Builder
	for user, password := range users {
		fmt.Fprintf(&lines, "%s:{PLAIN}%s\n", user, password)
	}
	writeFile(t, filepath.Join(s.dir, "users"), lines.String(), 0o644)
	mail := filepath.Join(s.dir, "mail")
	if err := os.Mkdir(mail, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(mail, nobody, nobody); err != nil {
		t.Fatal(err)
	}
}

func (s *DovecotServer) writeOAuth(t testing.TB, introspection string) {
	t.Helper()
	if introspection == "" {
		return
	}
	writeFile(t, filepath.Join(s.dir, "oauth2.conf"), strings.Join([]string{
		"introspection_mode = post",
		"introspection_url = " + introspection,
		"force_introspection = yes",
		"username_attribute = username",
		"active_attribute = active",
		"active_value = true",
	}, "\n")+"\n", 0o644)
}

func (s *DovecotServer) config(o DovecotOptions, ports []int) string {
	mechanisms := strings.ToLower(strings.Join(o.Mechanisms, " "))
	oauth := ""
	if o.Introspection != "" {
		mechanisms += " xoauth2 oauthbearer"
		oauth = "passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = " + filepath.Join(s.dir, "oauth2.conf") + "\n}\n"
	}
	names := map[string]string{
		"DIR": s.dir, "CERT": s.Cert.CertFile, "KEY": s.Cert.KeyFile, "NOBODY": strconv.Itoa(nobody),
		"MECHANISMS": strings.TrimSpace(mechanisms), "OAUTH": oauth, "BUSY": "",
	}
	if o.Busy {
		names["BUSY"] = busyConfig
	}
	for i, name := range []string{"IMAP", "IMAPS", "POP3", "POP3S", "AUTH"} {
		names["PORT_"+name] = strconv.Itoa(ports[i])
	}
	return os.Expand(dovecotConfig, func(name string) string {
		if value, ok := names[name]; ok {
			return value
		}
		return "$" + name
	})
}

// dovecotConfig is the whole configuration. Sign-in failures are answered at once, and never slower after many.
const dovecotConfig = `
base_dir = ${DIR}/run
state_dir = ${DIR}/state
instance_name = orbit-test
protocols = imap pop3
listen = 127.0.0.1
log_path = /dev/stderr
auth_verbose = yes
ssl = yes
ssl_cert = <${CERT}
ssl_key = <${KEY}
disable_plaintext_auth = no
auth_mechanisms = ${MECHANISMS}
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_max_userip_connections = 0
protocol pop3 {
  pop3_uidl_format = %g
}
namespace inbox {
  inbox = yes
}
${OAUTH}
passdb {
  driver = passwd-file
  mechanisms = plain login scram-sha-256 scram-sha-1 cram-md5 digest-md5 apop none
  args = username_format=%u ${DIR}/users
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${DIR}/mail/%u
}
service imap-login {
  inet_listener imap {
    port = ${PORT_IMAP}
  }
  inet_listener imaps {
    port = ${PORT_IMAPS}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${PORT_POP3}
  }
  inet_listener pop3s {
    port = ${PORT_POP3S}
    ssl = yes
  }
}
service auth {
  inet_listener {
    port = ${PORT_AUTH}
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
${BUSY}
`

// busyConfig is what Dovecot's manual calls its high-performance mode, with limits that go with it. Nothing waits
// for the disk, and only what goes wrong is logged.
const busyConfig = `
mail_fsync = never
info_log_path = /dev/null
default_client_limit = 4000
default_process_limit = 1000
service imap-login {
  service_count = 0
  client_limit = 2000
  process_min_avail = 2
  process_limit = 2
}
service pop3-login {
  service_count = 0
}
service imap {
  service_count = 0
  process_min_avail = 4
  process_limit = 1000
}
`
