package proxy

import (
	"regexp"
	"strings"
)

// longCode finds what may be a token that a server has sent back, as it was or in base64; addresses are found
// too, and kept. Fingerprints are shorter.
var longCode = regexp.MustCompile(`https?://\S+|[A-Za-z0-9+/=._~-]{80,}`)

// bearer is a token with its name.
var bearer = regexp.MustCompile(`(?i)\bbearer\s+[^\s"']{6,}`)

// Censor takes out of a server's words what may be a token: some repeat what they do not understand.
func Censor(text string) string {
	text = bearer.ReplaceAllString(text, "Bearer [secret]")
	return longCode.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "http") && strings.Contains(found, "://") {
			return found
		}
		return "[secret]"
	})
}
