package mailserver

import (
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	gosasl "github.com/emersion/go-sasl"

	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/mailbox"
)

// NewIMAP returns an IMAP server.
func NewIMAP(o Options, signs Signs) Server {
	return imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &reading{o: o, signs: signs, words: wordsOf(o.Identity.Flavour())}, nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapNamespace: {}, imap.CapMove: {}, imap.CapLiteralPlus: {}, imap.CapListStatus: {},
		},
		TLSConfig: o.TLS, InsecureAuth: signs == Passwords, Logger: logger{o.Log, "IMAP"},
	})
}

// reading is one IMAP connection.
type reading struct {
	*mailbox.Session // nil before sign-in
	o                Options
	signs            Signs
	words            *words
}

// AuthenticateMechanisms implements go-imap's SessionSASL.
func (s *reading) AuthenticateMechanisms() []string { return s.signs.mechanisms() }

// Authenticate begins an exchange.
func (s *reading) Authenticate(mechanism string) (gosasl.Server, error) {
	switch {
	case slices.Contains(s.signs.mechanisms(), mechanism):
		return checks{
			password: s.Login, token: s.checkToken, flavour: s.o.Identity.Flavour(),
			malformed: &imap.Error{Type: imap.StatusResponseTypeBad, Text: "Invalid SASL argument"},
		}.mechanism(mechanism), nil
	case slices.Contains(passwordMechanisms, mechanism):
		return nil, s.words.imapBasic
	}
	return nil, imapNo("", "Unsupported authentication mechanism")
}

// Login is the LOGIN command.
func (s *reading) Login(username, password string) error {
	if s.signs != Passwords {
		return s.words.imapBasic
	}
	if err := s.o.Identity.CheckPassword(username, password); err != nil {
		return s.words.imapRefusal(err)
	}
	return s.open(username)
}

func (s *reading) checkToken(username, token string) error {
	if err := s.o.Identity.CheckToken(idp.IMAP, username, token); err != nil {
		return s.words.imapRefusal(err)
	}
	return s.open(username)
}

func (s *reading) open(username string) error {
	box, err := s.o.Mail.Open(username)
	if err != nil {
		return imapNo(imap.ResponseCodeUnavailable, "The mailbox is not available")
	}
	s.Session = box.NewSession()
	return nil
}

// Close ends the session.
func (s *reading) Close() error {
	if s.Session == nil {
		return nil
	}
	return s.Session.Close()
}
