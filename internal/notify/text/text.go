// Package text turns a notification's text and the values of its event into a subject, plain text and HTML.
//
// It is a function of its arguments: no database, no clock, no network.
package text

// Source is a text before its values are filled in.
type Source struct {
	Type     string // "access_request.created", or the text of another purpose: "digest"
	Language string // "en", "pt" or "es"

	// What an administrator wrote in place of the built-in text; both empty: the built-in one.
	Subject string // one line with tags
	Message string // HTML with tags
}

// Values are what the tags stand for, by the tag's name: "DEVICE_HOSTNAME". They come from outside, so
// rendering escapes each for the place where it stands.
type Values map[string]string

// Rendered is a text with its values filled in.
type Rendered struct {
	Subject string
	Text    string
	HTML    string
}
