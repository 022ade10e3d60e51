package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// maxIMAPLine bounds a command without its literals: RFC 7162 4 asks for 8192, a SASL response may be longer.
const maxIMAPLine = maxSASL

// maxLiteral bounds a literal before sign-in, of either kind (RFC 7888 5).
const maxLiteral = 4096

// imapFront speaks IMAP in the "not authenticated" state (RFC 9051 6.1 and 6.2).
type imapFront struct {
	*client
	tag string // of the sign-in under way
}

func (f *imapFront) greet() error {
	return f.say("* OK [CAPABILITY %s] Orbit IMAP proxy ready", f.capabilities())
}

// capabilities are our own: the server's come with the OK to the sign-in.
func (f *imapFront) capabilities() string {
	switch {
	case f.offersTLS():
		return "IMAP4rev1 LITERAL- ID STARTTLS LOGINDISABLED"
	default:
		return "IMAP4rev1 SASL-IR LITERAL- ID AUTH=" + strings.Join(mechanisms, " AUTH=")
	}
}

func (f *imapFront) next(ctx context.Context) (attempt, error) {
	for {
		line, err := f.readLine(maxIMAPLine)
		if errors.Is(err, errLineTooLong) {
			err = f.complain("* BAD The line is too long")
		} else if err == nil {
			var found bool
			var a attempt
			if a, found, err = f.command(ctx, string(line)); found {
				return a, err
			}
		}
		if err != nil {
			return attempt{}, err
		}
	}
}

// command answers one command. Found says that it was a complete sign-in.
func (f *imapFront) command(ctx context.Context, line string) (a attempt, found bool, err error) {
	tag, rest, _ := strings.Cut(line, " ")
	name, rest, _ := strings.Cut(rest, " ")
	if !validTag(tag) || name == "" {
		return a, false, errors.Join(f.skipLiterals(line), f.complain("* BAD A command has a tag and a name"))
	}
	f.tag = tag
	name = strings.ToUpper(name)
	if name == "LOGIN" || name == "AUTHENTICATE" {
		return f.signIn(name, rest)
	}
	if err := f.skipLiterals(line); err != nil {
		return a, false, err
	}
	if _, synchronising, ok := announced(line); ok && synchronising { // a tagged reply in place of the plus refuses it
		name = ""
	}
	return a, false, f.simple(ctx, name)
}

// simple answers the commands that need no sign-in. Any other is refused here and never reaches the server.
func (f *imapFront) simple(ctx context.Context, name string) error {
	switch name {
	case "CAPABILITY":
		return f.say("* CAPABILITY %s\r\n%s OK CAPABILITY completed", f.capabilities(), f.tag)
	case "NOOP":
		return f.say("%s OK NOOP completed", f.tag)
	case "ID":
		return f.say("* ID (\"name\" \"Orbit\")\r\n%s OK ID completed", f.tag)
	case "LOGOUT":
		return errors.Join(f.say("* BYE Logging out\r\n%s OK LOGOUT completed", f.tag), errQuit)
	case "STARTTLS":
		return f.starttls(ctx)
	}
	return f.complain("%s BAD Sign in first", f.tag)
}

func (f *imapFront) starttls(ctx context.Context) error {
	if !f.offersTLS() {
		return f.complain("%s BAD STARTTLS is not available", f.tag)
	}
	return f.startTLS(ctx, f.tag+" OK Begin TLS negotiation now")
}

// signIn takes LOGIN and AUTHENTICATE.
func (f *imapFront) signIn(name, rest string) (a attempt, found bool, err error) {
	if f.offersTLS() { // RFC 9051 6.2.3: LOGINDISABLED
		return a, false, errors.Join(f.skipLiterals(rest), f.complain("%s NO [PRIVACYREQUIRED] Use STARTTLS first", f.tag))
	}
	if name == "LOGIN" {
		a, err = f.login(rest)
	} else {
		mechanism, initial, _ := strings.Cut(rest, " ")
		a, err = f.exchange(mechanism, initial, "+ ")
	}
	if reply := f.exchangeReply(err); reply != "" {
		return attempt{}, false, f.complain("%s %s", f.tag, reply)
	}
	return a, true, err
}

// exchangeReply is the answer to an attempt that went wrong but leaves the session usable.
func (f *imapFront) exchangeReply(err error) string {
	switch {
	case errors.Is(err, errMechanism):
		return "NO Unsupported mechanism, use " + strings.Join(mechanisms, " or ")
	case errors.Is(err, errCancelled):
		return "BAD Authentication cancelled" // RFC 9051 6.2.2
	case errors.Is(err, errBase64):
		return "BAD The response is not base64"
	case errors.Is(err, errLineTooLong):
		return "BAD The line is too long"
	case errors.Is(err, errArguments):
		return "BAD LOGIN takes a user name and a password"
	case errors.Is(err, errTooBig):
		return "BAD [TOOBIG] The literal is too long"
	}
	return ""
}

// welcome repeats the server's words under the client's tag, with the capabilities that are valid now.
func (f *imapFront) welcome(s *server) error {
	var lines strings.Builder
	for _, line := range s.alerts {
		lines.WriteString(line + "\r\n")
	}
	return f.say("%s%s OK [CAPABILITY %s] %s", lines.String(), f.tag, strings.Join(s.offer.relayable(IMAP), " "), s.words)
}

func (f *imapFront) refuse(r *Refusal) error {
	text := r.reply()
	switch r.Reason {
	case WrongCredentials, UnknownAccount, TokenRefused:
		return f.say("%s NO [AUTHENTICATIONFAILED] %s", f.tag, text)
	case Unauthorised, ProviderRefused:
		// ALERT is shown to people; without AUTHENTICATIONFAILED no program asks for another password.
		return f.say("* NO [ALERT] %s\r\n%s NO [UNAVAILABLE] %s", text, f.tag, text)
	case Limited:
		return f.say("%s NO [LIMIT] %s", f.tag, text)
	case Unreachable:
		// Programs take BYE for a lost connection and come back later; after NO they ask for a password.
		return errors.Join(f.say("* BYE [UNAVAILABLE] %s\r\n%s NO [UNAVAILABLE] %s", text, f.tag, text), errQuit)
	case Unavailable:
	}
	return f.say("%s NO [UNAVAILABLE] %s", f.tag, text)
}

func (f *imapFront) farewell(why error) {
	_ = f.say("* BYE %s", imapFarewell(why))
}

func imapFarewell(why error) string {
	switch {
	case errors.Is(why, errSessions):
		return "[LIMIT] Too many connections"
	case errors.Is(why, errDraining):
		return "[UNAVAILABLE] The proxy is being stopped"
	case errors.Is(why, errInjected):
		return "Nothing may follow STARTTLS before TLS"
	}
	return fmt.Sprintf("Closing the connection: %v", why)
}

// validTag: RFC 9051 9, tag. A plus would look like a continuation.
func validTag(tag string) bool {
	return tag != "" && len(tag) <= 64 && !strings.ContainsFunc(tag, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\+`, r)
	})
}
