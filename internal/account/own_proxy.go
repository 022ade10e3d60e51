package account

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/proxy"
)

// behindOwn explains a sign-in that Orbit's own proxy refused, before anybody sees the step. The proxy tells its
// clients little; what really stands in the way, a missing authorisation or a refusal of the provider, is known here.
func (s *Service) behindOwn(ctx context.Context, a access, step ladder.Step) ladder.Step {
	if step.Fault == nil || step.Name != ladder.Auth || s.tokens == nil || !s.own(a.target.Host, a.target.Port) {
		return step
	}
	address, err := s.username(ctx, a)
	if err != nil {
		return step
	}
	_, _, trouble := s.tokens.Source(address).Token(ctx)
	var behind *ladder.Error
	fault, explained := refusedToken(a.protocol, step.Fault.Reply, address)
	if errors.As(trouble, &behind) {
		fault, explained = behind.Fault, true
	}
	if explained {
		fault.Reply = step.Fault.Reply
		step.Fault = &fault
	}
	return step
}

// refusedToken explains the words of the server behind the proxy, which the proxy repeats when that server does not
// accept a token.
func refusedToken(protocol, reply, address string) (ladder.Fault, bool) {
	host, port, words, ok := proxy.TokenRefusal(reply)
	if !ok {
		return ladder.Fault{}, false
	}
	number, _ := strconv.Atoi(port)
	known := explain.Context{
		Host: host, Port: number, Protocol: protocol, Username: address, Sender: address, OAuth: true,
	}
	switch protocol {
	case "IMAP":
		return explain.IMAP(ladder.Auth, "", words, known), true
	case "POP3":
		return explain.POP3(ladder.Auth, "", words, known), true
	}
	digits, text, _ := strings.Cut(words, " ")
	code, _ := strconv.Atoi(digits) // 0 has a meaning too: a server that says something else
	return explain.SMTP(ladder.Auth, code, "", text, known), true
}
