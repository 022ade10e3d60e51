package tunnel

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// certificateLife is long because nothing but the fingerprint is looked at: a certificate that ran out would
// cut off every agent at once, and prove nothing.
const certificateLife = 30 * 365 * 24 * time.Hour

// NewCertificate makes the server's certificate and its key, in DER form (the key as PKCS #8).
func NewCertificate() (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make the connector's key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, fmt.Errorf("make the connector's certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Orbit network connector"},
		DNSNames:     []string{"orbit-network-connector"},
		NotBefore:    time.Now().Add(-24 * time.Hour), // an agent's clock may be behind
		NotAfter:     time.Now().Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if certificate, err = x509.CreateCertificate(rand.Reader, template, template, private.Public(), private); err != nil {
		return nil, nil, fmt.Errorf("make the connector's certificate: %w", err)
	}
	key, err = x509.MarshalPKCS8PrivateKey(private)
	return certificate, key, err
}

// LoadCertificate puts together what NewCertificate has made.
func LoadCertificate(certificate, key []byte) (tls.Certificate, error) {
	private, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read the connector's key: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: private}, nil
}

// Fingerprint is the SHA-256 of a certificate in DER form, in lower-case hex.
func Fingerprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}

// ParseFingerprint takes a fingerprint as programs print it.
func ParseFingerprint(text string) (string, error) {
	plain := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(strings.TrimSpace(text)))
	plain = strings.TrimPrefix(plain, "sha256")
	if raw, err := hex.DecodeString(plain); err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("%q is not a SHA-256 fingerprint of 64 hexadecimal digits", clean(text))
	}
	return plain, nil
}

// WrongFingerprint says that another server answered than the one that is meant.
type WrongFingerprint struct{ Got, Want string }

func (w *WrongFingerprint) Error() string {
	return fmt.Sprintf("the server's certificate has the fingerprint %s, expected is %s", w.Got, w.Want)
}

// pinned accepts exactly one certificate. Names and dates do not matter then.
func pinned(fingerprint string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13, // the exporter of older versions is not bound to the handshake
		InsecureSkipVerify: true,             // VerifyConnection does it
		NextProtos:         []string{"http/1.1"},
		VerifyConnection: func(state tls.ConnectionState) error {
			got := Fingerprint(state.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare([]byte(got), []byte(fingerprint)) != 1 {
				return &WrongFingerprint{Got: got, Want: fingerprint}
			}
			return nil
		},
	}
}
