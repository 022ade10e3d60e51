package endpoint

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"orbit/internal/vault"
)

// assertionLifetime is short because an assertion is as good as a secret until it ends.
const assertionLifetime = 5 * time.Minute

// Algorithm signs assertions.
type Algorithm string

// The algorithms that providers document: Microsoft wants PS256 today, the proxy that administrators know
// always signed RS256.
const (
	PS256 Algorithm = "PS256"
	RS256 Algorithm = "RS256"
)

// Certificate is a certificate with its key, to sign client assertions with.
type Certificate struct {
	Leaf      *x509.Certificate
	Algorithm Algorithm
	key       *rsa.PrivateKey
}

// ParseCertificate reads a certificate and its unencrypted RSA key, both PEM, and checks that they belong together.
func ParseCertificate(certificate string, key vault.Secret, algorithm Algorithm) (*Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("read the certificate and its key: %w", err)
	}
	signer, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the certificate has no RSA key; providers take RSA only")
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	if algorithm == "" {
		algorithm = PS256
	}
	return &Certificate{Leaf: leaf, Algorithm: algorithm, key: signer}, nil
}

// Thumbprint is the certificate's SHA-256 fingerprint in lower-case hex.
func (c *Certificate) Thumbprint() string {
	sum := sha256.Sum256(c.Leaf.Raw)
	return hex.EncodeToString(sum[:])
}

// assertion signs that the bearer is client (RFC 7523 3), named by the certificate's thumbprint.
func (c *Certificate) assertion(client, tokenURL string, now time.Time) (string, error) {
	sum := sha256.Sum256(c.Leaf.Raw)
	claims := validFor(assertionLifetime, now)
	claims.Issuer, claims.Subject, claims.Audience = client, client, jwt.Audience{tokenURL}
	claims.ID = rand.Text()
	return sign(c.Algorithm, c.key, "x5t#S256", base64.RawURLEncoding.EncodeToString(sum[:]), claims)
}

// ServiceAccount is a Google service account's key as its JSON file holds it.
type ServiceAccount struct {
	Email string
	KeyID string
	key   *rsa.PrivateKey
}

// ParseServiceAccount reads the JSON key file.
func ParseServiceAccount(file vault.Secret) (*ServiceAccount, error) {
	var content struct {
		Type       string `json:"type"`
		Email      string `json:"client_email"`
		KeyID      string `json:"private_key_id"`
		PrivateKey string `json:"private_key"`
	}
	if json.Unmarshal([]byte(file.Reveal()), &content) != nil {
		return nil, errors.New("this is not the JSON key of a service account")
	}
	if content.Type != "service_account" || content.Email == "" {
		return nil, errors.New("this JSON is not the key of a service account: type must be service_account and client_email must be given")
	}
	key, err := parseRSA(content.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &ServiceAccount{Email: content.Email, KeyID: content.KeyID, key: key}, nil
}

func parseRSA(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("private_key is no PEM block")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("private_key cannot be read")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("private_key is no RSA key")
	}
	return key, nil
}

// Grant asks for a token to act as subject, a mailbox of a domain that has delegated to the service account
// (RFC 7523 2.1). An empty subject asks for the service account itself.
func (a *ServiceAccount) Grant(tokenURL, subject, scope string, now time.Time) (url.Values, error) {
	claims := struct {
		jwt.Claims
		Scope string `json:"scope"`
	}{validFor(assertionLifetime, now), scope}
	claims.Issuer, claims.Subject, claims.Audience = a.Email, subject, jwt.Audience{tokenURL}
	assertion, err := sign(RS256, a.key, "kid", a.KeyID, claims)
	if err != nil {
		return nil, err
	}
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}, nil
}

func validFor(life time.Duration, now time.Time) jwt.Claims {
	return jwt.Claims{
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(life)),
	}
}

func sign(algorithm Algorithm, key *rsa.PrivateKey, header, value string, claims any) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader(jose.HeaderKey(header), value)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	return token, nil
}
