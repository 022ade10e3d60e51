package credential

import (
	"strings"
	"unicode/utf8"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// maxSecret is room for an SSH key.
const maxSecret = 16 << 10

// checkSecret is the one place of this package that looks into a secret.
func checkSecret(wrong *problem.Invalid, secret vault.Secret) {
	text := secret.Reveal()
	switch {
	case text == "":
		wrong.Add("secret", "Enter the secret (password or key).")
	case len(text) > maxSecret:
		wrong.Add("secret", "The secret is longer than %d bytes; check what was pasted.", maxSecret)
	case !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		wrong.Add("secret", "The secret contains a character that no mail server accepts (NUL or broken UTF-8); check what was pasted.")
	}
}
