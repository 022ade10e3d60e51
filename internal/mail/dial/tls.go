package dial

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"orbit/internal/mail/explain"
)

// sessions are the TLS sessions that may be resumed, of all targets.
var sessions = tls.NewLRUClientSessionCache(256)

// TLSConfig returns how TLS is spoken with a target: version 1.2 at least, sessions resumed, and the certificate
// checked by the target's rule in VerifyConnection, so that the check runs for resumed sessions too and the chain
// is known when it fails. Use a new one for each connection.
func TLSConfig(t Target) (*tls.Config, error) {
	check, err := t.checker()
	if err != nil {
		return nil, err
	}
	return check.config(), nil
}

// checker verifies the certificate of one connection by the target's rule.
type checker struct {
	target  Target
	name    string // ACE form or literal address
	roots   *x509.CertPool
	pin     []byte
	ignored error // what the rule "ignore" let pass
}

func (t Target) checker() (*checker, error) {
	name, err := ASCIIHost(t.Host)
	if err != nil {
		return nil, err
	}
	c := &checker{target: t, name: name}
	switch t.Trust.Rule {
	case Pin:
		c.pin, err = parseFingerprint(t.Trust.Fingerprint)
	case CustomCA:
		c.roots, err = parsed(t.Trust.CA)
	case Verify, Ignore, "":
	default:
		err = fmt.Errorf("unknown certificate rule %q", t.Trust.Rule)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (c *checker) config() *tls.Config {
	return &tls.Config{
		ServerName:         c.name,
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: c.cache(),
		// Not skipped but done by VerifyConnection: it knows pins and keeps the chain for the page.
		InsecureSkipVerify: true,
		VerifyConnection:   c.verify,
		// Small records first are for browsers. A mail is read when its end is there, and each record costs a packet.
		DynamicRecordSizingDisabled: true,
	}
}

// verify applies the rule. It is called before any byte of the protocol is sent.
func (c *checker) verify(state tls.ConnectionState) error {
	chain := state.PeerCertificates
	if len(chain) == 0 {
		return errors.New("tls: server didn't provide certificate")
	}
	err := c.judge(state, time.Now())
	if err == nil {
		return nil
	}
	err = &explain.CertificateError{Chain: chain, Err: err}
	if c.target.Trust.Rule == Ignore {
		c.ignored = err
		return nil
	}
	return err
}

func (c *checker) judge(state tls.ConnectionState, now time.Time) error {
	chain := state.PeerCertificates
	if c.target.Trust.Rule == Pin {
		return c.judgePin(chain[0])
	}
	if err := weakKey(chain[0]); err != nil {
		return err
	}
	verified, err := c.judgeChain(chain, now)
	if err != nil {
		return err
	}
	return revoked(verified, state.OCSPResponse)
}

// judgePin compares the leaf alone: the administrator vouches for this certificate, whatever is written in it.
func (c *checker) judgePin(leaf *x509.Certificate) error {
	sum := sha256.Sum256(leaf.Raw)
	if subtle.ConstantTimeCompare(sum[:], c.pin) == 1 {
		return nil
	}
	return &explain.PinMismatch{Want: hex.EncodeToString(c.pin), Got: hex.EncodeToString(sum[:])}
}

// judgeChain returns a chain from the leaf to a trusted root.
func (c *checker) judgeChain(chain []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{
		DNSName:       verifyName(c.name),
		Roots:         c.roots, // nil: the system's
		Intermediates: intermediates,
		CurrentTime:   now,
	})
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}

// revoked looks at the OCSP answer that the server sent along (RFC 6066 8). Orbit does not ask the authority
// itself: a mail server behind a firewall would become unreachable with it.
func revoked(chain []*x509.Certificate, staple []byte) error {
	if len(staple) == 0 || len(chain) < 2 {
		return nil
	}
	answer, err := ocsp.ParseResponseForCert(staple, chain[0], chain[1])
	if err == nil && answer.Status == ocsp.Revoked { // an unreadable answer proves nothing
		return &explain.Revoked{At: answer.RevokedAt}
	}
	return nil
}

// verifyName marks a literal IPv6 address as x509 wants it.
func verifyName(name string) string {
	if ip := net.ParseIP(name); ip != nil && strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// weakKey refuses RSA keys that can be factored with modest means.
func weakKey(leaf *x509.Certificate) error {
	if bits := rsaBits(leaf); bits > 0 && bits < 1024 {
		return &explain.WeakKey{Algorithm: "RSA", Bits: bits}
	}
	return nil
}

// ParseCA reads the PEM of an own certificate authority.
func ParseCA(pem string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, errors.New("the own CA has no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
	}
	return pool, nil
}

// authorities are the own CAs that were parsed, by their PEM. The mail proxy asks for the same one with every
// sign-in, and each connection would hold a copy.
var authorities struct {
	sync.Mutex
	pools map[string]*x509.CertPool
}

// maxAuthorities bounds what is kept; forms can try out any number of them.
const maxAuthorities = 100

func parsed(pem string) (*x509.CertPool, error) {
	authorities.Lock()
	defer authorities.Unlock()
	if pool := authorities.pools[pem]; pool != nil {
		return pool, nil
	}
	pool, err := ParseCA(pem)
	if err != nil {
		return nil, err
	}
	if authorities.pools == nil || len(authorities.pools) >= maxAuthorities {
		authorities.pools = make(map[string]*x509.CertPool)
	}
	authorities.pools[pem] = pool
	return pool, nil
}

// NormalizeFingerprint accepts a SHA-256 fingerprint as programs print it (colons, blanks, upper case, the word
// "SHA256" in front) and returns lower-case hex.
func NormalizeFingerprint(text string) (string, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	if i := strings.LastIndexAny(s, "="); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "sha-256"), "sha256")
	s = strings.NewReplacer(":", "", " ", "", "-", "").Replace(s)
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != sha256.Size {
		return "", errors.New("a SHA-256 fingerprint has 64 hexadecimal digits")
	}
	return s, nil
}

func parseFingerprint(text string) ([]byte, error) {
	s, err := NormalizeFingerprint(text)
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(s)
}

// cache keeps sessions apart by server and rule: a session made while a rule was "ignore" must not be offered
// when it is "verify", even though the certificate would be checked again.
func (c *checker) cache() tls.ClientSessionCache {
	t := c.target
	rule := sha256.Sum256([]byte(string(t.Trust.Rule) + "\x00" + t.Trust.Fingerprint + "\x00" + t.Trust.CA))
	return scopedSessions{prefix: net.JoinHostPort(c.name, strconv.Itoa(t.Port)) + " " + hex.EncodeToString(rule[:]) + " "}
}

type scopedSessions struct{ prefix string }

func (s scopedSessions) Get(key string) (*tls.ClientSessionState, bool) {
	return sessions.Get(s.prefix + key)
}

func (s scopedSessions) Put(key string, state *tls.ClientSessionState) {
	sessions.Put(s.prefix+key, state)
}
