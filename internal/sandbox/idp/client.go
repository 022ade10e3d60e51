package idp

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
)

// Client is a registered application.
type Client struct {
	ID             string
	Name           string
	Secrets        []string // each is good; none, and no certificate: a public client
	ExpiredSecrets []string
	Certificates   []*x509.Certificate // for client assertions
	RedirectURIs   []string            // on loopback the port may differ (RFC 8252 7.3)
	Mailboxes      []string            // that it may open by itself; "*" means all
}

// DefaultClient is the one of a sandbox whose options name none.
func DefaultClient() Client {
	return Client{
		ID: "5f0c7d1e-6b1f-4a2b-9d38-0e4f6a7c21b5", Name: "Orbit", Secrets: []string{"orbit-demo-secret"},
		RedirectURIs: []string{"http://127.0.0.1/email-oauth2-proxy-authorize/", "http://localhost/email-oauth2-proxy-authorize/"},
		Mailboxes:    []string{"*"},
	}
}

func (c Client) public() bool { return len(c.Secrets)+len(c.ExpiredSecrets)+len(c.Certificates) == 0 }

// returnsTo reports whether address is registered as a redirect URI.
func (c Client) returnsTo(address string) bool {
	return slices.Contains(c.RedirectURIs, address) ||
		slices.ContainsFunc(c.RedirectURIs, func(registered string) bool { return sameButPort(registered, address) })
}

func sameButPort(registered, address string) bool {
	r, err := url.Parse(registered)
	if err != nil || !loopback(r.Hostname()) {
		return false
	}
	a, err := url.Parse(address)
	return err == nil && r.Scheme == a.Scheme && r.Hostname() == a.Hostname() && r.Path == a.Path && r.RawQuery == a.RawQuery && a.User == nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// prove checks that a token request comes from the client that it names.
func (p *Provider) prove(form url.Values) (Client, error) {
	id := form.Get("client_id")
	c, ok := p.clients[id]
	if !ok {
		return Client{}, refuse(unknownClient)
	}
	assertion, secret := form.Get("client_assertion"), form.Get("client_secret")
	switch {
	case c.public() && (assertion != "" || secret != ""):
		return Client{}, refuse(publicWithSecret)
	case c.public():
		return c, nil
	case assertion != "":
		return c, p.proveByAssertion(c, form)
	case secret == "":
		return Client{}, refuse(noSecret)
	case among(c.Secrets, secret):
		return c, nil
	case among(c.ExpiredSecrets, secret):
		return Client{}, refuse(expiredSecret)
	default:
		return Client{}, refuse(wrongSecret)
	}
}

func among(secrets []string, secret string) bool {
	return slices.ContainsFunc(secrets, func(s string) bool { return subtle.ConstantTimeCompare([]byte(s), []byte(secret)) == 1 })
}

// AddSecret makes a new secret valid, as an administrator does before the old one expires.
func (p *Provider) AddSecret(client, secret string) {
	p.changeClient(client, func(c *Client) { c.Secrets = append(slices.Clone(c.Secrets), secret) })
}

// ExpireSecrets ends every secret of a client.
func (p *Provider) ExpireSecrets(client string) {
	p.changeClient(client, func(c *Client) {
		c.ExpiredSecrets, c.Secrets = append(slices.Clone(c.ExpiredSecrets), c.Secrets...), nil
	})
}

func (p *Provider) changeClient(id string, change func(*Client)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.clients[id]
	change(&c)
	p.clients[id] = c
}

// ServiceAccount is a program's account at Google, which may act for mailboxes of a domain that has delegated to it.
type ServiceAccount struct {
	Email     string
	Key       *rsa.PublicKey
	Mailboxes []string // delegated; "*" means all
}

// NewServiceAccount makes an account and the JSON key file that its owner downloads.
func NewServiceAccount(email, tokenURL string) (ServiceAccount, []byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ServiceAccount{}, nil, fmt.Errorf("make the key of a service account: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ServiceAccount{}, nil, fmt.Errorf("write the key of a service account: %w", err)
	}
	file, err := json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": "orbit-sandbox", "private_key_id": newName(), "client_email": email,
		"client_id": "114750218093644710035", "token_uri": tokenURL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}, "", "  ")
	return ServiceAccount{Email: email, Key: &key.PublicKey, Mailboxes: []string{"*"}}, file, err
}

// ReadServiceAccount reads the JSON key file of an account that may act for all mailboxes.
func ReadServiceAccount(file []byte) (ServiceAccount, error) {
	var content struct {
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
	}
	if err := json.Unmarshal(file, &content); err != nil {
		return ServiceAccount{}, fmt.Errorf("read the key of a service account: %w", err)
	}
	block, _ := pem.Decode([]byte(content.Key))
	if block == nil {
		return ServiceAccount{}, errors.New("read the key of a service account: no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return ServiceAccount{}, errors.New("read the key of a service account: no RSA key")
	}
	return ServiceAccount{Email: content.Email, Key: &key.PublicKey, Mailboxes: []string{"*"}}, nil
}
