package fetch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// answers are those to a FETCH, read from the connection in the caller's goroutine. go-imap would hand over each message
// twice from one goroutine to another, and to wake them takes as long as to read it.
type answers struct {
	box  *imapBox
	tag  string
	in   *bufio.Reader
	left []byte   // responses that are go-imap's business
	text *literal // of the message that was returned last
	over error    // why there is nothing more; io.EOF: in order
}

// ahead is the connection behind what was read from it already.
type ahead struct {
	read []byte
	timed
}

func (s *ahead) Read(p []byte) (int, error) {
	if len(s.read) > 0 {
		n := copy(p, s.read)
		s.read = s.read[n:]
		return n, nil
	}
	return s.timed.Read(p)
}

// streams are buffers for lines: the longest response fits.
var streams = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxResponse) }}

// ask sends a command whose answer is answers. They must be closed.
func (b *imapBox) ask(command string) (*answers, error) {
	b.tags++
	s := &answers{box: b, tag: "f" + strconv.Itoa(b.tags)}
	b.hand.expect(b.server.Timeouts.Command)
	b.hand.loan.asked.Store(true)
	b.hand.raw.many.Store(true)
	if _, err := io.WriteString(b.hand, s.tag+" "+command+"\r\n"); err != nil {
		_ = b.hand.raw.Close() // that wakes go-imap, should it be waiting
	}
	read, lent := b.hand.loan.borrow(b.client.Closed())
	if !lent {
		return nil, b.why(net.ErrClosed)
	}
	s.in = streams.Get().(*bufio.Reader)
	s.in.Reset(&ahead{read, timed{b.hand.wire}})
	return s, nil
}

// close reads what is still to come and gives the connection back.
func (s *answers) close() error {
	for s.over == nil {
		_, _ = s.next()
	}
	if s.in.Buffered() > 0 {
		more, _ := s.in.Peek(s.in.Buffered())
		s.left = append(s.left, more...)
	}
	s.in.Reset(nil)
	streams.Put(s.in)
	s.box.hand.raw.many.Store(false)
	s.box.hand.loan.giveBack(s.left)
	if errors.Is(s.over, io.EOF) {
		return nil
	}
	return s.over
}

// next returns what the server says of the next message. A text must be read before next is called again, or is gone.
// False: there are no more.
func (s *answers) next() (m fetched, more bool) {
	if s.text != nil {
		if s.end(s.skip()) {
			return fetched{}, false
		}
	}
	for s.over == nil {
		line, err := s.line()
		if s.end(err) {
			break
		}
		if !isFetch(line) {
			s.end(s.other(line))
			continue
		}
		open := bytes.IndexByte(line, '(')
		if open < 0 {
			s.end(errMalformed)
			break
		}
		m, err := s.items(fetched{}, line[open+1:])
		if s.end(err) {
			break
		}
		return m, true
	}
	return fetched{}, false
}

// end notes why there is nothing more. What was no IMAP makes the connection useless.
func (s *answers) end(err error) bool {
	if err == nil {
		return false
	}
	var refusal *Refusal
	if errors.Is(err, errMalformed) {
		s.box.hand.lose(err)
	}
	if s.over = err; !errors.Is(err, io.EOF) && !errors.As(err, &refusal) {
		s.over = s.box.why(err)
	}
	return true
}

// line returns a line, valid until the next.
func (s *answers) line() ([]byte, error) {
	line, err := s.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("%w: a response of more than %d bytes", errMalformed, maxResponse)
	case err != nil:
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// other takes a line that is no FETCH: the end of the command, or something that go-imap wants to know.
func (s *answers) other(line []byte) error {
	r, ok := parseResponse(string(line))
	if ok {
		s.box.hand.ended(line)
	}
	switch {
	case !ok, r.tag != "*" && r.tag != s.tag:
		return fmt.Errorf("%w: %q in the answer to FETCH", errMalformed, line[:min(len(line), 40)])
	case r.tag == "*":
		if s.left = append(append(s.left, line...), "\r\n"...); len(s.left) > maxResponse {
			return fmt.Errorf("%w: too much beside the answer to FETCH", errMalformed)
		}
		return nil
	}
	if r.word != "OK" {
		return r.refusal()
	}
	return io.EOF
}

// skip leaves out what the caller has not read of a text, and what follows it in its response.
func (s *answers) skip() error {
	text := s.text
	s.text = nil
	if text.failed != nil {
		return text.failed
	}
	if _, err := s.in.Discard(int(text.left)); err != nil {
		return err
	}
	line, err := s.line()
	if err == nil {
		_, err = s.items(fetched{skipping: true}, line)
	}
	return err
}

// literal begins the text of a message.
func (s *answers) literal(size int64) *literal {
	s.text = &literal{from: io.LimitReader(s.in, size), left: size, limit: s.box.server.MaxSize, why: s.box.why}
	return s.text
}

// quoted is a text without a literal, as few servers send the shortest ones.
func (s *answers) quoted(text string) *literal {
	return &literal{from: strings.NewReader(text), left: int64(len(text)), limit: s.box.server.MaxSize, why: s.box.why}
}
