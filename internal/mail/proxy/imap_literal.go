package proxy

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"orbit/internal/vault"
)

// login parses what follows LOGIN: two strings of any kind (RFC 9051 6.2.3). Lengths of literals are
// obeyed, whatever the octets in them look like.
func (f *imapFront) login(rest string) (attempt, error) {
	username, rest, err := f.astring(rest)
	if err != nil {
		return attempt{}, err
	}
	if !strings.HasPrefix(rest, " ") {
		return attempt{}, f.malformed(rest)
	}
	password, rest, err := f.astring(rest[1:])
	if err != nil {
		return attempt{}, err
	}
	if rest != "" {
		return attempt{}, f.malformed(rest)
	}
	return attempt{username: username, password: vault.NewSecret(password)}, nil
}

// astring takes an atom, a quoted string or a literal from the front of text and returns what follows it.
func (f *imapFront) astring(text string) (value, rest string, err error) {
	switch {
	case strings.HasPrefix(text, `"`):
		if value, rest, ok := quoted(text[1:]); ok {
			return value, rest, nil
		}
	case strings.HasPrefix(text, "{"):
		return f.literal(text)
	default:
		value, _, _ := strings.Cut(text, " ")
		if _, _, literal := announced(value); value != "" && !literal {
			return value, text[len(value):], nil
		}
	}
	return "", "", f.malformed(text)
}

// malformed leaves the rest of a wrong LOGIN behind.
func (f *imapFront) malformed(rest string) error {
	if err := f.skipLiterals(rest); err != nil {
		return err
	}
	return errArguments
}

// quoted parses what follows the opening quote (RFC 9051 4.3). Octets above 127 are taken as they are.
func quoted(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			i++
			if i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", "", false
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}

// literal reads a literal whose announcement ends the line, and the line that follows it.
func (f *imapFront) literal(text string) (value, rest string, err error) {
	size, synchronising, ok := announced(text)
	switch {
	case !ok || strings.LastIndexByte(text, '{') != 0:
		return "", "", f.malformed(text)
	case size > maxLiteral && synchronising:
		return "", "", errTooBig // the client waits for the plus, so nothing has to be skipped
	case size > maxLiteral:
		if err := f.skipLiterals(text); err != nil {
			return "", "", err
		}
		return "", "", errTooBig
	case synchronising:
		if err := f.say("+ OK"); err != nil {
			return "", "", err
		}
	}
	octets := make([]byte, size)
	if _, err := io.ReadFull(f.in, octets); err != nil {
		return "", "", err
	}
	line, err := f.readLine(maxIMAPLine)
	return string(octets), string(line), err
}

// skipLiterals reads what a refused command has sent or will send without being asked: literals with a plus,
// and the lines between them. Otherwise their octets would be taken for commands.
func (f *imapFront) skipLiterals(line string) error {
	for total := 0; ; {
		size, synchronising, ok := announced(line)
		if !ok || synchronising {
			return nil
		}
		if total += size; total > maxFlood {
			return errLiteral
		}
		if _, err := f.in.Discard(size); err != nil {
			return err
		}
		next, err := f.readLine(maxIMAPLine)
		if err != nil && !errors.Is(err, errLineTooLong) {
			return err
		}
		line = string(next)
	}
}

// announced parses the {12} or {12+} at the end of a line.
func announced(line string) (size int, synchronising, ok bool) {
	start := strings.LastIndexByte(line, '{')
	if start < 0 || !strings.HasSuffix(line, "}") {
		return 0, false, false
	}
	digits := line[start+1 : len(line)-1]
	number, plus := strings.CutSuffix(digits, "+")
	value, err := strconv.ParseUint(number, 10, 31)
	if err != nil || number[0] == '+' {
		return 0, false, false
	}
	return int(value), !plus, true
}
