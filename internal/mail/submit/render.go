package submit

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Render builds the message and its envelope. The error is a *BadValue that names the field.
func Render(m Message) ([]byte, Envelope, error) {
	h, err := checkMessage(m)
	if err != nil {
		return nil, Envelope{}, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	h.fill(msg)
	for _, extra := range m.Headers {
		msg.SetGenHeader(gomail.Header(extra.Name), strings.Join(strings.Fields(extra.Value), " "))
	}
	addBodies(msg, m)
	var out bytes.Buffer
	out.Grow(len(m.Text) + len(m.HTML) + 2<<10)
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, Envelope{}, fmt.Errorf("render message: %w", err)
	}
	return out.Bytes(), h.envelope, nil
}

// addBodies sets the text, the HTML, or both as alternatives.
func addBodies(msg *gomail.Msg, m Message) {
	if m.HTML == "" || m.Text != "" {
		text, how := encodeBody(withFooter(m.Text, m.Footer))
		msg.SetBodyWriter(gomail.TypeTextPlain, writing(text), gomail.WithPartEncoding(how))
	}
	if m.HTML != "" {
		document, how := encodeBody(htmlWithFooter(m.HTML, m.Footer))
		msg.AddAlternativeWriter(gomail.TypeTextHTML, writing(document), gomail.WithPartEncoding(how))
	}
}

// writing gives go-mail a text without another copy of it.
func writing(text string) func(io.Writer) (int64, error) {
	return func(w io.Writer) (int64, error) {
		n, err := io.WriteString(w, text)
		return int64(n), err
	}
}

// head is the checked header of a message.
type head struct {
	from, replyTo *mail.Address
	to            []*mail.Address
	confirmation  string
	subject       string
	date          time.Time
	envelope      Envelope
}

// checkMessage checks every value that ends in the header or the envelope.
func checkMessage(m Message) (head, error) {
	h := head{date: m.Date}
	if h.date.IsZero() {
		h.date = time.Now()
	}
	for _, check := range []func(Message) error{h.checkSender, h.checkRecipients, h.checkAnswers, h.checkTexts, h.checkID} {
		if err := check(m); err != nil {
			return head{}, err
		}
	}
	return h, checkHeaders(m.Headers)
}

func (h *head) checkSender(m Message) (err error) {
	if h.from, err = h.mailbox("sender", m.From); err != nil {
		return err
	}
	h.envelope.From = h.from.Address
	if m.ReturnPath != "" {
		h.envelope.From, err = h.address("return_path_email", m.ReturnPath)
	}
	return err
}

func (h *head) checkRecipients(m Message) error {
	if len(m.To) == 0 {
		return bad("to", "A message needs a recipient.")
	}
	for _, to := range m.To {
		box, err := h.mailbox("to", to)
		if err != nil {
			return err
		}
		h.to = append(h.to, box)
		h.envelope.To = append(h.envelope.To, box.Address)
	}
	return nil
}

func (h *head) checkAnswers(m Message) (err error) {
	if m.ReplyTo.Address != "" {
		if h.replyTo, err = h.mailbox("reply_to", m.ReplyTo); err != nil {
			return err
		}
	}
	if m.ConfirmationTo != "" {
		h.confirmation, err = h.address("confirmation_email", m.ConfirmationTo)
	}
	return err
}

func (h *head) checkTexts(m Message) error {
	if err := clean("subject", m.Subject); err != nil {
		return err
	}
	if len(m.Subject) > maxHeader {
		return bad("subject", "The subject is longer than %d characters.", maxHeader)
	}
	h.subject = encodeText(m.Subject)
	return nil
}

// checkID keeps a given Message-ID, or makes one that nobody can guess, of the sender's domain: some filters
// distrust others.
func (h *head) checkID(m Message) (err error) {
	id := m.MessageID
	if id == "" {
		_, domain, _ := strings.Cut(h.from.Address, "@")
		id = rand.Text() + "@" + strings.ReplaceAll(strings.Trim(domain, "[]"), ":", "-")
	}
	h.envelope.MessageID, err = checkMessageID(id)
	return err
}

// mailbox checks an address with its display name. The field names are those of forms: sender_email, sender_name.
func (h *head) mailbox(field string, a mail.Address) (*mail.Address, error) {
	nameField, addressField := field+"_name", field+"_email"
	if field == "to" {
		nameField, addressField = field, field
	}
	if err := clean(nameField, a.Name); err != nil {
		return nil, err
	}
	if len(a.Name) > maxName {
		return nil, bad(nameField, "The name is longer than %d characters.", maxName)
	}
	text, err := h.address(addressField, a.Address)
	if err != nil {
		return nil, err
	}
	return &mail.Address{Name: displayName(a.Name), Address: text}, nil
}

// displayName keeps a name from being read as something else: "=?" begins an encoded word for many programs
// even inside quotes, and net/mail writes a backslash beside letters outside ASCII so that nobody can read it.
func displayName(name string) string {
	name = strings.ReplaceAll(strings.Join(strings.Fields(name), " "), "=?", "= ?")
	if !ascii([]byte(name)) {
		name = strings.ReplaceAll(name, `\`, "/")
	}
	return name
}

func (h *head) address(field, text string) (string, error) {
	a, err := parseAddress(field, text)
	if err != nil {
		return "", err
	}
	h.envelope.International = h.envelope.International || a.international()
	return a.String(), nil
}

// fill hands the header to go-mail. Values are clean and encoded by now; go-mail folds them.
func (h *head) fill(msg *gomail.Msg) {
	msg.FromMailAddress(h.from)
	msg.ToMailAddress(h.to...)
	if h.replyTo != nil {
		msg.ReplyToMailAddress(h.replyTo)
	}
	if h.confirmation != "" {
		msg.SetGenHeaderPreformatted(gomail.HeaderDispositionNotificationTo, "<"+h.confirmation+">")
	}
	msg.SetGenHeader(gomail.HeaderSubject, h.subject)
	msg.SetDateWithValue(h.date)
	msg.SetMessageIDWithValue(strings.Trim(h.envelope.MessageID, "<>"))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation notes in return, please
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
}

// withFooter appends the footer as a signature, which mail programs leave out of answers (RFC 3676 4.3).
func withFooter(text, footer string) string {
	if footer == "" {
		return text
	}
	return strings.TrimRight(text, "\r\n") + "\n\n-- \n" + footer + "\n"
}

// htmlWithFooter puts the footer at the end of the body.
func htmlWithFooter(document, footer string) string {
	if footer == "" {
		return document
	}
	paragraph := `<p style="font-size:small">` + strings.ReplaceAll(html.EscapeString(footer), "\n", "<br>\n") + "</p>\n"
	end := strings.LastIndex(strings.ToLower(document), "</body>")
	if end < 0 || len(strings.ToLower(document)) != len(document) {
		return document + paragraph
	}
	return document[:end] + paragraph + document[end:]
}
