package pop3

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The response codes (RFC 2449 8, RFC 3206 4).
const (
	CodeInUse      = "IN-USE"      // another session holds the mailbox
	CodeLoginDelay = "LOGIN-DELAY" // the last session was too short a time ago
	CodeSysTemp    = "SYS/TEMP"    // a problem of the server that will pass
	CodeSysPerm    = "SYS/PERM"    // a problem of the server that will not
	CodeAuth       = "AUTH"        // the credentials are wrong
)

// Error is an -ERR reply.
type Error struct {
	Command string // what was asked, without its arguments; empty for the greeting
	Code    string // the response code, upper case; empty when the server gave none
	Text    string // the server's words, without the code
}

func (e *Error) Error() string {
	text := "the server answered -ERR"
	if e.Command != "" {
		text = e.Command + ": " + text
	}
	if e.Code != "" {
		text += " [" + e.Code + "]"
	}
	return strings.TrimSpace(text + " " + e.Text)
}

// Temporary reports whether the server says that a later try may succeed.
func (e *Error) Temporary() bool {
	return e.Code == CodeInUse || e.Code == CodeLoginDelay || e.Code == CodeSysTemp
}

// What a server can do wrong.
var (
	ErrNotPOP3     = errors.New("the answer is not a POP3 reply")
	ErrLineTooLong = errors.New("the line is longer than a POP3 line may be")
	ErrTooLarge    = errors.New("the message is larger than the limit")
)

// status says what kind of reply a line is.
type status int

const (
	notPOP3  status = iota
	positive        // +OK
	negative        // -ERR
	goOn            // "+ challenge" (RFC 5034 4)
)

// parseStatus splits a reply. RFC 1939 3 wants upper case; not every server cares.
func parseStatus(line string) (status, string) {
	word, text, _ := strings.Cut(line, " ")
	switch strings.ToUpper(word) {
	case "+OK":
		return positive, strings.TrimSpace(text)
	case "-ERR":
		return negative, strings.TrimSpace(text)
	case "+":
		return goOn, strings.TrimSpace(text)
	}
	return notPOP3, ""
}

// newError takes "[SYS/TEMP] Try later" apart. Servers send codes whether they announce RESP-CODES or not.
func newError(command, text string) *Error {
	e := &Error{Text: printable(text)}
	e.Command, _, _ = strings.Cut(command, " ")
	if code, rest, closed := strings.Cut(e.Text, "]"); closed && strings.HasPrefix(code, "[") {
		e.Code, e.Text = strings.ToUpper(code[1:]), strings.TrimSpace(rest)
	}
	return e
}

// printable makes a server's words fit for one line of a page or a log.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}
