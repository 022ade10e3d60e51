package approval

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"

	"orbit/internal/vault"
)

// tokenKind says what a token is good for.
type tokenKind string

const (
	linkToken  tokenKind = "link"
	replyToken tokenKind = "reply"
)

// newToken returns 192 random bits, as they stand in a mail.
func newToken() vault.Secret {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	return vault.NewSecret(base64.RawURLEncoding.EncodeToString(random[:]))
}

// hash is what is kept of a token. The token is random, so a fast hash is enough.
func hash(token vault.Secret) []byte {
	sum := sha256.Sum256([]byte(token.Reveal()))
	return sum[:]
}

// tokenForm is how a token looks; anything else needs no look into the database.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{32}$`)

func wellFormed(token vault.Secret) bool { return tokenForm.MatchString(token.Reveal()) }

// decisionPage is the address that a mail carries.
func decisionPage(base *url.URL, token vault.Secret) string {
	return base.JoinPath("decide", token.Reveal()).String()
}

// replyDomain marks reply tokens.
const replyDomain = "@reply.orbit.invalid"

var replyReference = regexp.MustCompile(`([A-Za-z0-9_-]{32})` + regexp.QuoteMeta(replyDomain))

// ReplyToken finds the reply token in the references of an answer, "" when there is none: mail programs copy there
// what the mail that they answer had in its own (RFC 5322 3.6.4). Most texts of most mails have none, so that is
// looked for first.
func ReplyToken(text string) string {
	if !strings.Contains(text, replyDomain) {
		return ""
	}
	found := replyReference.FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	return found[1]
}

// reference is the header that carries a reply token.
func reference(token vault.Secret) string { return "<" + token.Reveal() + replyDomain + ">" }
