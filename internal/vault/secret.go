package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// hidden is what every way of printing a Secret shows.
const hidden = "[secret]"

// Secret is a password, token or key that cannot be printed, logged or encoded by accident.
// It holds a pointer because fmt and slog reach strings inside unexported fields.
// The zero value is "no secret".
type Secret struct{ value *string }

// NewSecret wraps a clear text. An empty text is the zero Secret.
func NewSecret(clear string) Secret {
	if clear == "" {
		return Secret{}
	}
	return Secret{value: &clear}
}

// Reveal returns the clear text. The lint configuration names the few files that may call it.
func (s Secret) Reveal() string { return s.text() }

func (s Secret) text() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal compares in constant time (for secrets of equal length).
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.text()), []byte(other.text())) == 1
}

// shortest is the length from which a secret is recognised in a text: what is shorter stands in every sentence.
const shortest = 4

// Redact returns text with the mask wherever the secret stands in it as it is.
func (s Secret) Redact(text string) string {
	if len(s.text()) < shortest {
		return text
	}
	return strings.ReplaceAll(text, s.text(), hidden)
}

// Digest returns a keyed hash to compare secrets by, in constant time whatever their lengths.
func (s Secret) Digest(key []byte) [sha256.Size]byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(s.text()))
	return [sha256.Size]byte(mac.Sum(nil))
}

// String implements fmt.Stringer without the secret.
func (s Secret) String() string { return hidden }

// GoString implements fmt.GoStringer without the secret.
func (s Secret) GoString() string { return hidden }

// Format implements fmt.Formatter, so that no verb reaches the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue implements slog.LogValuer without the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText refuses: a secret is never encoded, not even hidden, because a reader would store the mask.
func (s Secret) MarshalText() ([]byte, error) { return nil, errors.New("a secret cannot be encoded") }

// Value refuses: a database gets sealed values only, and would otherwise be given the mask by String.
func (s Secret) Value() (driver.Value, error) {
	return nil, errors.New("a secret cannot be stored unsealed")
}

// UnmarshalText takes a secret from JSON, a form or the environment.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
