package reply

import (
	"strings"

	"orbit/internal/mail/reply/parts"
)

// reportType is the report-type that the message announces, with the parts to prove it or not.
func (rd *reading) reportType() string {
	value := strings.ToLower(rd.header.Get("Content-Type"))
	_, after, found := strings.Cut(value, "report-type=")
	if !found || !strings.Contains(value, "multipart/report") {
		return ""
	}
	after, _, _ = strings.Cut(after, ";")
	return strings.Trim(after, "\"' \t")
}

// classifyReport recognises feedback reports, and the complaints that Microsoft sends without one.
func (rd *reading) classifyReport() bool {
	m := &rd.message
	switch {
	case rd.feedback != nil && (rd.isReport || m.Automatic != ""):
		m.Report = readFeedback(rd.feedback)
	case rd.reportType() == "feedback-report":
		m.Report = &Report{Type: "abuse"}
	case isMicrosoftComplaint(m):
		m.Report = &Report{Type: "abuse", UserAgent: "Microsoft JMRP"}
	default:
		return false
	}
	rd.completeReport(m.Report)
	rd.relate(m.Report.MessageID)
	return true
}

func isMicrosoftComplaint(m *Message) bool {
	return strings.EqualFold(m.From.Address, "staff@hotmail.com") && strings.HasPrefix(strings.ToLower(m.Subject), "complaint about message from")
}

func readFeedback(b *parts.Buffer) *Report {
	h, _ := parts.ParseHeader(parts.DecodeCharset("", b.String()))
	r := &Report{
		Type: strings.ToLower(h.Get("Feedback-Type")), UserAgent: h.Get("User-Agent"), MailFrom: strings.Trim(h.Get("Original-Mail-From"), "<> "),
		SourceIP: h.Get("Source-IP"), Standard: true,
	}
	for _, to := range h.All("Original-Rcpt-To") {
		r.Recipients = append(r.Recipients, strings.Trim(to, "<> "))
	}
	return r
}

// completeReport takes what only the returned message shows.
func (rd *reading) completeReport(r *Report) {
	h := rd.originalHeader()
	r.MessageID = firstOf(messageIDs(h.Get("Message-ID")))
	if len(r.Recipients) > 0 {
		return
	}
	for _, name := range []string{"X-HmXmrOriginalRecipient", "To"} {
		for _, a := range addresses(h, name) {
			r.Recipients = append(r.Recipients, a.Address)
		}
		if len(r.Recipients) > 0 {
			return
		}
	}
}

// originalHeader returns the header of the first message that is included.
func (rd *reading) originalHeader() parts.Header {
	for _, b := range rd.originals {
		if h, _ := parts.ParseHeader(parts.DecodeCharset("", b.String())); len(h) > 0 {
			return h
		}
	}
	return nil
}
