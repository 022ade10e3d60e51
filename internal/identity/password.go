package identity

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// NIST SP 800-63B and OWASP ASVS 6.2: length counts, composition rules do not.
const (
	minPassword = 12
	maxPassword = 256 // argon2id would take more, but nobody types it and each byte costs memory before sign-in
)

// common_passwords.txt holds, one a line and in lower case, what people choose when twelve characters are asked for,
// and the words that they decorate with digits and signs.
//
//go:embed common_passwords.txt
var commonPasswordFile string

var commonPasswords = sync.OnceValue(func() map[string]bool {
	common := map[string]bool{}
	for word := range strings.FieldsSeq(commonPasswordFile) {
		common[word] = true
	}
	return common
})

// checkPassword says in field's words what is wrong with a new password of u. It needs no network and no database.
func checkPassword(wrong *problem.Invalid, field string, password vault.Secret, u User) {
	clear := norm.NFC.String(password.Reveal())
	length := utf8.RuneCountInString(clear)
	switch {
	case clear == "":
		wrong.Add(field, "Enter a password of %d characters or more. A sentence is easy to remember.", minPassword)
	case !utf8.ValidString(clear) || hasControl(clear):
		wrong.Add(field, "The password holds a character that cannot be typed, such as a line break. Use letters, digits, signs and spaces.")
	case length < minPassword:
		wrong.Add(field, "The password has %d characters; use %d or more. A sentence is easy to remember.", length, minPassword)
	case length > maxPassword:
		wrong.Add(field, "The password has %d characters; use at most %d.", length, maxPassword)
	case resembles(clear, u.Username) || resembles(clear, u.Email):
		wrong.Add(field, "The password is little more than the username or the e-mail address. Choose something else.")
	case monotonous(clear) || isCommon(clear):
		wrong.Add(field, "This password is among the first that anybody tries. Choose one that is not a common word, a keyboard row or a repetition.")
	}
}

// leastBesideName is how much of a password must remain when the person's own name is taken out of it.
const leastBesideName = 6

// resembles reports whether password is little more than name.
func resembles(password, name string) bool {
	if name == "" {
		return false
	}
	rest := strings.ReplaceAll(strings.ToLower(password), strings.ToLower(name), "")
	return len(rest) < len(password) && utf8.RuneCountInString(rest) < leastBesideName
}

// fewestDifferent is how many different characters keep a password from being a repetition.
const fewestDifferent = 5

// monotonous reports whether password repeats a few characters or only counts up or down.
func monotonous(password string) bool {
	different := map[rune]bool{}
	runes := []rune(strings.ToLower(password))
	up, down := true, true
	for i, r := range runes {
		different[r] = true
		if i > 0 {
			up = up && (r == runes[i-1]+1 || r == '0' && runes[i-1] == '9')
			down = down && (r == runes[i-1]-1 || r == '9' && runes[i-1] == '0')
		}
	}
	return up || down || len(different) < fewestDifferent
}

// disguises are the replacements that everybody knows.
var disguises = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", " ", "")

// isCommon looks password up as it is, undisguised, and without the digits and signs that people put around a word.
func isCommon(password string) bool {
	lower := strings.ToLower(password)
	bare := trimSigns(lower)
	for _, candidate := range []string{lower, bare, disguises.Replace(lower), disguises.Replace(bare)} {
		if commonPasswords()[candidate] {
			return true
		}
	}
	return false
}

// trimSigns takes away what does not belong to a word at both ends.
func trimSigns(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
}
