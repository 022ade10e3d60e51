package proxy

import (
	"encoding/base64"
	"fmt"
	"strings"

	"orbit/internal/mail/sasl"
)

// pop3Server speaks POP3 as a client (RFC 1939, RFC 2449, RFC 5034).
type pop3Server struct{ *server }

func (s pop3Server) greeting() error { return s.positive("") }

func (s pop3Server) startTLS() error { return s.positive("STLS") }

// positive sends a command, if there is one, and wants +OK.
func (s pop3Server) positive(command string) error {
	if command != "" {
		if err := s.send(command); err != nil {
			return err
		}
	}
	line, err := s.line()
	if err == nil && !strings.HasPrefix(line, "+OK") {
		err = &Rejection{Reply: oneLine(line), Temporary: true}
	}
	return err
}

// learn asks for the capabilities; old servers know no CAPA, which is no fault.
func (s pop3Server) learn() error {
	s.offer = offer{}
	if err := s.send("CAPA"); err != nil {
		return err
	}
	line, err := s.line()
	if err != nil || !strings.HasPrefix(line, "+OK") {
		return err
	}
	for range maxServerLines {
		line, err := s.line()
		if err != nil || line == "." {
			return err
		}
		s.offer = append(s.offer, line)
	}
	return fmt.Errorf("the server did not come to an end in %d lines", maxServerLines)
}

// authenticate never sends the token with the command: lines of commands have 255 octets (RFC 2449 4).
func (s pop3Server) authenticate(bearer *sasl.Bearer) error {
	mechanism, initial, err := bearer.Start()
	if err != nil {
		return err
	}
	if err := s.send("AUTH " + mechanism); err != nil {
		return err
	}
	response := base64.StdEncoding.EncodeToString(initial)
	for range maxServerLines {
		line, err := s.line()
		challenge, more := strings.CutPrefix(line, "+ ")
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(line, "+OK"):
			s.words = oneLine(strings.TrimSpace(line[len("+OK"):]))
			return nil
		case strings.HasPrefix(line, "-ERR"):
			return &Rejection{Reply: oneLine(line), Refusal: bearer.Refusal(), Temporary: pop3Temporary(line)}
		case !more && line != "+":
			return fmt.Errorf("the server answered %q", oneLine(line))
		case response != "":
			err = s.send(response)
			response = ""
		default:
			err = s.answer(bearer, challenge)
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("the server did not come to an end in %d lines", maxServerLines)
}

func (s pop3Server) farewell() { _ = s.send("QUIT") }

// pop3Temporary: the codes of RFC 2449 8.1 and RFC 3206 4 that heal by themselves.
func pop3Temporary(line string) bool {
	line = strings.ToUpper(line)
	return strings.Contains(line, "[SYS/TEMP]") || strings.Contains(line, "[IN-USE]") || strings.Contains(line, "[LOGIN-DELAY]")
}
