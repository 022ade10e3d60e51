package reply

import (
	"strings"

	"orbit/internal/mail/reply/parts"
)

// classifyBounce recognises delivery statuses, and what servers write instead of them.
func (rd *reading) classifyBounce() bool {
	m := &rd.message
	announced := rd.reportType() == "delivery-status"
	switch {
	case rd.status != nil && (rd.isReport || m.Automatic != ""):
		m.Bounce = readStatus(rd.status)
	case announced, rd.looksLikeBounce():
		m.Bounce = &Bounce{}
	default:
		return false
	}
	m.Bounce.MessageID = firstNonEmpty(m.Bounce.MessageID, rd.bouncedID())
	if len(m.Bounce.Recipients) == 0 {
		rd.readProse(m.Bounce)
	}
	rd.relate(m.Bounce.MessageID)
	return true
}

// maxRecipients bounds how many recipients of one bounce are read.
const maxRecipients = 500

// readStatus reads RFC 3464: a group of fields for the message, then one for each recipient.
func readStatus(buf *parts.Buffer) *Bounce {
	text := strings.TrimLeft(parts.DecodeCharset("", buf.String()), "\n")
	b := &Bounce{Standard: true}
	for text != "" && len(b.Recipients) < maxRecipients {
		var group parts.Header
		group, text = parts.ParseHeader(text)
		text = strings.TrimLeft(text, "\n")
		b.ReportingMTA = firstNonEmpty(b.ReportingMTA, typedAddress(group.Get("Reporting-MTA")))
		b.MessageID = firstNonEmpty(b.MessageID, firstOf(messageIDs(group.Get("X-Original-Message-ID"))))
		b.EnvelopeID = firstNonEmpty(b.EnvelopeID, group.Get("Original-Envelope-Id"))
		if group.Has("Final-Recipient") || group.Has("Original-Recipient") {
			b.Recipients = append(b.Recipients, readRecipient(group))
		}
	}
	return b
}

func readRecipient(h parts.Header) Recipient {
	final := typedAddress(h.Get("Final-Recipient"))
	_, diagnostic, found := strings.Cut(h.Get("Diagnostic-Code"), ";")
	if !found {
		diagnostic = h.Get("Diagnostic-Code")
	}
	r := Recipient{
		Address: firstNonEmpty(decodeXtext(typedAddress(h.Get("Original-Recipient"))), final), Final: final,
		Diagnostic: strings.Join(strings.Fields(diagnostic), " "), RemoteMTA: typedAddress(h.Get("Remote-MTA")),
	}
	r.Status = statusCode(h.Get("Status"))
	r.Action = readAction(h.Get("Action"), r.Status)
	if told := statusCode(r.Diagnostic); told != "" && (r.Status == "" || strings.HasSuffix(r.Status, ".0.0")) && r.Action != Delivered {
		r.Status = told // the server's words know more than the form
	}
	return r
}

// readAction reads the action; without one the class of the status says it (RFC 3463 2).
func readAction(value, status string) Action {
	value, _, _ = strings.Cut(value, "(")
	switch a := Action(strings.ToLower(strings.TrimSpace(value))); a {
	case Failed, Delayed, Delivered, Relayed, Expanded:
		return a
	}
	switch {
	case strings.HasPrefix(status, "2"):
		return Delivered
	case strings.HasPrefix(status, "4"):
		return Delayed
	}
	return Failed
}

// decodeXtext undoes the encoding in which SMTP carries an original recipient (RFC 3461 4).
func decodeXtext(text string) string {
	if !strings.Contains(text, "+") {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '+' && i+2 < len(text) && isUpperHex(text[i+1]) && isUpperHex(text[i+2]) && !strings.Contains(text[:i], "@") {
			if c := unhex(text[i+1])<<4 | unhex(text[i+2]); c == '+' || c == '=' || c == '@' {
				out.WriteByte(c)
				i += 2
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

func isUpperHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}

// statusCode finds an enhanced status code (RFC 3463) in the text: three numbers that are no part of an address.
func statusCode(text string) string {
	for i := 0; i+4 < len(text); i++ {
		if c := text[i]; c != '2' && c != '4' && c != '5' || text[i+1] != '.' || i > 0 && (isDigit(text[i-1]) || text[i-1] == '.') {
			continue
		}
		end := numberEnd(text, i+2)
		if end == i+2 || end >= len(text) || text[end] != '.' {
			continue
		}
		last := numberEnd(text, end+1)
		if last > end+1 && (last == len(text) || text[last] != '.' || last+1 == len(text) || !isDigit(text[last+1])) {
			return text[i:last]
		}
	}
	return ""
}

// numberEnd returns where a number of at most three digits ends.
func numberEnd(text string, i int) int {
	start := i
	for i < len(text) && i < start+3 && isDigit(text[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// bouncedID finds the Message-ID of the returned message: in its header, in the copy within the text, or in the
// thread, by which some servers answer.
func (rd *reading) bouncedID() string {
	if id := firstOf(messageIDs(rd.originalHeader().Get("Message-ID"))); id != "" {
		return id
	}
	if id := idInText(rd.body.full()); id != "" {
		return id
	}
	return firstNonEmpty(firstOf(rd.message.InReplyTo), firstOf(rd.message.References))
}

// idInText finds a Message-ID field in a text that quotes a header, indented or marked.
func idInText(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimLeft(line, " \t>|")
		name, value, found := strings.Cut(line, ":")
		if !found || !strings.EqualFold(strings.TrimSpace(name), "Message-ID") {
			continue
		}
		if !strings.Contains(value, ">") && i+1 < len(lines) { // folded
			value += strings.TrimLeft(lines[i+1], " \t>|")
		}
		if id := firstOf(messageIDs(value)); strings.Contains(id, "@") {
			return id
		}
	}
	return ""
}
