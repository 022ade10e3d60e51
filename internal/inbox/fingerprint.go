package inbox

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"strings"
	"time"

	"orbit/internal/mail/reply/parts"
)

// maxHead is how much of a header is looked at here; the rest counts as text.
const maxHead = 256 << 10

// fingerprint sees a message pass by and tells it from all others: a SHA-256 over everything but the fields that
// servers write when somebody has looked at it. It keeps the header, which may be a part of what was written.
type fingerprint struct {
	sum  hash.Hash
	size int64
	head []byte
	past bool // the header
}

func newFingerprint() *fingerprint { return &fingerprint{sum: sha256.New()} }

func (f *fingerprint) Write(p []byte) (int, error) {
	f.size += int64(len(p))
	if f.past {
		return f.sum.Write(p)
	}
	from := max(len(f.head)-3, 0) // the blank line may have begun before
	if len(f.head) == 0 && headerEnd(p, 0) >= 0 {
		f.head = p // it is only looked at until hash
	} else {
		f.head = append(f.head, p...)
	}
	if end := headerEnd(f.head, from); end >= 0 || len(f.head) > maxHead {
		if end < 0 {
			end = len(f.head)
		}
		f.finishHead(end)
	}
	return len(p), nil
}

// headerEnd returns where the blank line ends, -1 while it is not there.
func headerEnd(head []byte, from int) int {
	if i := bytes.Index(head[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	if i := bytes.Index(head[from:], []byte("\n\n")); i >= 0 {
		return from + i + 2
	}
	return -1
}

func (f *fingerprint) finishHead(end int) {
	f.past = true
	skipping := false
	for line := range bytes.Lines(f.head[:end]) {
		if line[0] != ' ' && line[0] != '\t' { // else it continues the field before
			skipping = changing(line)
		}
		if !skipping {
			f.sum.Write(line)
		}
	}
	f.sum.Write(f.head[end:])
	f.head = f.head[:end]
}

// changingFields are written by servers and programs while a message lies in a mailbox.
var changingFields = [][]byte{
	[]byte("status"), []byte("x-status"), []byte("x-uid"), []byte("x-uidl"), []byte("x-keywords"), []byte("x-imap"), []byte("x-imapbase"),
	[]byte("content-length"), []byte("lines"), []byte("x-mozilla-status"), []byte("x-mozilla-status2"), []byte("x-mozilla-keys"),
}

func changing(line []byte) bool {
	colon := bytes.IndexByte(line[:min(len(line), 24)], ':')
	if colon < 0 {
		return false
	}
	for _, name := range changingFields {
		if len(name) == colon && bytes.EqualFold(name, line[:colon]) {
			return true
		}
	}
	return false
}

// hash returns the sum when all has passed by.
func (f *fingerprint) hash() []byte {
	if !f.past {
		f.finishHead(len(f.head))
	}
	return f.sum.Sum(nil)
}

// loopHeader marks a loop test; its value is the nonce.
const loopHeader = "X-Orbit-Loop-Test"

// loop returns the nonce of a loop test, "" for other mail.
func (f *fingerprint) loop() string {
	if !bytes.Contains(f.head, []byte(loopHeader)) {
		return ""
	}
	return f.header().Get(loopHeader)
}

func (f *fingerprint) header() parts.Header {
	h, _ := parts.ParseHeader(string(f.head))
	return h
}

// arrived returns when the last server took the message, as it noted in the topmost Received (RFC 5321 4.4).
func (f *fingerprint) arrived() time.Time {
	value := f.header().Get("Received")
	_, date, found := strings.Cut(value, ";")
	if !found {
		return time.Time{}
	}
	return parseDate(date)
}
