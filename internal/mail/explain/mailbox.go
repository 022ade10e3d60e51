package explain

import (
	"strings"

	"orbit/internal/mail/ladder"
)

// IMAP explains a tagged NO or BAD or an untagged BYE at a step. Code is the RFC 5530 response code without
// brackets, "AUTHENTICATIONFAILED"; when it is empty it is looked for at the start of the text.
func IMAP(step ladder.Name, code, text string, c Context) ladder.Fault {
	c.Protocol = "IMAP"
	return bracketed(imapEntries, step, code, text, c)
}

// POP3 explains an -ERR reply at a step. Code is the RFC 2449 response code without brackets, "SYS/TEMP"; when
// it is empty it is looked for at the start of the text.
func POP3(step ladder.Name, code, text string, c Context) ladder.Fault {
	c.Protocol = "POP3"
	return bracketed(pop3Entries, step, code, text, c)
}

func bracketed(table []Entry, step ladder.Name, code, text string, c Context) ladder.Fault {
	if code == "" {
		code, text = cutCode(text)
	}
	name, _, _ := strings.Cut(strings.ToUpper(code), " ")
	f := find(table, c.reply(step, name, text)).fault(c.values())
	f.Reply = text
	if code != "" {
		f.Reply = "[" + code + "] " + text
	}
	f.Reply = Clean(f.Reply)
	return f
}

// cutCode takes "[CODE args] text" apart, also behind the status word.
func cutCode(text string) (code, rest string) {
	rest = strings.TrimSpace(text)
	for _, status := range []string{"-ERR", "NO", "BAD", "BYE", "* BYE"} {
		if after, ok := strings.CutPrefix(rest, status+" "); ok {
			rest = strings.TrimSpace(after)
			break
		}
	}
	if !strings.HasPrefix(rest, "[") {
		return "", rest
	}
	code, after, closed := strings.Cut(rest[1:], "]")
	if !closed {
		return "", rest
	}
	return code, strings.TrimSpace(after)
}
