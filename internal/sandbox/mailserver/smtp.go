package mailserver

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	gosasl "github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/mailbox"
)

const (
	smtpTimeout   = 5 * time.Minute // RFC 5321 4.5.3.2.7
	maxRecipients = 500             // as Microsoft's
)

// NewSMTP returns a submission server.
func NewSMTP(o Options, signs Signs) Server {
	var tries atomic.Int64
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secure := c.TLSConnectionState()
		return &submission{o: o, signs: signs, words: wordsOf(o.Identity.Flavour()), secure: secure, tries: &tries}, nil
	}))
	s.Domain = serverName
	s.TLSConfig = o.TLS
	s.AllowInsecureAuth = signs == Passwords
	s.MaxMessageBytes = o.Mail.MaxMessage()
	s.MaxRecipients = maxRecipients
	s.MaxLineLength = maxLine
	s.ReadTimeout, s.WriteTimeout = smtpTimeout, smtpTimeout
	s.EnableSMTPUTF8 = true
	s.ErrorLog = logger{o.Log, "SMTP"}
	return s
}

// submission is one SMTP connection.
type submission struct {
	o      Options
	signs  Signs
	words  *words
	secure bool
	tries  *atomic.Int64 // at the greylisted recipient
	user   string        // "" before sign-in
	from   string
	to     []string
}

// AuthMechanisms implements go-smtp's AuthSession.
func (s *submission) AuthMechanisms() []string { return s.signs.mechanisms() }

// Auth begins an exchange. A server of tokens refuses before it has read a password.
func (s *submission) Auth(mechanism string) (gosasl.Server, error) {
	switch {
	case slices.Contains(s.signs.mechanisms(), mechanism):
		return checks{
			password: s.checkPassword, token: s.checkToken, flavour: s.o.Identity.Flavour(),
			malformed: smtpError(501, 5, 5, 2, "Cannot decode response"),
		}.mechanism(mechanism), nil
	case slices.Contains(passwordMechanisms, mechanism):
		return nil, s.words.smtpBasic
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *submission) checkPassword(username, password string) error {
	if err := s.o.Identity.CheckPassword(username, password); err != nil {
		return s.words.smtpRefusal(err)
	}
	s.user = username
	return nil
}

func (s *submission) checkToken(username, token string) error {
	if err := s.o.Identity.CheckToken(idp.SMTP, username, token); err != nil {
		return s.words.smtpRefusal(err)
	}
	s.user = username
	return nil
}

// Reset implements go-smtp's Session.
func (s *submission) Reset() { s.from, s.to = "", nil }

// Logout implements go-smtp's Session.
func (s *submission) Logout() error { return nil }

// Mail takes any sender of somebody who has signed in.
func (s *submission) Mail(from string, _ *smtp.MailOptions) error {
	if s.user == "" {
		return s.words.smtpNobody
	}
	s.from = from
	return nil
}

// Rcpt takes every recipient but those whose names ask for a refusal.
func (s *submission) Rcpt(to string, _ *smtp.RcptOptions) error {
	local := localPart(to)
	if no := rehearsed[local]; no != nil {
		return no
	}
	if local == greylisted && s.tries.Add(1)%2 == 1 {
		return errGreylisted
	}
	s.to = append(s.to, to)
	return nil
}

// Data keeps a copy in the mailbox of every recipient.
func (s *submission) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := mailbox.Message{Sender: s.from, To: s.to, SignedIn: s.user, Received: time.Now(), Raw: append(s.trace(), raw...)}
	for i, to := range s.to {
		if slices.ContainsFunc(s.to[:i], func(before string) bool { return strings.EqualFold(before, to) }) {
			continue
		}
		if err := s.o.Mail.Deliver(to, m); err != nil {
			return undeliverable(err)
		}
	}
	return nil
}

// trace is what a server writes above a message (RFC 5321 4.4).
func (s *submission) trace() []byte {
	with := "ESMTPA" // RFC 3848
	if s.secure {
		with = "ESMTPSA"
	}
	return []byte("Return-Path: <" + s.from + ">\r\nReceived: by " + serverName + " with " + with + "; " + time.Now().Format(time.RFC1123Z) + "\r\n")
}

func undeliverable(err error) error {
	switch {
	case errors.Is(err, mailbox.ErrTooLarge):
		return smtp.ErrDataTooLarge
	case errors.Is(err, mailbox.ErrMailboxes):
		return smtpError(452, 4, 3, 1, "The sandbox has no room for another mailbox")
	}
	return err
}
