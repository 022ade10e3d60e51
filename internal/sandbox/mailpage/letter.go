package mailpage

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // of any mail, not only UTF-8
	"github.com/emersion/go-message/mail"
)

// letter is a mail taken apart for reading.
type letter struct {
	Subject string
	From    string
	To      string
	ReplyTo string
	Date    string
	Headers []header
	Text    string
	HTML    string
	Files   []file
}

type header struct{ Name, Value string }

// file is an attachment.
type file struct {
	Name, Type string
	Size       int
}

// maxPart bounds what is shown of one part.
const maxPart = 1 << 20

// read takes a message apart as far as it can be understood; nothing is an error, because broken mail is shown too.
func read(raw []byte) letter {
	reader, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) {
		return letter{Subject: "(not readable as a mail)", Text: string(raw[:min(len(raw), maxPart)])}
	}
	defer func() { _ = reader.Close() }()
	l := letter{
		From: text(&reader.Header, "From"), To: text(&reader.Header, "To"), ReplyTo: text(&reader.Header, "Reply-To"),
		Date: text(&reader.Header, "Date"), Subject: text(&reader.Header, "Subject"),
	}
	if l.Subject == "" {
		l.Subject = "(no subject)"
	}
	for fields := reader.Header.Fields(); fields.Next(); {
		l.Headers = append(l.Headers, header{fields.Key(), fields.Value()})
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) || part == nil {
			return l
		}
		l.add(part)
	}
}

func (l *letter) add(part *mail.Part) {
	body, _ := io.ReadAll(io.LimitReader(part.Body, maxPart))
	switch header := part.Header.(type) {
	case *mail.InlineHeader:
		kind, _, _ := header.ContentType()
		switch {
		case kind == "text/html" && l.HTML == "":
			l.HTML = string(body)
		case strings.HasPrefix(kind, "text/") && l.Text == "" || kind == "":
			l.Text = string(body)
		default:
			l.Files = append(l.Files, file{"part", kind, len(body)})
		}
	case *mail.AttachmentHeader:
		kind, _, _ := header.ContentType()
		name, _ := header.Filename()
		l.Files = append(l.Files, file{name, kind, len(body)})
	}
}

// text is a header field, decoded where it can be.
func text(h *mail.Header, name string) string {
	if value, err := h.Text(name); err == nil {
		return value
	}
	return h.Get(name)
}

// snippet is the beginning of the text on one line.
func (l letter) snippet() string {
	const most = 110
	line := strings.Join(strings.Fields(l.Text), " ")
	if letters := []rune(line); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return line
}
