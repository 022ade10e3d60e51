package proxy

import (
	"encoding/base64"
	"fmt"
	"strings"

	"orbit/internal/mail/sasl"
)

// imapServer speaks IMAP as a client (RFC 9051).
type imapServer struct{ *server }

func (s imapServer) greeting() error {
	line, err := s.line()
	if err != nil {
		return err
	}
	status, rest, _ := strings.Cut(strings.TrimPrefix(line, "* "), " ")
	if !strings.HasPrefix(line, "* ") || !strings.EqualFold(status, "OK") {
		return &Rejection{Reply: oneLine(line), Temporary: true}
	}
	s.takeCode(rest)
	return nil
}

func (s imapServer) startTLS() error {
	reply, err := s.command("STARTTLS", nil)
	return agreed(reply, err)
}

func (s imapServer) learn() error {
	if s.offer != nil {
		return nil
	}
	reply, err := s.command("CAPABILITY", nil)
	return agreed(reply, err)
}

// agreed takes any answer but OK for an error.
func agreed(reply imapReply, err error) error {
	if err == nil && reply.status != "OK" {
		err = &Rejection{Reply: reply.String(), Temporary: true}
	}
	return err
}

// authenticate signs in, and makes sure that the capabilities afterwards are known (RFC 9051 6.2.2).
func (s imapServer) authenticate(bearer *sasl.Bearer) error {
	mechanism, initial, err := bearer.Start()
	if err != nil {
		return err
	}
	response := base64.StdEncoding.EncodeToString(initial)
	command := "AUTHENTICATE " + mechanism
	if s.offer.has("SASL-IR") {
		command, response = command+" "+response, ""
	}
	s.offer = nil
	reply, err := s.command(command, func(challenge string) error {
		if response == "" {
			return s.answer(bearer, challenge)
		}
		first := response
		response = ""
		return s.send(first)
	})
	if err != nil {
		return err
	}
	if reply.status != "OK" {
		return &Rejection{Reply: reply.String(), Refusal: bearer.Refusal(), Temporary: reply.temporary()}
	}
	s.words = s.takeCode(reply.text)
	return s.learn()
}

func (s imapServer) farewell() { _ = s.send("o LOGOUT") }

// imapReply is the tagged end of a command.
type imapReply struct{ status, text string }

func (r imapReply) String() string { return oneLine(r.status + " " + r.text) }

// temporary: the codes of RFC 5530 that heal by themselves.
func (r imapReply) temporary() bool {
	for _, code := range []string{"[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]"} {
		if strings.HasPrefix(strings.ToUpper(r.text), code) {
			return true
		}
	}
	return false
}

// command sends one command and reads to its end. Proceed answers continuations; nil: there must be none.
func (s imapServer) command(text string, proceed func(challenge string) error) (imapReply, error) {
	if err := s.send("o " + text); err != nil {
		return imapReply{}, err
	}
	for range maxServerLines {
		line, err := s.line()
		if err != nil {
			return imapReply{}, err
		}
		mark, rest, _ := strings.Cut(line, " ")
		switch {
		case mark == "o":
			status, text, _ := strings.Cut(rest, " ")
			return imapReply{strings.ToUpper(status), text}, nil
		case mark == "*":
			s.untagged(rest)
		case strings.HasPrefix(line, "+") && proceed != nil:
			if err := proceed(strings.TrimPrefix(line, "+")); err != nil {
				return imapReply{}, err
			}
		default:
			return imapReply{}, fmt.Errorf("the server answered %q", oneLine(line))
		}
	}
	return imapReply{}, fmt.Errorf("the server did not come to an end in %d lines", maxServerLines)
}

// untagged keeps capabilities, and what people must be shown (RFC 9051 7.1, ALERT).
func (s imapServer) untagged(rest string) {
	if list, ok := cutFold(rest, "CAPABILITY "); ok {
		s.offer = strings.Fields(list)
		return
	}
	_, text, _ := strings.Cut(rest, " ")
	if _, ok := cutFold(text, "[ALERT]"); ok {
		s.alerts = append(s.alerts, "* "+oneLine(rest))
	}
}

// takeCode learns from a [CAPABILITY ...] at the front of a reply's text and returns what follows.
func (s imapServer) takeCode(text string) string {
	list, ok := cutFold(text, "[CAPABILITY ")
	if !ok {
		return oneLine(text)
	}
	list, rest, _ := strings.Cut(list, "]")
	s.offer = strings.Fields(list)
	return oneLine(strings.TrimSpace(rest))
}

// cutFold is strings.CutPrefix for words in any case.
func cutFold(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}
