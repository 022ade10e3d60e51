package mailserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	gosasl "github.com/emersion/go-sasl"

	"orbit/internal/mail/sasl"
	"orbit/internal/sandbox/idp"
)

// The mechanisms in the order of offer.
var (
	tokenMechanisms    = []string{sasl.XOAuth2, sasl.OAuthBearer}
	passwordMechanisms = []string{sasl.Plain, sasl.Login}
)

// mechanisms are those of a server.
func (s Signs) mechanisms() []string {
	if s == Passwords {
		return passwordMechanisms
	}
	return tokenMechanisms
}

// checks decides about sign-ins and answers in the words of one protocol.
type checks struct {
	password  func(username, password string) error
	token     func(username, token string) error
	malformed error // the exchange is not what the mechanism says
	flavour   idp.Flavour
}

// mechanism begins an exchange.
func (c checks) mechanism(name string) gosasl.Server {
	switch name {
	case sasl.XOAuth2:
		return &bearer{checks: c, parse: parseXOAuth2}
	case sasl.OAuthBearer:
		return &bearer{checks: c, parse: parseOAuthBearer}
	case sasl.Login:
		return &login{checks: c}
	default:
		return &plain{checks: c}
	}
}

// errParse is an initial response that is not what the mechanism says.
var errParse = errors.New("malformed initial response")

// bearer is the server's side of XOAUTH2 and OAUTHBEARER.
type bearer struct {
	checks
	parse   func(string) (username, token string, err error)
	refused error // said after the client has taken the challenge
}

// Next implements go-sasl's Server.
func (b *bearer) Next(response []byte) (challenge []byte, done bool, err error) {
	if b.refused != nil {
		return nil, true, b.refused
	}
	if response == nil {
		return []byte{}, false, nil
	}
	username, token, err := b.parse(string(response))
	if err != nil {
		return nil, true, b.malformed
	}
	b.refused = b.token(username, token)
	if b.refused == nil {
		return nil, true, nil
	}
	return challenge401(b.flavour), false, nil
}

// challenge401 is what a provider says about a token that it does not take.
func challenge401(flavour idp.Flavour) []byte {
	members := map[string]string{"status": "401", "schemes": "bearer", "scope": "https://outlook.office365.com/.default"}
	if flavour == idp.Google {
		members = map[string]string{"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}
	}
	text, _ := json.Marshal(members) // strings always encode
	return text
}

// parseXOAuth2 reads "user=" address ^A "auth=Bearer " token ^A ^A.
func parseXOAuth2(response string) (username, token string, err error) {
	rest, closed := strings.CutSuffix(response, "\x01\x01")
	user, auth, ok := strings.Cut(rest, "\x01")
	username, named := strings.CutPrefix(user, "user=")
	if !closed || !ok || !named {
		return "", "", errParse
	}
	token, err = parseAuth(auth)
	return username, token, err
}

// parseOAuthBearer reads RFC 7628 3.1.
func parseOAuthBearer(response string) (username, token string, err error) {
	header, pairs, ok := strings.Cut(response, "\x01")
	pairs, closed := strings.CutSuffix(pairs, "\x01\x01")
	parts := strings.Split(header, ",")
	if !ok || !closed || len(parts) != 3 || parts[0] != "n" || !strings.HasPrefix(parts[1], "a=") {
		return "", "", errParse
	}
	username = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(parts[1][len("a="):])
	for pair := range strings.SplitSeq(pairs, "\x01") {
		if strings.HasPrefix(pair, "auth=") {
			token, err = parseAuth(pair)
			return username, token, err
		}
	}
	return "", "", errParse
}

func parseAuth(pair string) (string, error) {
	value, ok := strings.CutPrefix(pair, "auth=")
	scheme, token, found := strings.Cut(value, " ")
	if !ok || !found || !strings.EqualFold(scheme, "bearer") || token == "" {
		return "", errParse
	}
	return token, nil
}

// plain is the server's side of PLAIN (RFC 4616).
type plain struct{ checks }

// Next implements go-sasl's Server.
func (p *plain) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return []byte{}, false, nil
	}
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[0]) > 0 && !bytes.Equal(parts[0], parts[1]) { // nobody signs in for somebody else
		return nil, true, p.malformed
	}
	return nil, true, p.password(string(parts[1]), string(parts[2]))
}

// login is the server's side of LOGIN, which go-sasl does not have. The user name may come with the command.
type login struct {
	checks
	username string
	named    bool
}

// Next implements go-sasl's Server.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case response == nil && !l.named:
		return []byte("Username:"), false, nil
	case !l.named:
		l.username, l.named = string(response), true
		return []byte("Password:"), false, nil
	}
	return nil, true, l.password(l.username, string(response))
}
