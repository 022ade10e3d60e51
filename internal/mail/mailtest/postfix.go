package mailtest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const daemons = "/usr/lib/postfix/sbin"

// PostfixOptions describe a Postfix.
type PostfixOptions struct {
	SASL *DovecotServer    // checks passwords and tokens; default: a Dovecot of its own
	Cert *Cert             // default: good for localhost
	Main map[string]string // more settings for main.cf

	Unknown []string // addresses that it takes mail for and then finds not to be there, so that the mail comes back
}

// PostfixServer is a running Postfix that passes everything on to Sink. All ports are on 127.0.0.1.
type PostfixServer struct {
	Submission  int // STARTTLS and sign-in demanded (587)
	Submissions int // TLS from the start and sign-in demanded (465)
	Relay       int // neither TLS nor sign-in (25)
	Clear       int // sign-in without TLS
	Cert        Cert
	Dovecot     *DovecotServer
	Sink        *SinkServer
	dir         string
}

// Postfix starts one; it ends with the test.
func Postfix(t testing.TB, o PostfixOptions) *PostfixServer {
	t.Helper()
	program(t, "postfix", "postfix")
	needRoot(t, "Postfix")
	if o.SASL == nil {
		o.SASL = Dovecot(t, DovecotOptions{})
	}
	s := &PostfixServer{Cert: certOr(t, o.Cert), Dovecot: o.SASL, Sink: Sink(t), dir: openDir(t)}
	s.makeDirs(t)
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(s.dir, "log")); err == nil && t.Failed() {
			t.Logf("log of Postfix:\n%s", log)
		}
	})
	ports := start(t, 4, func(ports []int) *exec.Cmd {
		s.writeConfig(t, "main.cf", s.mainCf(o))
		s.writeConfig(t, "master.cf", s.masterCf(ports))
		// The master itself: "postfix start-fg" checks the whole installation first and does not end on a signal.
		return exec.Command(daemons+"/master", "-s", "-c", filepath.Join(s.dir, "etc"))
	})
	s.Submission, s.Submissions, s.Relay, s.Clear = ports[0], ports[1], ports[2], ports[3]
	return s
}

// makeDirs makes what "postfix check" would make.
func (s *PostfixServer) makeDirs(t testing.TB) {
	t.Helper()
	makeDir := func(mode os.FileMode, owner, group int, path ...string) {
		t.Helper()
		dir := filepath.Join(append([]string{s.dir}, path...)...)
		if err := errors.Join(os.Mkdir(dir, mode), os.Chmod(dir, mode), os.Chown(dir, owner, group)); err != nil {
			t.Fatal(err)
		}
	}
	owner, drop := userID(t, "postfix"), groupID(t, "postdrop")
	makeDir(0o755, 0, 0, "etc")
	makeDir(0o755, owner, 0, "data")
	makeDir(0o755, 0, 0, "queue")
	makeDir(0o755, 0, 0, "queue", "pid")
	makeDir(0o710, owner, drop, "queue", "public")
	makeDir(0o730, owner, drop, "queue", "maildrop")
	for _, name := range []string{
		"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace",
	} {
		makeDir(0o700, owner, 0, "queue", name)
	}
}

func userID(t testing.TB, name string) int {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return number(t, u.Uid)
}

func groupID(t testing.TB, name string) int {
	t.Helper()
	g, err := user.LookupGroup(name)
	if err != nil {
		t.Fatal(err)
	}
	return number(t, g.Gid)
}

func number(t testing.TB, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func certOr(t testing.TB, c *Cert) Cert {
	t.Helper()
	if c != nil {
		return *c
	}
	return Certificate(t, CertificateOptions{})
}

// writeConfig writes a file that looks old: Postfix waits seconds for a file that may still be being written.
func (s *PostfixServer) writeConfig(t testing.TB, name, content string) {
	t.Helper()
	path := filepath.Join(s.dir, "etc", name)
	writeFile(t, path, content, 0o644)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

// mainCf takes nothing from the machine's own Postfix, and asks no name server.
func (s *PostfixServer) mainCf(o PostfixOptions) string {
	settings := map[string]string{
		"compatibility_level":                 "3.6",
		"queue_directory":                     filepath.Join(s.dir, "queue"),
		"data_directory":                      filepath.Join(s.dir, "data"),
		"command_directory":                   "/usr/sbin",
		"daemon_directory":                    daemons,
		"mail_owner":                          "postfix",
		"setgid_group":                        "postdrop",
		"maillog_file":                        filepath.Join(s.dir, "log"),
		"maillog_file_prefixes":               s.dir,
		"multi_instance_enable":               "no",
		"multi_instance_name":                 "",
		"inet_interfaces":                     "127.0.0.1",
		"inet_protocols":                      "ipv4",
		"myhostname":                          "mail.example.test",
		"mydestination":                       "",
		"local_recipient_maps":                "",
		"alias_maps":                          "",
		"alias_database":                      "",
		"mynetworks":                          "127.0.0.0/8",
		"transport_maps":                      s.transports(o.Unknown),
		"smtpd_peername_lookup":               "no",
		"smtp_host_lookup":                    "native",
		"smtputf8_enable":                     "yes",
		"smtpd_tls_cert_file":                 s.Cert.CertFile,
		"smtpd_tls_key_file":                  s.Cert.KeyFile,
		"smtpd_sasl_type":                     "dovecot",
		"smtpd_sasl_path":                     fmt.Sprintf("inet:127.0.0.1:%d", s.Dovecot.Auth),
		"smtpd_relay_restrictions":            "permit_sasl_authenticated,reject_unauth_destination",
		"smtpd_reject_unlisted_recipient":     "no", // what Unknown lists comes back later
		"smtpd_error_sleep_time":              "0",
		"smtpd_client_connection_count_limit": "0",
		"message_size_limit":                  "20000000",
	}
	maps.Copy(settings, o.Main)
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&lines, "%s = %s\n", name, settings[name])
	}
	return lines.String()
}

// transports passes everything on to Sink, but for unknown addresses.
func (s *PostfixServer) transports(unknown []string) string {
	entries := fmt.Sprintf("*=smtp:[127.0.0.1]:%d", s.Sink.Port)
	for _, address := range unknown {
		entries += fmt.Sprintf(", { %s = error:5.1.1 The address is not known here }", address)
	}
	return "inline:{" + entries + "}"
}

// masterCf has the services that a relay needs, none of them in a chroot.
func (s *PostfixServer) masterCf(ports []int) string {
	var lines strings.Builder
	for i, options := range []string{
		"-o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes",
		"-o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes",
		"-o smtpd_relay_restrictions=permit_mynetworks,reject",
		"-o smtpd_sasl_auth_enable=yes",
	} {
		fmt.Fprintf(&lines, "127.0.0.1:%s inet n - n - - smtpd %s\n", strconv.Itoa(ports[i]), options)
	}
	return lines.String() + `
postlog   unix-dgram n - n - 1 postlogd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
showq     unix n - n - - showq
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
`
}

// Hold is a setting under which Postfix keeps what it takes until Release.
var Hold = map[string]string{"smtpd_end_of_data_restrictions": "check_client_access static:HOLD"}

// Release lets Postfix relay what it holds. It returns when Postfix has been told.
func (s *PostfixServer) Release(t testing.TB) {
	t.Helper()
	for _, command := range [][]string{{"postsuper", "-H", "ALL"}, {"postqueue", "-f"}} {
		args := append([]string{"-c", filepath.Join(s.dir, "etc")}, command[1:]...)
		if out, err := exec.Command("/usr/sbin/"+command[0], args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command[0], err, out)
		}
	}
}

// Queued counts the messages in Postfix's queue.
func (s *PostfixServer) Queued(t testing.TB) int {
	t.Helper()
	n := 0
	for _, name := range []string{"incoming", "active", "deferred", "hold"} {
		err := filepath.WalkDir(filepath.Join(s.dir, "queue", name), func(_ string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				n++
			}
			return nil // files come and go meanwhile
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}
