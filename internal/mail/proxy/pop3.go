package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"orbit/internal/vault"
)

// maxPOP3Line bounds a command (RFC 2449 4 asks for 255; long passwords need more).
const maxPOP3Line = 1024

// pop3Front speaks POP3 in the AUTHORIZATION state (RFC 1939 4 and 7).
type pop3Front struct {
	*client
	username string // from USER, until PASS
}

// greet sends no timestamp, so that nobody tries APOP: it needs a password that the server knows.
func (f *pop3Front) greet() error { return f.say("+OK Orbit POP3 proxy ready") }

func (f *pop3Front) next(ctx context.Context) (attempt, error) {
	for {
		line, err := f.readLine(maxSASL)
		name, argument, _ := strings.Cut(string(line), " ")
		name = strings.ToUpper(name)
		if errors.Is(err, errLineTooLong) || len(line) > maxPOP3Line && name != "AUTH" {
			err = f.complain("-ERR The line is too long")
		} else if err == nil {
			var found bool
			var a attempt
			if a, found, err = f.command(ctx, name, argument); found {
				return a, err
			}
		}
		if err != nil {
			return attempt{}, err
		}
	}
}

// command answers one command. Found says that it was a complete sign-in.
func (f *pop3Front) command(ctx context.Context, name, argument string) (a attempt, found bool, err error) {
	if f.offersTLS() && (name == "USER" || name == "PASS" || name == "AUTH") {
		return a, false, f.complain("-ERR Use STLS first") // RFC 2595 4
	}
	switch name {
	case "USER":
		return a, false, f.user(argument)
	case "PASS":
		return f.pass(argument)
	case "AUTH":
		return f.auth(argument)
	}
	return a, false, f.simple(ctx, name)
}

// simple answers the commands that need no sign-in; none of them disturbs USER and PASS around it. Any
// other is refused here and never reaches the server.
func (f *pop3Front) simple(ctx context.Context, name string) error {
	switch name {
	case "CAPA":
		return f.say("+OK Capability list follows\r\n%s\r\n.", strings.Join(f.capabilities(ctx), "\r\n"))
	case "NOOP":
		return f.say("+OK")
	case "QUIT":
		return errors.Join(f.say("+OK Bye"), errQuit)
	case "STLS":
		if !f.offersTLS() {
			return f.complain("-ERR STLS is not available")
		}
		f.username = "" // RFC 2595 4: nothing learnt before TLS stays
		return f.startTLS(ctx, "+OK Begin TLS negotiation")
	case "APOP":
		return f.complain("-ERR APOP is not available, use USER and PASS")
	}
	return f.complain("-ERR Sign in first")
}

// capabilities are ours for signing in, and the server's for what follows (RFC 2449 5).
func (f *pop3Front) capabilities(ctx context.Context) []string {
	learnt := f.offer(ctx)
	if learnt == nil {
		learnt = []string{"TOP", "UIDL"} // what every server has
	}
	if f.offersTLS() {
		return append([]string{"STLS", "RESP-CODES", "AUTH-RESP-CODE"}, learnt...)
	}
	return append([]string{"USER", "SASL " + strings.Join(mechanisms, " "), "RESP-CODES", "AUTH-RESP-CODE"}, learnt...)
}

func (f *pop3Front) user(name string) error {
	if name == "" {
		return f.complain("-ERR USER takes a name")
	}
	f.username = name
	return f.say("+OK Send PASS")
}

// pass takes the whole rest of the line: passwords have spaces (RFC 1939 7).
func (f *pop3Front) pass(password string) (a attempt, found bool, err error) {
	if f.username == "" {
		return a, false, f.complain("-ERR Send USER first")
	}
	a = attempt{username: f.username, password: vault.NewSecret(password)}
	f.username = ""
	return a, true, nil
}

// auth takes AUTH (RFC 5034); without a mechanism it lists them, as Outlook expects.
func (f *pop3Front) auth(argument string) (a attempt, found bool, err error) {
	f.username = ""
	if argument == "" {
		return a, false, f.say("+OK\r\n%s\r\n.", strings.Join(mechanisms, "\r\n"))
	}
	mechanism, initial, _ := strings.Cut(argument, " ")
	a, err = f.exchange(mechanism, initial, "+ ")
	switch {
	case errors.Is(err, errMechanism):
		return a, false, f.complain("-ERR Unsupported mechanism, use %s", strings.Join(mechanisms, " or "))
	case errors.Is(err, errCancelled), errors.Is(err, errBase64), errors.Is(err, errLineTooLong):
		return a, false, f.complain("-ERR Not signed in: %v", err)
	}
	return a, true, err
}

func (f *pop3Front) welcome(s *server) error { return f.say("+OK %s", s.words) }

func (f *pop3Front) refuse(r *Refusal) error {
	text := r.reply()
	switch r.Reason {
	case WrongCredentials, UnknownAccount, TokenRefused:
		return f.say("-ERR [AUTH] %s", text) // RFC 3206 4
	case ProviderRefused:
		return f.say("-ERR [SYS/PERM] %s", text)
	case Unreachable:
		return errors.Join(f.say("-ERR [SYS/TEMP] %s", text), errQuit)
	case Unauthorised, Unavailable, Limited:
	}
	return f.say("-ERR [SYS/TEMP] %s", text)
}

func (f *pop3Front) farewell(why error) {
	switch {
	case errors.Is(why, errSessions):
		_ = f.say("-ERR [SYS/TEMP] Too many connections")
	case errors.Is(why, errDraining):
		_ = f.say("-ERR [SYS/TEMP] The proxy is being stopped")
	default:
		_ = f.say("-ERR %s", oneLine(fmt.Sprintf("Closing the connection: %v", why)))
	}
}
