// Package parts reads a mail message as a stream of parts, however broken the message is.
//
// A library that follows RFC 2045 stops at the first error; a mailbox is full of errors that every mail program
// shows without a word. Here a message is lines: a line that is a boundary of any open multipart ends the parts
// inside it, everything else belongs to the part that is open. So there is nothing to fail: no header, a missing
// blank line, a wrong or absent boundary, a cut message all give the parts that can still be seen. Bodies are
// decoded while they pass by; memory does not depend on the size of the message.
package parts

import (
	"bufio"
	"io"
	"sync"
)

// Limits bound what one message may cost. Zero values mean the defaults.
type Limits struct {
	Header int // bytes kept of one header (512 kB); what is longer is skipped
	Field  int // bytes kept of one header field (32 kB)
	Depth  int // multiparts inside multiparts (20); what is deeper is one opaque part
	Parts  int // parts reported (500); what follows is skipped
}

func (l Limits) orDefault() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Header, 512<<10)
	def(&l.Field, 32<<10)
	def(&l.Depth, 20)
	def(&l.Parts, 500)
	return l
}

// Part is one leaf of the message: something that has a body of its own.
type Part struct {
	Header      Header
	Type        string            // media type in lower case, "text/plain" when none or a broken one is given
	Params      map[string]string // of the Content-Type, names in lower case
	Disposition string            // "attachment", "inline" or ""
	Filename    string            // decoded, without folders; "" when the part has no name
	Parent      string            // media type of the multipart it stands in, "" for the message itself
	Nth         int               // its place in that multipart, from 0
	Group       int               // parts with the same number above 0 are alternatives of each other
	Size        int64             // bytes of the decoded body; right when Walk has returned
}

// Visit is told of each part before its body is read. What it returns gets the decoded body, without any
// character set conversion; nil only counts the bytes. Errors of the writer are ignored.
type Visit func(*Part) io.Writer

// Walk reads the message from r and returns its header and what was wrong with its form. The error is that of r.
func Walk(r io.Reader, limits Limits, visit Visit) (Header, []string, error) {
	buffer := buffers.Get().(*bufio.Reader)
	buffer.Reset(r)
	defer func() {
		buffer.Reset(nil)
		buffers.Put(buffer)
	}()
	w := &walker{in: &lines{r: buffer}, limits: limits.orDefault(), visit: visit}
	w.in.skipEnvelope()
	top, _ := w.header(w.limits.Header)
	w.open(top)
	for {
		w.pass()
		l, ok := w.in.next()
		if !ok {
			break
		}
		if !l.starts || !w.boundary(l.text) {
			w.body(l)
		}
	}
	w.end()
	return top, w.problems, w.in.err
}

// buffers are reused: most messages are smaller than one.
var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, lineBuffer) }}
