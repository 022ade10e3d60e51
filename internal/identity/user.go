package identity

import (
	"net/mail"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // a time zone must be known on a machine without zone files too
	"unicode"
	"unicode/utf8"

	"orbit/internal/problem"
)

// Lengths that keep a name readable in a table and a row far below any index limit.
const (
	maxUsername = 100
	maxFullName = 200
	maxEmail    = 254 // RFC 5321 4.5.3.1.3, less the angle brackets
)

// Language is what a person reads mails and pages in.
type Language string

// The languages.
const (
	English    Language = "en"
	Portuguese Language = "pt"
	Spanish    Language = "es"
)

// Languages lists every language in the order in which a drop-down shows them.
func Languages() []Language { return []Language{English, Portuguese, Spanish} }

// Valid reports whether l is one of the languages.
func (l Language) Valid() bool {
	switch l {
	case English, Portuguese, Spanish:
		return true
	}
	return false
}

// Label is the language's name in that language.
func (l Language) Label() string {
	switch l {
	case English:
		return "English"
	case Portuguese:
		return "Português"
	case Spanish:
		return "Español"
	}
	return string(l)
}

// User is somebody who may sign in. The password is not part of it: it is set by its own methods and never read back.
type User struct {
	ID         int64
	Username   string
	Email      string
	FullName   string
	Role       Role
	Language   Language
	TimeZone   string // IANA name, e.g. "America/Sao_Paulo"
	Active     bool
	CreatedAt  time.Time
	ChangedAt  time.Time
	ChangedBy  string
	LastSignIn *time.Time // nil before the first sign-in
	Version    int        // rises with each change; a form sends back the one it has read
}

// Location is the zone in which the user reads times; UTC for a name that this machine does not know.
func (u User) Location() *time.Location {
	zone, err := time.LoadLocation(u.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// DisplayName is the full name, or the username of somebody who has none.
func (u User) DisplayName() string {
	if u.FullName != "" {
		return u.FullName
	}
	return u.Username
}

// withDefaults trims what people paste and fills in what a form may leave out.
func (u User) withDefaults() User {
	u.Username = strings.TrimSpace(u.Username)
	u.Email = strings.TrimSpace(u.Email)
	u.FullName = strings.TrimSpace(u.FullName)
	if u.Language == "" {
		u.Language = English
	}
	if u.TimeZone == "" {
		u.TimeZone = "UTC"
	}
	return u
}

// Validate lists everything wrong with u, by the field names of forms and API.
func (u User) Validate() problem.Invalid {
	var wrong problem.Invalid
	checkUsername(&wrong, u.Username)
	checkEmail(&wrong, u.Email)
	if utf8.RuneCountInString(u.FullName) > maxFullName || hasControl(u.FullName) {
		wrong.Add("full_name", "Use at most %d characters without line breaks.", maxFullName)
	}
	if !u.Role.Valid() {
		wrong.Add("role", "Choose administrator, operator, auditor or member.")
	}
	if !u.Language.Valid() {
		wrong.Add("language", "Choose English, Portuguese or Spanish.")
	}
	checkTimeZone(&wrong, u.TimeZone)
	return wrong
}

// usernamePattern keeps names that look alike in every font and need no quoting on a command line. An e-mail
// address is a username too.
var usernamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+@-]*$`)

func checkUsername(wrong *problem.Invalid, name string) {
	switch {
	case name == "":
		wrong.Add("username", "Enter a username.")
	case len(name) > maxUsername:
		wrong.Add("username", "Use at most %d characters.", maxUsername)
	case !usernamePattern.MatchString(name):
		wrong.Add("username", "Use letters A to Z, digits and . _ + @ - only, beginning with a letter or digit.")
	}
}

func checkEmail(wrong *problem.Invalid, address string) {
	if address == "" {
		return
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > maxEmail || hasControl(address) {
		wrong.Add("email", "Enter an e-mail address such as ana@example.com, or leave it empty.")
	}
}

func checkTimeZone(wrong *problem.Invalid, name string) {
	// "Local" and "" load, but mean the server's zone, which is nobody's choice.
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		wrong.Add("time_zone", "Choose a time zone by its IANA name, such as America/Sao_Paulo or UTC.")
	}
}

func hasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }
