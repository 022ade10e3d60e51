package submit

import (
	"bufio"
	"bytes"
	"errors"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
)

// evil are values that have broken mail programs.
var evil = []string{
	"", "Hello", "a\r\nBcc: x@example.org", "a\nX: y", "a\rX: y", "\x00", "=?UTF-8?Q?a=0D=0ABcc:_x?=", "a\r\n\r\nbody",
	"\r\n.\r\nMAIL FROM:<x@y>", "\n.\n", "é\u2028ü", "a@b>,<c@d", "a@b> SIZE=1", "\"a\r\nb\"@c", strings.Repeat("x", 1200), "(a)@b", "a@b\t",
}

// FuzzMessage: whatever stands in the fields, the header has exactly the lines that it should have, and the
// envelope exactly the recipients.
func FuzzMessage(f *testing.F) {
	for _, a := range evil {
		f.Add(a, "a@example.com", "b@example.net", a, a, "c@example.com")
		f.Add("x", a, a, "Hello", "text", a)
		f.Add("x", a+"@example.com", "b@"+a, "Hello", "text", "r@example.com")
	}
	f.Fuzz(func(t *testing.T, name, from, to, subject, text, other string) {
		m := Message{
			From: mail.Address{Name: name, Address: from}, To: []mail.Address{{Name: name, Address: to}}, Subject: subject, Text: text,
			Footer: name, ReplyTo: mail.Address{Name: name, Address: other}, ReturnPath: other, ConfirmationTo: other,
			Headers: []Header{{"References", subject}}, Date: time.Unix(0, 0),
		}
		raw, e, err := Render(m)
		var b *BadValue
		if err != nil {
			if !errors.As(err, &b) {
				t.Fatalf("not a BadValue: %v", err)
			}
			return
		}
		checkHeader(t, raw, e, m)
		checkCommands(t, e)
	})
}

// checkHeader reads the message with two independent parsers.
func checkHeader(t *testing.T, raw []byte, e Envelope, m Message) {
	t.Helper()
	want := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version",
		"References", "Subject", "To", "X-Auto-Response-Suppress"}
	if m.ReplyTo.Address != "" {
		want = append(want, "Reply-To")
	}
	if m.ConfirmationTo != "" {
		want = append(want, "Disposition-Notification-To")
	}
	slices.Sort(want)
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(raw))).ReadMIMEHeader()
	if err != nil {
		t.Fatalf("%v\n%q", err, raw)
	}
	var got []string
	for name, values := range header {
		for range values {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("header %q\nwant   %q\n%q", got, want, raw)
	}
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil || entity.Header.Len() != len(want) {
		t.Fatalf("go-message: %v, %d lines\n%q", err, entity.Header.Len(), raw)
	}
	parsed := mail.Header(header)
	for field, count := range map[string]int{"From": 1, "To": len(m.To)} {
		list, err := parsed.AddressList(field)
		if err != nil || len(list) != count {
			t.Fatalf("%s: %v, %v\n%q", field, list, err, raw)
		}
	}
	if list, _ := parsed.AddressList("To"); list[0].Address != e.To[0] && !strings.Contains(e.To[0], "[") {
		t.Fatalf("To %q, envelope %q", list[0].Address, e.To[0])
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("line %q", line)
		}
	}
}

// checkCommands looks at what the server would be told.
func checkCommands(t *testing.T, e Envelope) {
	t.Helper()
	from, to, err := e.paths()
	if err != nil {
		t.Fatalf("an envelope of Render was refused: %v", err)
	}
	s := Session{offer: newOffer([]string{"x", "SIZE", "8BITMIME", "SMTPUTF8"})}
	for _, command := range append([]string{s.mail(from, e, 1, true)}, to...) {
		path := command[strings.Index(command, "<"):]
		if strings.ContainsAny(command, "\r\n\x00") || strings.Count(path, "<") != 1 || strings.Count(path, ">") != 1 || strings.ContainsAny(path[:strings.Index(path, ">")], " \t") {
			t.Fatalf("command %q", command)
		}
	}
	if len(to) != len(e.To) {
		t.Fatalf("%d recipients for %q", len(to), e.To)
	}
}

// FuzzEnvelope: an envelope that somebody else has written into a queue gives one sender and its recipients, or nothing.
func FuzzEnvelope(f *testing.F) {
	for _, a := range evil {
		f.Add(a, "b@example.com")
		f.Add("a@example.com", a)
		f.Add("a"+a+"@example.com", "b@"+a)
	}
	f.Fuzz(func(t *testing.T, from, to string) {
		e := Envelope{From: from, To: []string{to}}
		if _, _, err := e.paths(); err == nil {
			checkCommands(t, e)
		}
	})
}

// FuzzBody: the server sees one end of the message, at the end, and no bare CR or LF, which some take for one.
func FuzzBody(f *testing.F) {
	for _, a := range evil {
		f.Add([]byte(a))
		f.Add([]byte("Subject: x\r\n\r\n" + a + "\r\n"))
	}
	for _, end := range []string{"\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\n.\r", "\r\r\n.\r\r\n", ".", "..", "\r\n\x00.\r\n"} {
		f.Add([]byte("a" + end + "MAIL FROM:<x@example.org>"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		if err := errors.Join(writeBody(w, raw), w.Flush()); err != nil {
			t.Fatal(err)
		}
		wire := out.Bytes()
		body, ok := bytes.CutSuffix(wire, []byte(".\r\n"))
		if !ok || len(body) > 0 && !bytes.HasSuffix(body, []byte("\r\n")) {
			t.Fatalf("no end: %q", wire)
		}
		for line := range bytes.SplitSeq(bytes.TrimSuffix(body, []byte("\r\n")), []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n") || len(line) == 1 && line[0] == '.' {
				t.Fatalf("line %q in %q", line, wire)
			}
			if len(line) > 1 && line[0] == '.' && line[1] != '.' {
				t.Fatalf("a dot that was not doubled: %q", line)
			}
		}
		undone := bytes.ReplaceAll(append([]byte("\r\n"), body...), []byte("\r\n."), []byte("\r\n"))[2:]
		if n, _ := bodySize(raw); n != int64(len(undone)) {
			t.Fatalf("size %d, on the wire %d: %q", n, len(undone), wire)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add("250-a\r\n250 b\r\n")
	f.Add("535-5.7.8 a\r\n535 5.7.8 b\r\n")
	f.Add("220\r\n")
	f.Add("999 x\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		w := &wire{in: bufio.NewReaderSize(strings.NewReader(text), maxReplyLine)}
		r, err := w.readReply(nil)
		if err == nil && (r.code < 200 || r.code > 599 || strings.ContainsAny(r.String(), "\r\n\x00\x1b")) {
			t.Errorf("%q: %q", text, r.String())
		}
		_ = newOffer(r.lines).maxSize()
	})
}
