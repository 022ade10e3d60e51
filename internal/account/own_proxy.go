package account

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"orbit/internal/credential"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/proxy"
)

// behindOwn explains a step that failed at Orbit's own proxy, before anybody sees it. The advice for servers of others
// does not apply there, and what really stands in the way is known here.
func (s *Service) behindOwn(ctx context.Context, a access, step ladder.Step) ladder.Step {
	if step.Fault == nil || !s.own(a.target.Host, a.target.Port) {
		return step
	}
	switch {
	case step.Name == ladder.Auth && s.tokens != nil:
		return s.signInBehindOwn(ctx, a, step)
	case withoutTLS[step.Fault.Code]:
		fault := ownWithoutTLS(net.JoinHostPort(a.target.Host, strconv.Itoa(a.target.Port)), step.Fault.Reply)
		step.Fault = &fault
	}
	return step
}

// withoutTLS are the faults of an account that wants TLS where there is none.
var withoutTLS = map[string]bool{"starttls_not_offered": true, "tls_plain_greeting": true, "tls_not_tls": true}

func ownWithoutTLS(address, reply string) ladder.Fault {
	return ladder.Fault{
		Code: "own_proxy_without_tls", Who: ladder.You, Reply: reply,
		Cause:  address + " is a listener of Orbit's own proxy and has no such encryption, but the account demands it.",
		Remedy: "Switch Use secure connection of the account to No: the connection does not leave this machine, and the listener encrypts its own way to the mail server. To encrypt this part, too, give the listener a certificate under Settings > Notifications > Email OAuth 2.0 proxy > Listeners.",
	}
}

// signInBehindOwn explains a sign-in that the proxy refused. It tells its clients little; a missing authorisation or a
// refusal of the provider is known here.
func (s *Service) signInBehindOwn(ctx context.Context, a access, step ladder.Step) ladder.Step {
	address, err := s.username(ctx, a)
	if err != nil {
		return step
	}
	_, _, trouble := s.tokens.Source(address, credential.Self).Token(ctx)
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
