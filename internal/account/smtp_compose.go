package account

import (
	"net/mail"

	"orbit/internal/mail/submit"
)

// Content is what somebody wants to send; how it leaves is the account's business.
type Content struct {
	To      []string
	Subject string
	Text    string
	HTML    string // optional

	// An event may bring its own; the account's Force use of configuration decides whose win.
	ReplyTo, ReturnPath, Confirmation string
}

// Compose applies the account's rules to a content: who it is from, where answers, errors and receipts go.
// footer is the text of System Parameters, used when the account enables it.
func Compose(s SMTPSettings, c Content, footer string) submit.Message {
	choose := func(account, event string) string {
		if s.ForceConfiguration || event == "" {
			return account
		}
		return event
	}
	m := submit.Message{
		From:       mail.Address{Name: s.SenderName, Address: s.SenderEmail},
		Subject:    c.Subject,
		Text:       c.Text,
		HTML:       c.HTML,
		ReplyTo:    mail.Address{Address: choose(s.ReplyToEmail, c.ReplyTo)},
		ReturnPath: choose(s.ReturnPathEmail, c.ReturnPath),
	}
	for _, address := range c.To {
		m.To = append(m.To, mail.Address{Address: address})
	}
	if s.SendReadConfirmation {
		m.ConfirmationTo = choose(s.ConfirmationEmail, c.Confirmation)
	}
	if s.EnableFooter {
		m.Footer = footer
	}
	return m
}
