package proxy

import (
	"slices"
	"strings"
)

// offer is what a server says that it can do: IMAP's capabilities, the lines of CAPA or of EHLO.
type offer []string

// keyword returns the first word of a line in capitals. AUTH=LOGIN is an old way to write AUTH.
func keyword(line string) string {
	word, _, _ := strings.Cut(strings.ToUpper(line), " ")
	word, _, _ = strings.Cut(word, "=")
	return word
}

// has looks for a line that is nothing but this word.
func (o offer) has(word string) bool {
	for _, line := range o {
		if strings.EqualFold(strings.TrimSpace(line), word) {
			return true
		}
	}
	return false
}

// mechanisms are the ways to sign in: IMAP's AUTH=X, POP3's SASL X Y, SMTP's AUTH X Y.
func (o offer) mechanisms() map[string]bool {
	found := make(map[string]bool)
	for _, line := range o {
		if word := keyword(line); word != "AUTH" && word != "SASL" {
			continue
		}
		words := strings.FieldsFunc(strings.ToUpper(line), func(r rune) bool { return r == ' ' || r == '=' })
		for _, mechanism := range words[1:] {
			found[mechanism] = true
		}
	}
	return found
}

// relayable leaves out what only the proxy itself can use: signing in and TLS, which end here.
func (o offer) relayable(p Protocol) []string {
	relayable := make([]string, 0, len(o))
	for _, line := range o {
		if word := keyword(line); word != "" && !ours(p, word) {
			relayable = append(relayable, oneLine(line))
		}
	}
	return relayable
}

func ours(p Protocol, word string) bool {
	switch p {
	case IMAP:
		return word == "AUTH" || word == "STARTTLS" || word == "LOGINDISABLED"
	case POP3: // the front announces the two codes itself
		return slices.Contains([]string{"SASL", "STLS", "USER", "APOP", "IMPLEMENTATION", "RESP-CODES", "AUTH-RESP-CODE"}, word)
	case SMTP:
		// What begins with X is agreed between neighbours (RFC 5321 2.2.2): XCLIENT would let a client
		// pose as another. REQUIRETLS promises TLS on the way here too (RFC 8689).
		return word == "AUTH" || word == "STARTTLS" || word == "REQUIRETLS" || strings.HasPrefix(word, "X")
	}
	return false
}
