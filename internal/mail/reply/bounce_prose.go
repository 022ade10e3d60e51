package reply

import (
	"net/mail"
	"slices"
	"strings"
)

// looksLikeBounce recognises what servers write for people. It takes a sender that is a machine and a sentence
// that only bounces have, or the field that Exim adds.
func (rd *reading) looksLikeBounce() bool {
	m := &rd.message
	if rd.header.Has("X-Failed-Recipients") {
		return true
	}
	if !m.nullPath && !isMachine(m.From.Address) && !isMachine(m.ReturnPath) {
		return false
	}
	if hasAnyPrefix(strings.ToLower(m.Subject), bounceSubjects) {
		return true
	}
	return containsAny(strings.ToLower(strings.Join(strings.Fields(explanation(rd.body.full())), " ")), bouncePhrases)
}

// maxExplanation bounds the prose that is read: servers put it first.
const maxExplanation = 8 << 10

// explanation returns what stands above the copy of the returned message.
func explanation(body string) string {
	if len(body) > maxExplanation {
		body = body[:maxExplanation]
	}
	at := 0
	for line := range strings.Lines(body) {
		folded := strings.ToLower(strings.Trim(line, "-=_*> \t\r\n:"))
		if at > 0 && hasAnyPrefix(folded, copyStarts) {
			return body[:at]
		}
		at += len(line)
	}
	return body
}

// readProse takes the recipients and the server's words from the text.
func (rd *reading) readProse(b *Bounce) {
	text := explanation(rd.body.full())
	delayed := rd.saysDelayed(text)
	lines := strings.Split(text, "\n")
	named := rd.namedRecipients(lines)
	for i, n := range named {
		until := len(lines)
		if i+1 < len(named) && named[i+1].line > n.line {
			until = named[i+1].line
		}
		r := Recipient{Address: n.address, Final: n.address, Action: Failed, Diagnostic: diagnosticIn(lines[n.line:until], n.address)}
		if r.Diagnostic == "" {
			r.Diagnostic = diagnosticIn(lines, n.address)
		}
		if delayed {
			r.Action = Delayed
		}
		r.Status = proseStatus(r.Diagnostic, text, delayed)
		b.Recipients = append(b.Recipients, r)
	}
}

// saysDelayed reports whether the server goes on trying.
func (rd *reading) saysDelayed(text string) bool {
	return hasAnyPrefix(strings.ToLower(rd.message.Subject), delaySubjects) || containsAny(strings.ToLower(strings.Join(strings.Fields(text), " ")), delayPhrases)
}

type namedRecipient struct {
	address string
	line    int
}

// namedRecipients finds the addresses that the text complains about: those of the field that Exim adds, those
// that begin a line or follow a telling word, or else the first one.
func (rd *reading) namedRecipients(lines []string) (found []namedRecipient) {
	seen := map[string]bool{"": true}
	note := func(address string, line int) {
		key := strings.ToLower(address)
		if !seen[key] && !rd.isOurs(address) && len(found) < maxRecipients {
			seen[key] = true
			found = append(found, namedRecipient{address, line})
		}
	}
	for _, value := range rd.header.All("X-Failed-Recipients") {
		for _, address := range strings.Split(value, ",") {
			address = strings.TrimSpace(address)
			note(address, lineOf(lines, address))
		}
	}
	if len(found) > 0 {
		return found
	}
	for i, line := range lines {
		for _, a := range addressesIn(line) {
			if a.at == 0 || containsAny(strings.ToLower(line[:a.end]), recipientWords) {
				note(a.text, i)
			}
		}
	}
	for i, line := range lines {
		for _, a := range addressesIn(line) {
			if len(found) == 0 {
				note(a.text, i)
			}
		}
	}
	return found
}

func lineOf(lines []string, address string) int {
	return max(slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, address) }), 0)
}

// isOurs leaves out the addresses that a bounce names but does not complain about.
func (rd *reading) isOurs(address string) bool {
	if rd.options.own(address) || isMachine(address) {
		return true
	}
	return slices.ContainsFunc(addresses(rd.header, "To"), func(to mail.Address) bool { return strings.EqualFold(to.Address, address) })
}

// addressAt is an address in a line; at is 0 when only brackets and blanks stand before it.
type addressAt struct {
	text    string
	at, end int
}

// addressesIn finds addresses in prose.
func addressesIn(line string) (found []addressAt) {
	for from := 0; from < len(line); {
		sign := strings.IndexByte(line[from:], '@')
		if sign < 0 {
			return found
		}
		sign += from
		start, end := sign, sign+1
		for start > from && isLocalByte(line[start-1]) {
			start--
		}
		for end < len(line) && isDomainByte(line[end]) {
			end++
		}
		domain := strings.Trim(line[sign+1:end], ".-")
		if start < sign && strings.Contains(domain, ".") {
			at := start
			if strings.Trim(line[:start], " \t<>\"'(*-") == "" {
				at = 0
			}
			found = append(found, addressAt{line[start:sign] + "@" + domain, at, end})
		}
		from = end
	}
	return found
}

func isLocalByte(c byte) bool {
	return isDomainByte(c) || strings.IndexByte("!#$%&*+/=?^_`{|}~", c) >= 0
}

func isDomainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '.' || c == '-' || c >= 0x80
}

// maxDiagnostic bounds the server's words.
const maxDiagnostic = 500

// diagnosticIn returns the line with an SMTP reply or a status code and what belongs to it, or else the words
// that follow the address.
func diagnosticIn(lines []string, address string) string {
	for i, line := range lines {
		if statusCode(line) != "" || hasReplyCode(line) {
			return paragraph(lines[i:])
		}
	}
	for i, line := range lines {
		if _, after, found := strings.Cut(line, address); found {
			after = strings.Trim(after, ">:;,. \t\"')")
			if after == "" && i+1 < len(lines) {
				return paragraph(lines[i+1:])
			}
			return after
		}
	}
	return ""
}

// paragraph joins the lines up to the next blank one.
func paragraph(lines []string) string {
	var words []string
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			break
		}
		words = append(words, strings.Fields(line)...)
	}
	text := strings.Join(words, " ")
	return strings.ToValidUTF8(text[:min(len(text), maxDiagnostic)], "")
}

// hasReplyCode finds a three-digit SMTP reply that begins a word: "550 no such user", "said: 552-".
func hasReplyCode(line string) bool {
	for i := 0; i+3 < len(line); i++ {
		if c := line[i]; c != '4' && c != '5' || !isDigit(line[i+1]) || !isDigit(line[i+2]) || line[i+1] > '5' {
			continue
		}
		before, after := i == 0 || strings.IndexByte(" #:(\"'<>-\t", line[i-1]) >= 0, line[i+3]
		if before && (after == ' ' || after == '-' || after == ':' || after == '"') {
			return true
		}
	}
	return false
}

// proseStatus finds or guesses the status code, in the words about the recipient first.
func proseStatus(diagnostic, text string, delayed bool) string {
	for _, words := range []string{diagnostic, text} {
		if code := statusCode(words); code != "" {
			return code
		}
		if code := guessStatus(words); code != "" && !delayed {
			return code
		}
	}
	if delayed {
		return "4.0.0"
	}
	return "5.0.0"
}

func guessStatus(text string) string {
	lower := strings.ToLower(text)
	for _, guess := range statusGuesses {
		if containsAny(lower, guess.phrases) {
			return guess.status
		}
	}
	return ""
}
