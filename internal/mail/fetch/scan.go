package fetch

import (
	"bytes"
	"fmt"
	"strconv"
)

// Bounds on one response after the sign-in, counted without its literals. go-imap itself has none.
const (
	maxResponse = 64 << 10
	maxSearch   = 8 << 20 // SEARCH lists every UID: a million of them; go-imap keeps ranges
	maxLiterals = 2       // a message and, from servers that do so, a date or a name; nothing else is asked for
	maxHead     = 512     // of a response is looked at
	maxMarker   = 24      // "{18446744073709551615}\r\n"
)

// scanner follows the stream that go-imap reads: where lines end, what is literal, and that neither has no end.
type scanner struct {
	maxLiteral int64
	ended      func(head []byte) // sees the beginning of each response

	head     []byte // the beginning of the response, up to maxHead
	tail     []byte // the end of the line so far, up to maxMarker
	size     int    // of the response so far
	literals int
	literal  int64 // octets still to come
}

// scan takes what was read next.
func (s *scanner) scan(p []byte) error {
	for len(p) > 0 {
		n, err := s.response(p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// between reports whether no response has begun.
func (s *scanner) between() bool { return s.size == 0 }

// response takes what of p belongs to one response, and returns how much that is.
func (s *scanner) response(p []byte) (n int, err error) {
	for over := false; n < len(p) && !over; {
		if s.literal > 0 {
			some := min(int64(len(p)-n), s.literal)
			s.literal -= some
			n += int(some)
			continue
		}
		line, complete := cutLine(p[n:])
		n += len(line)
		if err := s.add(line); err != nil {
			return n, err
		}
		if complete {
			if over, err = s.endLine(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func cutLine(p []byte) (line []byte, complete bool) {
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		return p[:i+1], true
	}
	return p, false
}

func (s *scanner) add(part []byte) error {
	s.size += len(part)
	s.head = append(s.head, part[:min(len(part), maxHead-len(s.head))]...)
	s.keepTail(part)
	limit := maxResponse
	if isSearch(s.head) {
		limit = maxSearch
	}
	if s.size > limit {
		return fmt.Errorf("%w: a response of more than %d bytes", errMalformed, limit)
	}
	return nil
}

func (s *scanner) keepTail(part []byte) {
	part = part[max(0, len(part)-maxMarker):]
	if excess := len(s.tail) + len(part) - maxMarker; excess > 0 {
		s.tail = s.tail[:copy(s.tail, s.tail[excess:])]
	}
	s.tail = append(s.tail, part...)
}

// endLine finds out whether a literal follows or the response is over.
func (s *scanner) endLine() (over bool, err error) {
	n, found := marker(s.tail)
	s.tail = s.tail[:0]
	if found && isFetch(s.head) { // elsewhere "{5}" is text
		s.literal = n
		if s.literals++; s.literals > maxLiterals || n > s.maxLiteral {
			return false, fmt.Errorf("%w: a literal of %d bytes, the %d. of the response", errMalformed, n, s.literals)
		}
		return false, nil
	}
	s.ended(s.head)
	s.head, s.size, s.literals = s.head[:0], 0, 0
	return true, nil
}

// marker reads "{123}" at the end of a line (RFC 9051 4.3).
func marker(tail []byte) (int64, bool) {
	inside, closed := bytes.CutSuffix(bytes.TrimRight(tail, "\r\n"), []byte("}"))
	open := bytes.LastIndexByte(inside, '{')
	if !closed || open < 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(inside[open+1:]), 10, 64)
	return n, err == nil && n >= 0
}

func isFetch(head []byte) bool {
	number, found := bytes.CutPrefix(head[:min(len(head), 24)], []byte("* "))
	_, word, more := bytes.Cut(number, []byte(" "))
	return found && more && hasFold(word, "FETCH ")
}

func isSearch(head []byte) bool { return hasFold(head, "* SEARCH") || hasFold(head, "* ESEARCH") }

func hasFold(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], []byte(prefix))
}
