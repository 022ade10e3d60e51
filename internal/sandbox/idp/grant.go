package idp

import (
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// googleMail is Google's one scope for IMAP, POP3 and SMTP.
const googleMail = "https://mail.google.com/"

// family is what one consent has led to: all tokens that descend from it.
type family struct {
	client  string
	mailbox string
	scopes  []string
	offline bool // refresh tokens are given
	revoked bool
}

// access is an access token.
type access struct {
	client    string
	mailbox   string   // of the person; "" for an application
	mailboxes []string // that an application may open
	scopes    []string
	expires   time.Time
}

func (a *access) opens(mailbox string) bool {
	if a.mailbox == "" {
		return covers(a.mailboxes, mailbox)
	}
	return strings.EqualFold(a.mailbox, mailbox)
}

func (a *access) may(protocol Protocol) bool {
	if a.mailbox == "" {
		return true // .default: all that the application was granted
	}
	return slices.Contains(a.scopes, googleMail) || slices.ContainsFunc(a.scopes, func(scope string) bool {
		return lastPart(scope) == rights[protocol].person
	})
}

// refresh is a refresh token.
type refresh struct {
	family     *family
	parent     *refresh
	uses       int
	superseded bool // its successor was used, so its owner has stored that
}

// tokens is the answer of the token endpoint (RFC 6749 5.1).
type tokens struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
}

// grant gives tokens for what a person consented to. The caller holds the lock.
func (p *Provider) grant(f *family, parent *refresh, nonce string) (tokens, error) {
	a := &access{client: f.client, mailbox: f.mailbox, scopes: f.scopes}
	answer, err := p.give(a)
	if err != nil {
		return tokens{}, err
	}
	if f.offline {
		answer.RefreshToken = p.prefix("0.AXkA-", "1//0") + newName() + newName()
		p.refreshes.put(answer.RefreshToken, &refresh{family: f, parent: parent}, p.o.RefreshLife)
	}
	if slices.Contains(f.scopes, "openid") {
		answer.IDToken, err = p.sign(p.claims(f.client, f.mailbox, p.tokenLife, map[string]any{"aud": f.client, "nonce": nonce}))
	}
	return answer, err
}

// give makes an access token. The caller holds the lock.
func (p *Provider) give(a *access) (tokens, error) {
	a.expires = time.Now().Add(p.tokenLife)
	token := "ya29." + newName() + newName()
	if p.o.Flavour == Microsoft { // whose tokens name the mailbox
		extra := map[string]any{"aud": "https://outlook.office365.com", "appid": a.client, "scp": strings.Join(a.scopes, " "), "upn": a.mailbox}
		if a.mailbox == "" {
			delete(extra, "scp")
			delete(extra, "upn")
			extra["roles"] = []string{rights[IMAP].application, rights[POP3].application, rights[SMTP].application}
		}
		var err error
		if token, err = p.sign(p.claims(a.client, a.mailbox, p.tokenLife, extra)); err != nil {
			return tokens{}, err
		}
	}
	p.tokens.put(token, a, p.tokenLife)
	p.stats.Issued++
	return tokens{
		TokenType: "Bearer", Scope: strings.Join(a.scopes, " "), ExpiresIn: int(p.tokenLife.Seconds()), AccessToken: token,
	}, nil
}

// AccessToken gives a token for everything a mailbox has, without anybody's consent, for tests.
func (p *Provider) AccessToken(mailbox string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer, err := p.give(&access{client: p.o.Clients[0].ID, mailbox: mailbox, scopes: []string{googleMail}})
	if err != nil {
		panic(err) // the provider's own key does not sign
	}
	return answer.AccessToken
}

// claims are those of an ID token; Microsoft's access tokens have the same and more.
func (p *Provider) claims(client, mailbox string, life time.Duration, extra map[string]any) map[string]any {
	now := time.Now()
	claims := map[string]any{
		"iss": p.o.Issuer + "/" + Tenant + "/v2.0", "sub": mailbox, "tid": Tenant, "jti": newName(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(),
	}
	if mailbox == "" {
		claims["sub"] = client
	} else {
		claims["email"], claims["preferred_username"], claims["name"] = mailbox, mailbox, p.mailboxes[strings.ToLower(mailbox)].Name
	}
	for name, value := range extra {
		if value != "" {
			claims[name] = value
		}
	}
	return claims
}

// keyID names the one key that there is.
const keyID = "sandbox-1"

func (p *Provider) sign(claims map[string]any) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", keyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, options)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// prefix chooses between the two flavours.
func (p *Provider) prefix(microsoft, google string) string {
	if p.o.Flavour == Google {
		return google
	}
	return microsoft
}

// lastPart is a permission without its resource.
func lastPart(scope string) string { return scope[strings.LastIndexByte(scope, '/')+1:] }
