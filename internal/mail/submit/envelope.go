package submit

import (
	"slices"
	"strconv"
)

// Envelope is what the server is told about a message, apart from its bytes. Together they are all that a
// queue keeps to send the same message again.
type Envelope struct {
	MessageID     string   `json:"message_id"` // as in the header
	From          string   `json:"from"`       // where delivery errors go
	To            []string `json:"to"`
	International bool     `json:"international,omitempty"` // an address, also in a header, needs SMTPUTF8
}

// paths checks the envelope and returns the sender and the recipients as commands want them, each once.
// Render has checked them already; a queue may have kept them in a place that somebody else can write to.
func (e *Envelope) paths() (from string, to []string, err error) {
	sender, err := parseAddress("return_path_email", e.From)
	if err != nil {
		return "", nil, err
	}
	if len(e.To) == 0 {
		return "", nil, bad("to", "A message needs a recipient.")
	}
	for _, text := range e.To {
		recipient, err := parseAddress("to", text)
		if err != nil {
			return "", nil, err
		}
		if path := recipient.path(); !slices.Contains(to, path) {
			to = append(to, path)
		}
		e.International = e.International || recipient.international()
	}
	e.International = e.International || sender.international()
	return sender.path(), to, nil
}

// mail is the MAIL command with the parameters that the server offers and the message needs.
func (s *Session) mail(from string, e Envelope, size int64, eightBit bool) string {
	command := "MAIL FROM:" + from
	if s.offer.has("SIZE") {
		command += " SIZE=" + strconv.FormatInt(size, 10)
	}
	if eightBit && s.offer.has("8BITMIME") {
		command += " BODY=8BITMIME"
	}
	if e.International {
		command += " SMTPUTF8"
	}
	return command
}
