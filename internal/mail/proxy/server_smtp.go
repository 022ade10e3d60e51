package proxy

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"orbit/internal/mail/sasl"
)

// smtpServer speaks SMTP as a client (RFC 5321, RFC 3207, RFC 4954).
type smtpServer struct {
	*server
	hello string
}

func (s smtpServer) greeting() error {
	code, lines, err := s.reply()
	return expect(220, code, lines, err)
}

func (s smtpServer) startTLS() error {
	if err := s.learn(); err != nil {
		return err
	}
	if !s.offer.has("STARTTLS") {
		return errNoSTARTTLS
	}
	code, lines, err := s.command("STARTTLS")
	return expect(220, code, lines, err)
}

func (s smtpServer) learn() error {
	code, lines, err := s.command("EHLO " + s.hello)
	if err := expect(250, code, lines, err); err != nil {
		return err
	}
	s.offer = lines[1:]
	return nil
}

// expect takes any code but the one wanted for an error.
func expect(want, code int, lines []string, err error) error {
	if err == nil && code != want {
		err = &Rejection{Reply: smtpText(code, lines), Temporary: true}
	}
	return err
}

// authenticate sends the token with the command where the line has room for it (RFC 4954 4).
func (s smtpServer) authenticate(bearer *sasl.Bearer) error {
	mechanism, initial, err := bearer.Start()
	if err != nil {
		return err
	}
	response := base64.StdEncoding.EncodeToString(initial)
	command := "AUTH " + mechanism
	if line := command + " " + response; len(line)+2 <= maxSMTPLine {
		command, response = line, ""
	}
	code, lines, err := s.command(command)
	for rounds := 0; err == nil && code == 334 && rounds < 5; rounds++ {
		if response != "" {
			err = s.send(response)
			response = ""
		} else {
			err = s.answer(bearer, lines[0])
		}
		if err == nil {
			code, lines, err = s.reply()
		}
	}
	switch {
	case err != nil:
		return err
	case code != 235:
		return &Rejection{Reply: smtpText(code, lines), Refusal: bearer.Refusal(), Temporary: code < 500}
	}
	s.words = oneLine(lines[len(lines)-1])
	return nil
}

func (s smtpServer) farewell() { _ = s.send("QUIT") }

func (s smtpServer) command(line string) (int, []string, error) {
	if err := s.send(line); err != nil {
		return 0, nil, err
	}
	return s.reply()
}

// reply reads one reply with all its lines (RFC 5321 4.2); there is always at least one.
func (s smtpServer) reply() (code int, lines []string, err error) {
	for range maxServerLines {
		line, err := s.line()
		if err != nil {
			return 0, nil, err
		}
		if len(line) == 3 {
			line += " "
		}
		if len(line) < 4 || line[3] != ' ' && line[3] != '-' {
			return 0, nil, fmt.Errorf("the server answered %q", oneLine(line))
		}
		if code, err = strconv.Atoi(line[:3]); err != nil || code < 200 || code > 599 {
			return 0, nil, fmt.Errorf("the server answered %q", oneLine(line))
		}
		lines = append(lines, line[4:])
		if line[3] == ' ' {
			return code, lines, nil
		}
	}
	return 0, nil, fmt.Errorf("the server did not come to an end in %d lines", maxServerLines)
}

func smtpText(code int, lines []string) string {
	return oneLine(fmt.Sprintf("%d %s", code, strings.Join(lines, " ")))
}
