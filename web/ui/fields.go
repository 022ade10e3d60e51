package ui

import (
	"strings"

	"github.com/a-h/templ"
)

// conditions tells form.js when the field is shown or enabled. The server says whether the condition is met now, so
// that nothing jumps when the page opens; without JavaScript every field is there.
func conditions(f Field) templ.Attributes {
	a := templ.Attributes{}
	if c := f.ShownWhen; c.Field != "" {
		a["data-shown-when"] = c.String()
		a["data-unmet"] = !c.Met
	}
	if c := f.EnabledWhen; c.Field != "" {
		a["data-enabled-when"] = c.String()
		a["data-off"] = !c.Met
	}
	return a
}

// String writes the condition as form.js reads it: "protocol=imap|pop3".
func (c Condition) String() string { return c.Field + "=" + strings.Join(c.Values, "|") }

// secret removes what must never be shown and says that a secret is stored.
func (f Field) secret() Field {
	f.Value = ""
	if f.Autocomplete == "" {
		f.Autocomplete = "new-password"
	}
	if f.Stored && f.Placeholder == "" {
		f.Placeholder = "Stored, enter to replace"
	}
	return f
}

func orBlank(text string) string {
	if text == "" {
		return "(blank)"
	}
	return text
}
