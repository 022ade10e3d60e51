package proxyhost

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orbit/internal/credential"
	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

// flowCase is one way to a token, with a mailbox of its own.
type flowCase struct {
	name    string
	flow    oauth.Flow
	prepare func(*peers, *oauth.Change) // what differs from the usual registration
	consent func(*peers, string)        // what somebody does once
}

func (c flowCase) mailbox() string { return c.name + "@orbit.example" }

var flowCases = []flowCase{
	{name: "code", flow: oauth.AuthorizationCode, consent: func(p *peers, address string) { p.authorise(address) }},
	{name: "secret", flow: oauth.ClientCredentials, consent: (*peers).prove},
	{name: "certificate", flow: oauth.ClientCredentials, consent: (*peers).prove, prepare: func(p *peers, c *oauth.Change) {
		c.ClientID, c.Secret = certificateClient, oauth.NewSecret{Certificate: p.certificate, Key: vault.NewSecret(p.key)}
	}},
	{name: "device", flow: oauth.DeviceCode, consent: (*peers).acceptDevice},
	{name: "password", flow: oauth.Password, consent: (*peers).setPassword},
	{name: "service", flow: oauth.ServiceAccount, consent: (*peers).prove, prepare: func(p *peers, c *oauth.Change) {
		c.ClientID = "orbit@sandbox.example"
		key := strings.ReplaceAll(p.accountKey, tokenURL, p.mail.Endpoints.Token)
		c.Secret = oauth.NewSecret{ServiceAccount: vault.NewSecret(key)}
	}},
}

const (
	certificateClient = "client-with-a-certificate"
	tokenURL          = "http://127.0.0.1:1/token" // until the sandbox has one
)

// peers are an Orbit between programs and servers of others; the sandbox gives the tokens.
type peers struct {
	*rig
	certificate, key string
	accountKey       string
	dovecot          *mailtest.DovecotServer
	postfix          *mailtest.PostfixServer
	listeners        map[proxy.Protocol]Listener
}

func newPeers(t *testing.T) *peers {
	t.Helper()
	p := &peers{listeners: map[proxy.Protocol]Listener{}}
	leaf := p.newCertificate(t)
	account, file, err := idp.NewServiceAccount("orbit@sandbox.example", tokenURL)
	if err != nil {
		t.Fatal(err)
	}
	p.accountKey = string(file)
	o := idp.Options{ServiceAccounts: []idp.ServiceAccount{account}, DeviceInterval: time.Second, Clients: []idp.Client{
		idp.DefaultClient(), {ID: certificateClient, Certificates: []*x509.Certificate{leaf}, Mailboxes: []string{"*"}},
	}}
	users := map[string]string{}
	for _, c := range flowCases {
		o.Mailboxes = append(o.Mailboxes, idp.Mailbox{Address: c.mailbox(), Password: "remote " + c.name})
		users[c.mailbox()] = "of no use here"
	}
	p.rig = newRigWith(t, o)
	p.dovecot = mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: p.introspection(), Users: users})
	p.postfix = mailtest.Postfix(t, mailtest.PostfixOptions{SASL: p.dovecot})
	p.serve()
	return p
}

// newCertificate makes a certificate with an RSA key, as Microsoft wants for client assertions.
func (p *peers) newCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Orbit"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p.certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	p.key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	return leaf
}

// introspection asks the sandbox about a token, and says whose an application's token is: Dovecot wants one
// name, and only the flow's own mailbox exists there.
func (p *peers) introspection() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.PostFormValue("token")
		answer, err := http.PostForm(p.mail.Endpoints.Introspect, url.Values{"token": {token}})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		var said map[string]any
		if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		if said["active"] == true && said["username"] == "" {
			said["username"] = p.applicationMailbox(token)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(said)
	}))
	p.t.Cleanup(server.Close)
	return server.URL
}

// applicationMailbox finds for which mailbox Orbit holds a token.
func (p *peers) applicationMailbox(token string) string {
	for _, c := range flowCases {
		held, err := p.oauth.Token(p.ctx, c.mailbox(), credential.Self)
		if err == nil && held.Equal(vault.NewSecret(token)) {
			return c.mailbox()
		}
	}
	return ""
}

func (p *peers) serve() {
	p.t.Helper()
	for protocol, at := range map[proxy.Protocol]struct {
		port int
		ca   string
	}{
		proxy.IMAP: {p.dovecot.IMAPS, p.dovecot.Cert.CA}, proxy.POP3: {p.dovecot.POP3S, p.dovecot.Cert.CA}, proxy.SMTP: {p.postfix.Submissions, p.postfix.Cert.CA},
	} {
		s := p.settings(protocol)
		s.ServerPort, s.CertificateCA = at.port, at.ca
		p.listeners[protocol] = p.listen(s)
	}
	p.run(p.process)
	background(p.t, p.oauth.Run) // polls the device flow
	for _, l := range p.listeners {
		p.awaitState(l.ID, proxy.Running)
	}
}

func (p *peers) prove(address string) {
	p.t.Helper()
	outcome, err := p.oauth.Prove(p.ctx, address)
	p.must(err)
	if outcome.State != oauth.Active {
		p.t.Fatalf("the token of %s is %s: %+v", address, outcome.State, outcome.Fault)
	}
}

func (p *peers) acceptDevice(address string) {
	p.t.Helper()
	device, err := p.oauth.StartDevice(p.ctx, address)
	p.must(err)
	sandboxtest.AcceptDevice(p.t, p.mail, device.UserCode, address)
	p.until("the device flow has ended", func() bool {
		grant, err := p.oauth.Grant(p.ctx, address)
		return err == nil && grant.State == oauth.Active
	})
}

func (p *peers) setPassword(address string) {
	p.t.Helper()
	outcome, err := p.oauth.SetPassword(p.ctx, address, vault.NewSecret("remote password"))
	p.must(err)
	if outcome.State != oauth.Active {
		p.t.Fatalf("%+v", outcome)
	}
}

// program runs a mail program of others and returns what it says.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed; install it with: apt-get install %s", name, name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%s %q: %v\n%s", name, args, err, out.String())
	}
	return out.String()
}

func TestProgramsReachServersByEveryFlow(t *testing.T) {
	p := newPeers(t)
	letter := filepath.Join(t.TempDir(), "letter")
	p.must(os.WriteFile(letter, []byte("Subject: by curl\r\n\r\nHello\r\n"), 0o600))
	for _, c := range flowCases {
		change := p.registration(c.mailbox(), c.flow)
		if c.prepare != nil {
			c.prepare(p, &change)
		}
		p.register(change)
		p.credential(c.mailbox())
		c.consent(p, c.mailbox())
		p.until("the credential counts", func() bool {
			return p.login(p.listeners[proxy.IMAP], c.mailbox(), password) == nil
		})
		p.dovecot.Deliver(t, c.mailbox(), []byte("From: a@example.com\nSubject: "+c.name+"\n\nHello\n"))
		p.exercise(c, letter)
	}
}

// exercise reads and sends as one mailbox with each program.
func (p *peers) exercise(c flowCase, letter string) {
	t := p.t
	user := c.mailbox() + ":" + password
	at := func(protocol proxy.Protocol) string { return p.listeners[protocol].Local() }
	if out := program(t, "curl", "-sS", "-m", "20", "-u", user, "imap://"+at(proxy.IMAP)+"/INBOX;MAILINDEX=1"); !strings.Contains(out, "Subject: "+c.name) {
		t.Errorf("%s: curl read by IMAP %q", c.name, out)
	}
	if out := program(t, "curl", "-sS", "-m", "20", "-u", user, "pop3://"+at(proxy.POP3)+"/1"); !strings.Contains(out, "Subject: "+c.name) {
		t.Errorf("%s: curl read by POP3 %q", c.name, out)
	}
	program(t, "curl", "-sS", "-m", "20", "-u", user, "--mail-from", c.mailbox(), "--mail-rcpt", "bea@example.net", "-T", letter, "smtp://"+at(proxy.SMTP)+"/")
	if m := p.postfix.Sink.Next(t); m.From != c.mailbox() || !strings.Contains(string(m.Data), "by curl") {
		t.Errorf("%s: curl sent %+v", c.name, m)
	}
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		subject := fmt.Sprintf("by swaks %s %s", mechanism, c.name)
		program(t, "swaks", "--server", at(proxy.SMTP), "--auth", mechanism, "--auth-user", c.mailbox(), "--auth-password", password,
			"--from", c.mailbox(), "--to", "bea@example.net", "--header", "Subject: "+subject, "--timeout", "20")
		if m := p.postfix.Sink.Next(t); !strings.Contains(string(m.Data), subject) {
			t.Errorf("%s: swaks sent %s", c.name, m.Data)
		}
	}
}
