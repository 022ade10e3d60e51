package proxy

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// welcome passes the server's words on. A client that now says EHLO again, as some do to learn what has
// changed, would be shown the server's own ways to sign in. Before its first other command nothing is under
// way, so that EHLO can safely be answered here; one that comes later passes untouched like all else.
func (f *smtpFront) welcome(s *server) error {
	if err := f.say("235 %s", s.words); err != nil {
		return err
	}
	_ = f.conn.SetReadDeadline(time.Now().Add(idleLimits[SMTP].client))
	for {
		again, err := f.helloFollows()
		if err != nil || !again {
			return err
		}
		if err := f.helloAgain(s); err != nil {
			return err
		}
	}
}

// helloFollows waits for the client's next octets, no more of them than tell EHLO and HELO from the rest.
func (f *smtpFront) helloFollows() (bool, error) {
	for n := 1; n <= len("EHLO "); n++ {
		start, err := f.in.Peek(n)
		if err != nil {
			return false, err
		}
		seen := strings.ToUpper(string(start))
		if !strings.HasPrefix("EHLO ", seen) && !strings.HasPrefix("HELO ", seen) {
			return false, nil
		}
	}
	return true, nil
}

// helloAgain asks the server and strikes out what only the proxy may use.
func (f *smtpFront) helloAgain(s *server) error {
	line, err := f.readLine(maxSMTPLine)
	name, argument, _ := strings.Cut(string(line), " ")
	argument = strings.TrimSpace(argument)
	switch {
	case errors.Is(err, errLineTooLong):
		return f.complain("500 5.5.2 The line is too long")
	case err != nil:
		return err
	case f.bareLF || !validHello(argument):
		return f.complain("501 5.5.4 %s takes the name of this client", name)
	}
	code, lines, err := smtpServer{server: s}.command(fmt.Sprintf("%s %s", name, argument))
	if err != nil {
		return err
	}
	if code == 250 {
		lines = append(lines[:1], offer(lines[1:]).relayable(SMTP)...)
	}
	return f.send(multiline(code, lines))
}
