// Package problem holds the errors that a person may read.
//
// Everything else is for the log. A page, the API and the command line each turn these values into
// their own words and status in exactly one place; an error that is none of them is shown as "Orbit
// could not do this" with a reference to the log.
package problem

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotFound says that the thing asked for does not exist (any more).
var ErrNotFound = errors.New("not found")

// ErrForbidden says that the person's role does not allow what was asked.
var ErrForbidden = errors.New("forbidden")

// Field is one thing wrong with one input.
type Field struct {
	Name string // the form's and the API's field name, e.g. "smtp_host"; empty for the whole form
	Text string // a sentence: what is wrong and what to do
}

// Invalid lists everything that is wrong with an input, all at once.
type Invalid []Field

// Error joins the sentences; it is what the command line prints.
func (v Invalid) Error() string {
	texts := make([]string, len(v))
	for i, f := range v {
		texts[i] = f.Text
		if f.Name != "" {
			texts[i] = f.Name + ": " + f.Text
		}
	}
	return strings.Join(texts, "\n")
}

// Add appends a problem with a field.
func (v *Invalid) Add(field, format string, args ...any) {
	*v = append(*v, Field{Name: field, Text: fmt.Sprintf(format, args...)})
}

// Err returns v as an error, or nil when nothing is wrong.
func (v Invalid) Err() error {
	if len(v) == 0 {
		return nil
	}
	return v
}

// For returns the sentence that belongs to field, or "".
func (v Invalid) For(field string) string {
	for _, f := range v {
		if f.Name == field {
			return f.Text
		}
	}
	return ""
}

// Conflict says that somebody else changed the record since it was read. Nothing was stored; the page
// shows the differences and keeps what was typed, so that saving again is a decision.
type Conflict struct {
	What    string   // "SMTP account Office365"
	Who     string   // who changed it
	Changed []Change // where the stored record differs from what was typed
}

// Change is one field that differs.
type Change struct {
	Field  string // field name as in forms
	Label  string // the name people see
	Stored string // what is stored now
	Yours  string // what was typed
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("%s was changed by %s in the meantime", c.What, c.Who)
}

// Refused says that an action is not possible in the present state, and why: "the account is used by 3 rules".
type Refused struct {
	Text string // what is refused, why, and what to do
}

func (r *Refused) Error() string { return r.Text }

// Refuse returns a Refused.
func Refuse(format string, args ...any) error { return &Refused{Text: fmt.Sprintf(format, args...)} }

// Confirm says that the action has a consequence that the person must accept first. Sending the same
// request again with the field Name set to yes accepts it.
type Confirm struct {
	Name string // e.g. "accept_no_default"
	Text string // what would happen
}

func (c *Confirm) Error() string { return c.Text }
