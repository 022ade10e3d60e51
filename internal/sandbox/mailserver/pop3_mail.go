package mailserver

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"

	"orbit/internal/sandbox/mailbox"
)

// transaction is the state after sign-in (RFC 1939 5). Numbers are those of the list made then.
func (c *popping) transaction(name, argument string) error {
	switch name {
	case "STAT":
		return c.stat()
	case "LIST":
		return c.listing(argument, func(m mailbox.Message) string { return strconv.Itoa(len(m.Raw)) })
	case "UIDL":
		validity := c.box.UIDValidity(mailbox.Inbox)
		return c.listing(argument, func(m mailbox.Message) string { return fmt.Sprintf("%d-%d", validity, m.UID) })
	case "RETR":
		return c.retrieve(argument)
	case "TOP":
		return c.top(argument)
	case "DELE":
		return c.delete(argument)
	case "RSET":
		clear(c.deleted)
		c.say("+OK")
		return nil
	case "NOOP":
		c.say("+OK")
		return nil
	}
	return errPOP3State
}

func (c *popping) stat() error {
	count, size := 0, 0
	for i, m := range c.mails {
		if !c.deleted[i] {
			count, size = count+1, size+len(m.Raw)
		}
	}
	c.say(fmt.Sprintf("+OK %d %d", count, size))
	return nil
}

// listing answers LIST and UIDL, for one message or for all.
func (c *popping) listing(argument string, about func(mailbox.Message) string) error {
	if argument != "" {
		i, err := c.number(argument)
		if err != nil {
			return err
		}
		c.say(fmt.Sprintf("+OK %d %s", i+1, about(c.mails[i])))
		return nil
	}
	lines := []string{"+OK"}
	for i, m := range c.mails {
		if !c.deleted[i] {
			lines = append(lines, fmt.Sprintf("%d %s", i+1, about(m)))
		}
	}
	c.say(append(lines, ".")...)
	return nil
}

func (c *popping) retrieve(argument string) error {
	i, err := c.number(argument)
	if err != nil {
		return err
	}
	c.say(fmt.Sprintf("+OK %d octets", len(c.mails[i].Raw)))
	c.send(c.mails[i].Raw)
	return nil
}

// top sends the header and the first lines of the body (RFC 1939 7).
func (c *popping) top(argument string) error {
	which, count, _ := strings.Cut(argument, " ")
	i, err := c.number(which)
	if err != nil {
		return err
	}
	lines, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil || lines < 0 {
		return pop3Error("Protocol error: TOP wants a number of lines.")
	}
	header, body, found := bytes.Cut(c.mails[i].Raw, []byte("\r\n\r\n"))
	part := append(bytes.Clone(header), "\r\n"...)
	if found {
		part = append(part, "\r\n"...)
		for line := range bytes.Lines(body) {
			if lines--; lines < 0 {
				break
			}
			part = append(part, line...)
		}
	}
	c.say("+OK")
	c.send(part)
	return nil
}

func (c *popping) delete(argument string) error {
	i, err := c.number(argument)
	if err != nil {
		return err
	}
	c.deleted[i] = true
	c.say("+OK")
	return nil
}

func (c *popping) removeDeleted() {
	var uids []imap.UID
	for i := range c.deleted {
		uids = append(uids, c.mails[i].UID)
	}
	if len(uids) > 0 {
		c.box.Remove(mailbox.Inbox, uids)
	}
}

// number is the index of the message that the client means.
func (c *popping) number(argument string) (int, error) {
	n, err := strconv.Atoi(argument)
	if err != nil || n < 1 || n > len(c.mails) || c.deleted[n-1] {
		return 0, pop3Error("The specified message is out of range.")
	}
	return n - 1, nil
}

// send writes a multi-line answer: lines that begin with a dot get another (RFC 1939 3).
func (c *popping) send(raw []byte) {
	for line := range bytes.Lines(raw) {
		if line[0] == '.' {
			_ = c.out.WriteByte('.')
		}
		_, _ = c.out.Write(bytes.TrimRight(line, "\r\n"))
		_, _ = c.out.WriteString("\r\n")
	}
	c.say(".")
}
