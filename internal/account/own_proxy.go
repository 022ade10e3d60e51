package account

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// behindOwn explains a sign-in that Orbit's own proxy refused. The proxy tells its clients little; what really
// stands in the way, a missing authorisation or a refusal of the provider, is known here.
func (s *Service) behindOwn(ctx context.Context, c SMTPChange, err error) error {
	var failed *ladder.Error
	if !errors.As(err, &failed) || failed.Step != ladder.Auth || s.tokens == nil || !s.own(c.SMTPHost, c.Port) {
		return err
	}
	address := c.NewCredential.Username
	if c.CredentialID != NewCredentialID {
		stored, lost := s.credentials.Find(ctx, c.CredentialID)
		if lost != nil {
			return err
		}
		address = stored.Username
	}
	_, _, trouble := s.tokens.Source(address).Token(ctx)
	var behind *ladder.Error
	fault, explained := refusedToken(failed.Fault.Reply, address)
	if errors.As(trouble, &behind) {
		fault, explained = behind.Fault, true
	}
	if !explained {
		return err
	}
	fault.Reply = failed.Fault.Reply
	return &ladder.Error{Step: ladder.Auth, Fault: fault, Err: err}
}

// refusedToken explains the words of the server behind the proxy, which the proxy repeats when that server does not
// accept a token: "535 5.7.8 smtp.office365.com:587 refuses the access token: 535 5.7.139 Authentication unsuccessful".
func refusedToken(reply, address string) (ladder.Fault, bool) {
	before, words, found := strings.Cut(reply, " refuses the access token: ")
	host, port, err := net.SplitHostPort(before[strings.LastIndex(before, " ")+1:])
	if !found || err != nil {
		return ladder.Fault{}, false
	}
	digits, text, _ := strings.Cut(words, " ")
	code, _ := strconv.Atoi(digits) // 0 has a meaning too: a server that says something else
	number, _ := strconv.Atoi(port)
	return explain.SMTP(ladder.Auth, code, "", text, explain.Context{
		Host: host, Port: number, Protocol: "SMTP", Username: address, Sender: address, OAuth: true,
	}), true
}

// withFault puts the better explanation into the step that failed.
func withFault(steps []ladder.Step, fault ladder.Fault) []ladder.Step {
	for i := range steps {
		if steps[i].Fault != nil {
			steps[i].Fault = &fault
		}
	}
	return steps
}
