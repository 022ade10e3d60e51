package idp

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertionLife is how far ahead an assertion may end; Google says an hour, Microsoft takes ten minutes and more.
const maxAssertionLife = time.Hour

// proveByAssertion checks a client assertion (RFC 7523 3) that names its certificate by x5t#S256.
func (p *Provider) proveByAssertion(c Client, form url.Values) error {
	if form.Get("client_assertion_type") != assertionType {
		return refuse(malformed)
	}
	token, err := jwt.ParseSigned(form.Get("client_assertion"), []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if err != nil {
		return refuse(badAssertion)
	}
	thumbprint, _ := token.Headers[0].ExtraHeaders["x5t#S256"].(string)
	i := slices.IndexFunc(c.Certificates, func(leaf *x509.Certificate) bool { return thumbprint == Thumbprint(leaf) })
	if i < 0 {
		return refuse(badAssertion, "thumbprint", thumbprint)
	}
	leaf := c.Certificates[i]
	var claims jwt.Claims
	if token.Claims(leaf.PublicKey, &claims) != nil || claims.Issuer != c.ID || claims.Subject != c.ID {
		return refuse(badAssertion, "thumbprint", thumbprint)
	}
	if now := time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return refuse(badAssertion, "thumbprint", thumbprint)
	}
	if err := p.inTime(claims); err != nil {
		return refuse(assertionTime)
	}
	return nil
}

// Thumbprint is how an assertion names its certificate.
func Thumbprint(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// inTime checks audience and times of an assertion.
func (p *Provider) inTime(claims jwt.Claims) error {
	err := claims.Validate(jwt.Expected{AnyAudience: jwt.Audience{p.Endpoints().Token, p.o.Issuer}, Time: time.Now()})
	switch {
	case err != nil:
		return err
	case claims.Expiry == nil || time.Until(claims.Expiry.Time()) > maxAssertionLife+jwt.DefaultLeeway:
		return errors.New("the assertion has no end or one too far ahead")
	}
	return nil
}

// byServiceAccount is the flow of Google's service accounts (RFC 7523 2.1).
func (p *Provider) byServiceAccount(form url.Values) (tokens, error) {
	token, err := jwt.ParseSigned(form.Get("assertion"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return tokens{}, refuse(badSignature)
	}
	var claims struct {
		jwt.Claims
		Scope string `json:"scope"`
	}
	if token.UnsafeClaimsWithoutVerification(&claims) != nil {
		return tokens{}, refuse(badSignature)
	}
	account, ok := p.accounts[claims.Issuer]
	if !ok || token.Claims(account.Key, &claims) != nil {
		return tokens{}, refuse(badSignature)
	}
	if p.inTime(claims.Claims) != nil {
		return tokens{}, refuse(badTimes)
	}
	mailbox, ok := p.mailboxes[strings.ToLower(claims.Subject)]
	switch {
	case !ok:
		return tokens{}, refuse(noSuchEmail)
	case !covers(account.Mailboxes, mailbox.Address), claims.Scope != googleMail:
		return tokens{}, refuse(notDelegated)
	}
	return p.give(&access{client: account.Email, mailbox: mailbox.Address, scopes: []string{googleMail}})
}
