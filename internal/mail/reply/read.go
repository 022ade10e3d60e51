package reply

import (
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	"orbit/internal/mail/reply/parts"
)

// Read reads a message to its end and judges it. A message can be as broken as it likes: the error is only that
// of r, and the message holds what was read until then.
func Read(r io.Reader, o Options) (Message, error) {
	o.Limits = o.Limits.orDefault()
	rd := &reading{options: o}
	header, problems, err := parts.Walk(r, o.Limits.Limits, rd.visit)
	rd.header = header
	rd.finish()
	rd.message.Problems = problems
	if err != nil {
		return rd.message, fmt.Errorf("read message: %w", err)
	}
	return rd.message, nil
}

// reading is one message on its way to a judgement.
type reading struct {
	options   Options
	header    parts.Header
	message   Message
	body      body
	status    *parts.Buffer // delivery status
	notice    *parts.Buffer // disposition notification
	feedback  *parts.Buffer // feedback report
	originals []*parts.Buffer
	isReport  bool         // a multipart/report, or a part of one
	described []attachment // parts that are no text
	parts     int
	direct    bool // it answers the sent message itself, not somebody's remark on it
}

// attachment keeps the part, whose size is known only at the end.
type attachment struct {
	number int
	part   *parts.Part
}

// A report and the header of a returned message are short; what is longer is not read.
const maxReport = 64 << 10

// visit decides what becomes of a part.
func (rd *reading) visit(p *parts.Part) io.Writer {
	number := rd.parts
	rd.parts++
	rd.isReport = rd.isReport || p.Parent == "multipart/report"
	switch p.Type {
	case "message/delivery-status", "message/global-delivery-status":
		return keepFirst(&rd.status)
	case "message/disposition-notification", "message/global-disposition-notification":
		return keepFirst(&rd.notice)
	case "message/feedback-report":
		return keepFirst(&rd.feedback)
	case "text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers", "message/global-headers":
		return rd.original()
	case "message/rfc822", "message/global":
		rd.described = append(rd.described, attachment{number, p})
		return rd.original()
	case "text/calendar":
		rd.message.Calendar = strings.ToUpper(p.Params["method"])
	case "text/plain", "text/html":
		if isBody(p) {
			return rd.body.add(p, rd.options.Limits)
		}
	}
	rd.described = append(rd.described, attachment{number, p})
	return nil
}

func keepFirst(b **parts.Buffer) io.Writer {
	if *b != nil {
		return nil
	}
	*b = &parts.Buffer{Max: maxReport}
	return *b
}

// maxOriginals bounds how many included messages are looked into.
const maxOriginals = 5

func (rd *reading) original() io.Writer {
	if len(rd.originals) == maxOriginals {
		return nil
	}
	b := &parts.Buffer{Max: maxReport}
	rd.originals = append(rd.originals, b)
	return b
}

// isBody reports whether a text is what the writer wrote rather than something sent along.
func isBody(p *parts.Part) bool {
	if p.Filename != "" || p.Disposition == "attachment" {
		return false
	}
	switch p.Parent {
	case "multipart/related", "multipart/signed", "multipart/encrypted":
		return p.Nth == 0
	}
	return true
}

// finish judges when all is read.
func (rd *reading) finish() {
	rd.readHeader()
	m := &rd.message
	m.Auth = readAuth(rd.header, rd.options.AuthservID)
	m.Attachments = rd.attachments()
	rd.classify()
	if rd.options.Excerpt == 0 {
		m.HTML, m.Body = rd.body.html(), rd.body.full()
	}
}

func (rd *reading) readHeader() {
	h, m := rd.header, &rd.message
	m.MessageID = firstOf(messageIDs(h.Get("Message-ID")))
	m.InReplyTo = messageIDs(h.Get("In-Reply-To"))
	m.References = messageIDs(h.Get("References"))
	from, exact := parts.Addresses(h.Get("From"))
	m.From = firstAddress(from)
	m.onlyFrom = exact && len(from) == 1 && h.Count("From") == 1
	m.Sender = firstAddress(addresses(h, "Sender"))
	m.ReplyTo, m.To, m.Cc = addresses(h, "Reply-To"), addresses(h, "To"), addresses(h, "Cc")
	m.Subject = strings.Join(strings.Fields(h.Text("Subject")), " ")
	m.Date = readDate(h.Get("Date"))
	m.ReturnPath, m.nullPath = returnPath(h)
}

func addresses(h parts.Header, name string) []mail.Address {
	list, _ := parts.Addresses(h.Get(name))
	return list
}

func firstAddress(list []mail.Address) mail.Address {
	if len(list) == 0 {
		return mail.Address{}
	}
	return list[0]
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// returnPath reads the topmost Return-Path. Some systems write the null path with a name in it.
func returnPath(h parts.Header) (path string, null bool) {
	value := h.Get("Return-Path")
	path = strings.Trim(value, "<> ")
	null = h.Has("Return-Path") && (value == "<>" || path == "" || strings.EqualFold(path, "MAILER-DAEMON"))
	if null {
		return "", true
	}
	return path, false
}

// dateLayouts are for dates that the library refuses.
var dateLayouts = []string{"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "2006-01-02 15:04:05 -0700", time.RFC3339, time.ANSIC, time.UnixDate, "Mon, 2 Jan 2006 15:04:05 MST-07:00"}

func readDate(value string) time.Time {
	if t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", value); err == nil { // as nearly all write it
		return t
	}
	if t, err := mail.ParseDate(value); err == nil {
		return t
	}
	value, _, _ = strings.Cut(value, " (")
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, strings.TrimSpace(value)); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (rd *reading) attachments() (list []Attachment) {
	for _, a := range rd.described {
		if a.part.Type == "application/pgp-encrypted" {
			continue // the version line of RFC 3156
		}
		list = append(list, Attachment{
			Part: a.number, Name: attachmentName(a.part), Type: a.part.Type, Size: a.part.Size,
			Inline:    a.part.Disposition == "inline" || a.part.Parent == "multipart/related" && a.part.Disposition == "",
			ContentID: strings.Trim(a.part.Header.Get("Content-ID"), "<> "),
		})
	}
	return list
}

func attachmentName(p *parts.Part) string {
	if p.Filename == "" {
		return parts.DecodeWords(p.Header.Get("Content-Description"))
	}
	return p.Filename
}

// CopyPart reads a message and copies the decoded body of the part that an Attachment names to w.
func CopyPart(w io.Writer, r io.Reader, part int, l Limits) error {
	number := 0
	var failed error
	_, _, err := parts.Walk(r, l.Limits, func(*parts.Part) io.Writer {
		number++
		if number-1 != part {
			return nil
		}
		return writerFunc(func(p []byte) (int, error) {
			if failed == nil {
				_, failed = w.Write(p)
			}
			return len(p), nil
		})
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("copy part %d: %w", part, err)
	}
	return nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
