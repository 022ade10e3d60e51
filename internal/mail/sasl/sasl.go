// Package sasl signs in to mail servers: the client side of the mechanisms that SMTP, IMAP and POP3 share.
//
// A mechanism is a go-sasl Client, so go-imap takes it as it is; submit and pop3 drive it themselves. The
// mechanisms of go-sasl and go-mail were not taken: neither has SCRAM that insists on the server's proof,
// and both drop what a provider says when it refuses an access token.
//
// Secrets are revealed here and nowhere else in internal/mail.
package sasl

import (
	"crypto/hmac"
	"crypto/md5" // CRAM-MD5 is defined with it
	"encoding/hex"
	"errors"

	gosasl "github.com/emersion/go-sasl"

	"orbit/internal/vault"
)

// Client is one exchange: Start gives the mechanism and the initial response (nil when the server speaks
// first), Next answers a challenge. A Client serves one attempt.
type Client = gosasl.Client

// The mechanisms, by their registered names.
const (
	Plain           = "PLAIN"
	Login           = "LOGIN"
	CRAMMD5         = "CRAM-MD5"
	ScramSHA256     = "SCRAM-SHA-256"
	ScramSHA256Plus = "SCRAM-SHA-256-PLUS"
	XOAuth2         = "XOAUTH2"
	OAuthBearer     = "OAUTHBEARER"
)

// errChallenge says that the server asks for more than the mechanism has to say.
var errChallenge = errors.New("the server sent a challenge that the mechanism does not have")

// NewPlain returns PLAIN (RFC 4616). The password crosses the connection as it is.
func NewPlain(username string, password vault.Secret) Client {
	return &plain{username: username, password: password}
}

type plain struct {
	username string
	password vault.Secret
}

func (p *plain) Start() (string, []byte, error) {
	return Plain, []byte("\x00" + p.username + "\x00" + p.password.Reveal()), nil
}

func (p *plain) Next([]byte) ([]byte, error) { return nil, errChallenge }

// NewLogin returns LOGIN, which Microsoft's servers prefer. The password crosses the connection as it is.
func NewLogin(username string, password vault.Secret) Client {
	return &login{username: username, password: password}
}

type login struct {
	username string
	password vault.Secret
	answered int
}

// Start leaves the first word to the server: not every server takes LOGIN's user name with the command.
func (l *login) Start() (string, []byte, error) { return Login, nil, nil }

// Next ignores what the server asks (draft-murchison-sasl-login): servers spell "Username:" in many ways.
func (l *login) Next([]byte) ([]byte, error) {
	l.answered++
	switch l.answered {
	case 1:
		return []byte(l.username), nil
	case 2:
		return []byte(l.password.Reveal()), nil
	default:
		return nil, errChallenge
	}
}

// NewCRAMMD5 returns CRAM-MD5 (RFC 2195): the password stays here, but MD5 protects it poorly.
func NewCRAMMD5(username string, password vault.Secret) Client {
	return &cramMD5{username: username, password: password}
}

type cramMD5 struct {
	username string
	password vault.Secret
	answered bool
}

func (c *cramMD5) Start() (string, []byte, error) { return CRAMMD5, nil, nil }

func (c *cramMD5) Next(challenge []byte) ([]byte, error) {
	if c.answered {
		return nil, errChallenge
	}
	c.answered = true
	mac := hmac.New(md5.New, []byte(c.password.Reveal()))
	mac.Write(challenge)
	return []byte(c.username + " " + hex.EncodeToString(mac.Sum(nil))), nil
}
