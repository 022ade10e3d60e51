package sasl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"orbit/internal/vault"
)

// Refusal is what a provider says about an access token that it does not take (RFC 7628 3.2.2).
// Google and Microsoft send it for XOAUTH2 too, each with members of its own.
type Refusal struct {
	Status  string // "invalid_token", "400", "401"
	Schemes string // "bearer"
	Scope   string // what a token needs, "https://mail.google.com/"
	Config  string // openid-configuration: where to learn more
}

// Error joins what the provider said.
func (r *Refusal) Error() string {
	parts := []string{"the provider refused the access token"}
	for _, member := range []struct{ name, value string }{
		{"status", r.Status}, {"schemes", r.Schemes}, {"scope", r.Scope}, {"openid-configuration", r.Config},
	} {
		if member.value != "" {
			parts = append(parts, member.name+" "+member.value)
		}
	}
	return strings.Join(parts, ", ")
}

// maxRefusal bounds a member of the blob: it is shown to people.
const maxRefusal = 500

// ParseRefusal decodes the blob. A challenge that is no JSON object gives a Refusal without members.
func ParseRefusal(challenge []byte) *Refusal {
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(challenge))
	decoder.UseNumber() // status comes as text and as number
	if decoder.Decode(&members) != nil {
		return &Refusal{}
	}
	return &Refusal{
		Status:  member(members["status"]),
		Schemes: member(members["schemes"]),
		Scope:   member(members["scope"]),
		Config:  member(members["openid-configuration"]),
	}
}

// member returns a blob's value as one printable line.
func member(value any) string {
	if value == nil {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, fmt.Sprint(value))
	if len(text) > maxRefusal {
		text = strings.ToValidUTF8(text[:maxRefusal], "")
	}
	return text
}

// Bearer signs in with an access token, as XOAUTH2 or OAUTHBEARER.
type Bearer struct {
	mechanism string
	initial   func() string // a function, so that the clear token lives no longer than the write
	dismiss   []byte        // what ends a refused exchange
	refusal   *Refusal
}

// NewXOAuth2 returns Google's and Microsoft's XOAUTH2.
func NewXOAuth2(username string, token vault.Secret) *Bearer {
	return &Bearer{
		mechanism: XOAuth2,
		initial:   func() string { return "user=" + username + "\x01auth=Bearer " + token.Reveal() + "\x01\x01" },
		dismiss:   []byte{},
	}
}

// NewOAuthBearer returns OAUTHBEARER (RFC 7628). Host and port are those that the person configured.
func NewOAuthBearer(username, host string, port int, token vault.Secret) *Bearer {
	return &Bearer{
		mechanism: OAuthBearer,
		initial: func() string {
			return "n,a=" + saslname(username) + ",\x01host=" + host + "\x01port=" + strconv.Itoa(port) +
				"\x01auth=Bearer " + token.Reveal() + "\x01\x01"
		},
		dismiss: []byte{1}, // RFC 7628 3.2.3
	}
}

// Start sends the token with the command.
func (b *Bearer) Start() (string, []byte, error) { return b.mechanism, []byte(b.initial()), nil }

// Next takes the provider's refusal and ends the exchange, so that the server can say its final word.
func (b *Bearer) Next(challenge []byte) ([]byte, error) {
	if b.refusal != nil {
		return nil, errChallenge
	}
	b.refusal = ParseRefusal(challenge)
	return b.dismiss, nil
}

// Refusal returns what the provider said, nil when it said nothing.
func (b *Bearer) Refusal() *Refusal { return b.refusal }

// saslname escapes what separates attributes (RFC 5801 4).
func saslname(name string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
}
