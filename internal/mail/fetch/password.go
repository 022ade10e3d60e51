package fetch

import (
	"strconv"
	"strings"

	"orbit/internal/vault"
)

// reveal is for LOGIN, PASS and APOP, which are commands and no mechanisms of package sasl.
func reveal(password vault.Secret) string { return password.Reveal() }

// loginCommand renders LOGIN (RFC 9051 6.2.3). A value goes in quotes, or as a literal where it has more than printable
// ASCII; each part but the last ends where the server must say "+" first.
func loginCommand(tag, username, password string) (parts []string) {
	current := tag + " LOGIN"
	for _, value := range []string{username, password} {
		if quotable(value) {
			current += ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
			continue
		}
		parts = append(parts, current+" {"+strconv.Itoa(len(value))+"}\r\n")
		current = value
	}
	return append(parts, current+"\r\n")
}

func quotable(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
