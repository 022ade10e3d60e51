package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxSMTPLine bounds a command with its end (RFC 5321 4.5.3.1.4); only AUTH may be longer.
const maxSMTPLine = 512

// smtpFront speaks SMTP submission until AUTH has succeeded (RFC 6409, RFC 4954).
type smtpFront struct{ *client }

func (f *smtpFront) greet() error { return f.say("220 %s ESMTP Orbit proxy ready", f.name) }

func (f *smtpFront) next(ctx context.Context) (attempt, error) {
	for {
		line, err := f.readLine(maxSASL)
		name, argument, _ := strings.Cut(string(line), " ")
		name = strings.ToUpper(name)
		switch {
		case errors.Is(err, errLineTooLong), len(line)+2 > maxSMTPLine && name != "AUTH":
			err = f.complain("500 5.5.2 The line is too long")
		case err == nil && f.bareLF: // RFC 5321 2.3.8: only CR LF ends a line
			err = f.complain("500 5.5.2 A line must end with CR LF")
		case err == nil:
			var found bool
			var a attempt
			if a, found, err = f.command(ctx, name, strings.TrimSpace(argument)); found {
				return a, err
			}
		}
		if err != nil {
			return attempt{}, err
		}
	}
}

// command answers one command. Found says that it was a complete sign-in.
func (f *smtpFront) command(ctx context.Context, name, argument string) (a attempt, found bool, err error) {
	switch name {
	case "EHLO", "HELO":
		return a, false, f.greeted(ctx, name, argument)
	case "AUTH":
		return f.auth(argument)
	case "STARTTLS":
		return a, false, f.starttls(ctx, argument)
	case "MAIL", "RCPT", "DATA", "BURL", "ETRN":
		return a, false, f.complain("530 5.7.0 Authentication required") // RFC 4954 6
	case "BDAT": // its octets follow without being asked for, and must not be taken for commands
		return a, false, errors.Join(f.say("530 5.7.0 Authentication required"), errLiteral)
	}
	return a, false, f.simple(name)
}

// simple answers the commands that need no sign-in. Any other is refused here and never reaches the server.
func (f *smtpFront) simple(name string) error {
	switch name {
	case "NOOP", "RSET":
		return f.say("250 2.0.0 OK")
	case "HELP":
		return f.say("214 2.0.0 EHLO, then AUTH %s; the commands of the mail server follow", strings.Join(mechanisms, " or "))
	case "QUIT":
		return errors.Join(f.say("221 2.0.0 Bye"), errQuit)
	case "VRFY", "EXPN":
		return f.complain("502 5.5.1 Not available before authentication")
	}
	return f.complain("500 5.5.1 Command not recognised")
}

// greeted answers EHLO and HELO.
func (f *smtpFront) greeted(ctx context.Context, name, argument string) error {
	if !validHello(argument) {
		return f.complain("501 5.5.4 %s takes the name of this client", name)
	}
	f.hello = argument
	if name == "HELO" {
		return f.say("250 %s", f.name)
	}
	return f.send(multiline(250, append([]string{f.name}, f.extensions(ctx)...)))
}

// extensions are the server's, as far as they can be relayed, and our own ways to sign in.
func (f *smtpFront) extensions(ctx context.Context) []string {
	if f.offersTLS() {
		return slices.Concat(f.offer(ctx), []string{"STARTTLS"})
	}
	return slices.Concat(f.offer(ctx), []string{"AUTH " + strings.Join(mechanisms, " ")})
}

// multiline writes a reply (RFC 5321 4.2.1).
func multiline(code int, lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		mark := '-'
		if i == len(lines)-1 {
			mark = ' '
		}
		fmt.Fprintf(&b, "%d%c%s\r\n", code, mark, line)
	}
	return b.String()
}

// validHello takes names, address literals and the odd things that clients invent, but nothing that could
// be more than one word towards the server.
func validHello(name string) bool {
	return name != "" && len(name) <= 255 && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func (f *smtpFront) starttls(ctx context.Context, argument string) error {
	switch {
	case !f.offersTLS():
		return f.complain("502 5.5.1 STARTTLS is not available")
	case argument != "":
		return f.complain("501 5.5.4 STARTTLS takes no parameter")
	}
	f.hello = "" // RFC 3207 4.2: nothing learnt before TLS stays
	return f.startTLS(ctx, "220 2.0.0 Ready to start TLS")
}

// auth takes AUTH (RFC 4954 4).
func (f *smtpFront) auth(argument string) (a attempt, found bool, err error) {
	switch {
	case f.offersTLS():
		return a, false, f.complain("538 5.7.11 Use STARTTLS first")
	case f.hello == "":
		return a, false, f.complain("503 5.5.1 Send EHLO first")
	}
	mechanism, initial, _ := strings.Cut(argument, " ")
	a, err = f.exchange(mechanism, initial, "334 ")
	switch {
	case errors.Is(err, errMechanism):
		return a, false, f.complain("504 5.5.4 Unrecognised authentication type, use %s", strings.Join(mechanisms, " or "))
	case errors.Is(err, errCancelled):
		return a, false, f.complain("501 5.7.0 Authentication cancelled")
	case errors.Is(err, errBase64):
		return a, false, f.complain("501 5.5.2 The response is not base64")
	case errors.Is(err, errLineTooLong):
		return a, false, f.complain("500 5.5.6 The response is too long")
	}
	return a, true, err
}

func (f *smtpFront) refuse(r *Refusal) error {
	text := r.reply()
	switch r.Reason {
	case WrongCredentials, UnknownAccount, TokenRefused:
		return f.say("535 5.7.8 %s", text)
	case Unreachable:
		return errors.Join(f.say("421 4.4.1 %s", text), errQuit)
	case Unauthorised, ProviderRefused, Unavailable, Limited:
	}
	return f.say("454 4.7.0 %s", text)
}

func (f *smtpFront) farewell(why error) {
	switch {
	case errors.Is(why, errSessions):
		_ = f.say("421 4.3.2 Too many connections")
	case errors.Is(why, errDraining):
		_ = f.say("421 4.3.2 The proxy is being stopped")
	case errors.Is(why, errTooMany), errors.Is(why, errGuessing):
		_ = f.say("421 4.7.0 Closing the connection: %v", why)
	default:
		_ = f.say("421 4.4.2 %s", oneLine(fmt.Sprintf("Closing the connection: %v", why)))
	}
}
