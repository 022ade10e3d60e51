package submit

import (
	"net/mail"
	"strings"
	"time"
)

// Message is what Orbit sends: a text, perhaps the same as HTML, from one sender.
type Message struct {
	From           mail.Address   // the sender that people see
	To             []mail.Address // at least one
	Subject        string
	Text           string
	HTML           string       // optional
	Footer         string       // plain text; appended to both
	ReplyTo        mail.Address // optional: where answers go
	ReturnPath     string       // optional: the envelope sender, where delivery errors go; else From
	ConfirmationTo string       // optional: asks for a read receipt to this address (RFC 8098)
	MessageID      string       // optional, with or without angle brackets; else made with the sender's domain
	Date           time.Time    // optional; else now
	Headers        []Header     // optional; see allowedHeader
}

// Header is one more line of the header.
type Header struct{ Name, Value string }

// Limits that no sensible message meets; they keep a mistake from becoming a header that servers refuse.
const (
	maxName   = 200
	maxHeader = 8 << 10
	maxWord   = 900 // RFC 5322 2.1.1: 998 a line, and a header is folded only at blanks
)

// allowedHeader names the headers that a caller may add: threading, lists (RFC 2369, 2919, 8058) and Orbit's
// own. All others are either ours to set or change what the message is.
func allowedHeader(name string) bool {
	switch strings.ToLower(name) {
	case "in-reply-to", "references", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help", "list-archive":
		return true
	}
	own, ok := strings.CutPrefix(strings.ToLower(name), "x-orbit-")
	return ok && own != "" && strings.Trim(own, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// checkHeaders refuses what is not on the list, and values that would have to be encoded: these headers are
// for programs.
func checkHeaders(headers []Header) error {
	seen := map[string]bool{}
	for _, h := range headers {
		name := strings.ToLower(h.Name)
		if err := clean("headers", h.Name+h.Value); err != nil {
			return err
		}
		switch {
		case !allowedHeader(h.Name):
			return bad("headers", "The header “%s” can't be set.", h.Name)
		case seen[name]:
			return bad("headers", "The header “%s” is there twice.", h.Name)
		case !ascii([]byte(h.Value)) || len(h.Value) > maxHeader || longestWord(h.Value) > maxWord || strings.TrimSpace(h.Value) == "":
			return bad("headers", "The header “%s” needs a value in ASCII that fits into lines of 998 characters.", h.Name)
		}
		seen[name] = true
	}
	return nil
}

func longestWord(text string) int {
	longest := 0
	for word := range strings.FieldsSeq(text) {
		longest = max(longest, len(word))
	}
	return longest
}

// checkMessageID returns the id with angle brackets. Only what every mail program understands is let through.
func checkMessageID(text string) (string, error) {
	id := strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
	left, right, found := strings.Cut(id, "@")
	word := func(s string) bool {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || r == '[' || r == ']' || !localPartRune(r) }) < 0
	}
	if !found || !word(left) || !word(right) || len(id) > maxWord {
		return "", bad("message_id", "“%s” is not a Message-ID.", printable(text))
	}
	return "<" + id + ">", nil
}
