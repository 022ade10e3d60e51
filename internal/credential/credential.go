// Package credential keeps names, usernames and sealed secrets that accounts, proxies and connectors point to.
//
// A secret is written once and never shown. It is kept in one sealed copy for each destination that it may
// be sent to (table credential_secret); the copy's destination is part of what seals it, so "change the
// host, keep the password, press Test" fails by arithmetic, not by a check that somebody could forget. The
// copy for Self always exists: Verify compares sign-ins at Orbit's own listeners with it, and Approve the
// secret that a person types when a credential is chosen for a new destination.
package credential

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// ErrNotApproved says that the secret may not be sent to this destination until somebody types it once more.
var ErrNotApproved = errors.New("the credential's secret was not entered for this destination yet")

// Credential is a row without its secret.
type Credential struct {
	ID         int64
	Name       string
	Username   string
	CreatedAt  time.Time
	ChangedAt  time.Time
	ChangedBy  string
	Version    int
	LastUsedAt *time.Time // latest use at any destination, exact to a minute
	UsedBy     []Use      `db:"-"`
}

// Use names a record that points to a credential.
type Use struct {
	What string // "SMTP account"
	Name string
	URL  string // its page
}

// Limits of what people type.
const (
	maxName     = 100
	maxUsername = 320 // the longest address: 64 + @ + 255
)

// normal drops the blanks that copying brings along. Secrets are left as they are: a blank may be part of one.
func normal(name, username string) (string, string) {
	return strings.TrimSpace(name), strings.TrimSpace(username)
}

// Validate lists everything that is wrong with what somebody typed. A stored credential may come without a
// secret: then it keeps the one it has.
func (c Credential) Validate(secret vault.Secret) problem.Invalid {
	var wrong problem.Invalid
	name, username := normal(c.Name, c.Username)
	checkText(&wrong, "name", "name", name, maxName)
	checkText(&wrong, "username", "username", username, maxUsername)
	if c.ID == 0 || !secret.IsZero() {
		checkSecret(&wrong, secret)
	}
	return wrong
}

func checkText(wrong *problem.Invalid, field, noun, text string, limit int) {
	switch {
	case text == "":
		wrong.Add(field, "Enter a %s.", noun)
	case utf8.RuneCountInString(text) > limit:
		wrong.Add(field, "The %s is longer than %d characters; shorten it.", noun, limit)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		wrong.Add(field, "The %s contains a control character, such as a line break; remove it.", noun)
	}
}
