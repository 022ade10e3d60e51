package reply

import (
	"strings"

	"orbit/internal/mail/reply/parts"
)

// Auth is what the receiving server found out about the sender (RFC 8601), read from the configured server only.
type Auth struct {
	Server  string   // the id that was trusted; "" when nothing is trusted
	Results []Result // topmost first
}

// Result is one method's finding.
type Result struct {
	Method string            // "spf", "dkim", "dmarc", "arc"
	Value  string            // "pass", "fail", "none", "temperror" ...
	Reason string            // the server's words, if any
	Props  map[string]string // "header.d", "smtp.mailfrom", "header.from"
}

// Verdict returns the value for a method: of several dkim results the best, because one good signature is
// enough; of any other the worst, because only a forger gains by two. "" means not reported.
func (a Auth) Verdict(method string) string {
	verdict := ""
	for _, r := range a.Results {
		switch {
		case r.Method != method:
		case verdict == "", method == "dkim" && r.Value == "pass", method != "dkim" && r.Value != "pass":
			verdict = r.Value
		}
	}
	return verdict
}

// Authentic reports whether the receiving server vouches for the address in From: DMARC passed, for the domain of
// the only address there. Without a trusted server nothing is authentic.
func (m *Message) Authentic() bool {
	if !m.onlyFrom || m.Auth.Verdict("dmarc") != "pass" {
		return false
	}
	_, domain, _ := strings.Cut(m.From.Address, "@")
	for _, r := range m.Auth.Results {
		if from := r.Props["header.from"]; r.Method == "dmarc" && from != "" && !strings.EqualFold(domainOf(from), domain) {
			return false
		}
	}
	return domain != ""
}

func domainOf(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return address[at+1:]
	}
	return address
}

// readAuth takes the topmost field of the trusted server, and those of the same server that follow before the
// next Received: filters on one host write a field each. What stands below that came with the message.
func readAuth(h parts.Header, trusted string) (a Auth) {
	if trusted == "" {
		return a
	}
	for _, field := range h {
		switch {
		case strings.EqualFold(field.Name, "Received") && a.Server != "":
			return a
		case !strings.EqualFold(field.Name, "Authentication-Results"):
			continue
		}
		server, results := parseResults(field.Value)
		switch {
		case trusted == NoAuthservID && server != "":
			return a // another server's field on top: ours would stand above it
		case trusted == NoAuthservID, strings.EqualFold(server, trusted):
			a.Server = trusted
			a.Results = append(a.Results, results...)
		}
		if trusted == NoAuthservID {
			return a
		}
	}
	return a
}
