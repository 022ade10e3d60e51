package fetch

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// fetched is what a server says of a message (RFC 9051 7.5.2).
type fetched struct {
	ref      Ref
	sized    bool     // its size was said: it is what was asked for, and not another client's flags
	text     *literal // nil: none, or it was gone when it was asked for
	stray    bool     // a text came whose UID had not been said
	skipping bool     // the text of this response was returned already
	literals int
}

// items reads the items of a response up to the text of the message, or to the end.
func (s *answers) items(m fetched, line []byte) (fetched, error) {
	for {
		line = bytes.TrimLeft(line, " ")
		if len(line) == 0 || line[0] == ')' {
			return m, nil
		}
		name, value := itemName(line)
		if literal, size, err := s.marked(value, &m.literals); err != nil {
			return m, err
		} else if literal {
			if m.takesText(name) {
				m.text = s.literal(size)
				return m, nil
			}
			if _, err = s.in.Discard(int(size)); err == nil {
				line, err = s.line()
			}
			if err != nil {
				return m, err
			}
			continue
		}
		text, rest, err := itemValue(value)
		if err != nil {
			return m, err
		}
		if len(value) > 0 && value[0] == '"' && isText(name) && m.takesText(name) {
			m.text = s.quoted(string(text))
		}
		m.note(name, text)
		line = rest
	}
}

// takesText reports whether a text is that of the message, and can be attributed to it.
func (m *fetched) takesText(name []byte) bool {
	switch {
	case m.skipping || !isText(name):
		return false
	case m.ref.number == 0:
		m.stray = true
		return false
	}
	return m.text == nil
}

// isText knows BODY[] and BODY[HEADER]; nothing else is asked for.
func isText(name []byte) bool { return hasFold(name, "BODY[") }

// marked reports whether the value is a literal, whose size stands at the end of the line.
func (s *answers) marked(value []byte, literals *int) (bool, int64, error) {
	if len(value) == 0 || value[0] != '{' {
		return false, 0, nil
	}
	size, ok := marker(value)
	if !ok {
		return false, 0, errMalformed
	}
	if *literals++; *literals > maxLiterals || size > s.box.hand.scanner.maxLiteral {
		return false, 0, fmt.Errorf("%w: a literal of %d bytes, the %d. of the response", errMalformed, size, *literals)
	}
	return true, size, nil
}

// note keeps what is asked for.
func (m *fetched) note(name, value []byte) {
	switch {
	case hasFold(name, "UID"):
		n, _ := strconv.ParseUint(string(value), 10, 32)
		m.ref.number, m.ref.ID = uint32(n), string(value)
	case hasFold(name, "RFC822.SIZE"):
		m.ref.Size, _ = strconv.ParseInt(string(value), 10, 64)
		m.sized = true
	case hasFold(name, "FLAGS"):
		m.ref.seen = bytes.Contains(bytes.ToLower(value), []byte(`\seen`))
	case hasFold(name, "INTERNALDATE"):
		m.ref.Received, _ = time.Parse("_2-Jan-2006 15:04:05 -0700", string(value)) // a server's slip is no reason to fail
	}
}

// itemName cuts off the name of an item: "UID", "BODY[HEADER.FIELDS (DATE)]<0>".
func itemName(line []byte) (name, rest []byte) {
	end := bytes.IndexByte(line, ' ')
	if open := bytes.IndexByte(line, '['); open >= 0 && open < end {
		if closed := bytes.IndexByte(line[open:], ']'); closed >= 0 {
			end = open + closed + max(bytes.IndexByte(line[open+closed:], ' '), 0)
		}
	}
	if end <= 0 {
		return line, nil
	}
	return line[:end], line[end+1:]
}

// itemValue cuts off a value that is no literal: an atom, a quoted string, or a list, which is left as it is.
func itemValue(line []byte) (value, rest []byte, err error) {
	switch {
	case len(line) == 0:
		return nil, nil, fmt.Errorf("%w: a FETCH item without a value", errMalformed)
	case line[0] == '"':
		return quotedString(line)
	case line[0] == '(':
		end, err := listEnd(line)
		return line[:end], line[end:], err
	}
	end := bytes.IndexAny(line, " )")
	if end < 0 {
		end = len(line)
	}
	return line[:end], line[end:], nil
}

func quotedString(line []byte) (value, rest []byte, err error) {
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
			if i < len(line) {
				value = append(value, line[i])
			}
		case '"':
			return value, line[i+1:], nil
		default:
			value = append(value, line[i])
		}
	}
	return nil, nil, fmt.Errorf("%w: a quoted string without end", errMalformed)
}

// listEnd returns where a list of atoms, strings and lists ends.
func listEnd(line []byte) (int, error) {
	depth := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		case '"':
			_, rest, err := quotedString(line[i:])
			if err != nil {
				return 0, err
			}
			i = len(line) - len(rest) - 1
		}
	}
	return 0, fmt.Errorf("%w: a list without end", errMalformed)
}
