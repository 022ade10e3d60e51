package fetch

import (
	"strings"

	"orbit/internal/mail/explain"
)

// response is a status response (RFC 9051 7.1): "* OK [CAPABILITY IMAP4rev1] ready", "o1 NO [INUSE] locked".
type response struct {
	tag  string // "*" for untagged
	word string // upper case: OK, NO, BAD, BYE, PREAUTH, CAPABILITY and whatever else there is
	code string // upper case, without arguments
	args string // of the code
	text string // the rest
}

// parseResponse takes a line apart. False: it is no IMAP response.
func parseResponse(line string) (response, bool) {
	tag, rest, found := strings.Cut(line, " ")
	if !found || tag == "" || strings.TrimSpace(rest) == "" {
		return response{}, false
	}
	word, text, _ := strings.Cut(rest, " ")
	r := response{tag: tag, word: strings.ToUpper(word), text: strings.TrimSpace(text)}
	if code, after, closed := strings.Cut(r.text, "]"); closed && strings.HasPrefix(code, "[") {
		name, args, _ := strings.Cut(code[1:], " ")
		r.code, r.args, r.text = strings.ToUpper(name), args, strings.TrimSpace(after)
	}
	return r, true
}

func (r response) refusal() *Refusal {
	return &Refusal{Status: r.word, Code: explain.Clean(r.code), Text: explain.Clean(r.text)}
}

// capabilities returns what a CAPABILITY response or code lists.
func (r response) capabilities() (words string, found bool) {
	switch {
	case r.word == "CAPABILITY":
		return r.text, true
	case r.code == "CAPABILITY":
		return r.args, true
	}
	return "", false
}

// newOffer reads a list of capabilities.
func newOffer(words string) offer {
	var o offer
	for _, name := range strings.Fields(strings.ToUpper(words)) {
		o.names = append(o.names, name)
		if mechanism, ok := strings.CutPrefix(name, "AUTH="); ok {
			o.mechanisms = append(o.mechanisms, mechanism)
		}
	}
	return o
}
