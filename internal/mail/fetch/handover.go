package fetch

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// handover is the connection that go-imap gets after the sign-in. To go-imap it looks like one on which the server
// greets with PREAUTH (RFC 9051 7.1.4). It sees to what go-imap leaves open: bounds on what a server says, deadlines
// that hold while somebody waits and only then, and why the connection was lost.
type handover struct {
	*wire
	net.Conn           // the wire's, for what is not changed here
	greeting io.Reader // ours
	scanner  scanner
	ladder   atomic.Pointer[ladder.Ladder] // records while the mailbox is opened
	loan     loan
}

// preauth is a greeting with the capabilities that matter, so that go-imap does not ask for them in a goroutine of
// its own. IMAP4rev2 is told only of a server that has nothing else: go-imap would use its syntax without ENABLE.
func preauth(o offer) string {
	words := []string{"IMAP4rev1"}
	if o.has("IMAP4REV2") && !o.has("IMAP4REV1") {
		words[0] = "IMAP4rev2"
	}
	for _, name := range []string{"IDLE", "UIDPLUS", "ESEARCH"} {
		if o.has(name) {
			words = append(words, name)
		}
	}
	return "* PREAUTH [CAPABILITY " + strings.Join(words, " ") + "] signed in\r\n"
}

// hand gives the connection to go-imap.
func hand(w *wire, o offer, maxLiteral int64, l *ladder.Ladder) *handover {
	h := &handover{wire: w, Conn: w.conn, greeting: strings.NewReader(preauth(o)), scanner: scanner{maxLiteral: maxLiteral}, loan: newLoan()}
	h.scanner.ended = h.ended
	h.ladder.Store(l)
	return h
}

// Read gives our greeting, what the server sent beyond its reply to the sign-in, and then the connection.
func (h *handover) Read(p []byte) (n int, err error) {
	if h.greeting != nil {
		if n, _ = h.greeting.Read(p); n > 0 {
			return n, nil
		}
		h.greeting = nil
	}
	for n == 0 && err == nil {
		n, err = h.readOn(p)
	}
	return n, err
}

// readOn gives what there is next. It is nothing when the connection was lent out meanwhile.
func (h *handover) readOn(p []byte) (n int, err error) {
	if h.loan.asked.Load() && h.scanner.between() {
		h.loan.lend(nil)
	}
	n, err = h.take(p)
	if h.loan.asked.Load() {
		return h.share(p[:n], err)
	}
	if broken := h.scanner.scan(p[:n]); broken != nil {
		h.lose(broken)
		return n, broken
	}
	return n, err
}

// share gives a borrower what was read for go-imap, but for the rest of a response that go-imap has begun to read.
func (h *handover) share(p []byte, err error) (int, error) {
	begun := 0
	if !h.scanner.between() {
		var broken error
		if begun, broken = h.scanner.response(p); broken != nil {
			h.lose(broken)
			return begun, broken
		}
	}
	if begun < len(p) {
		h.loan.lend(p[begun:])
	}
	return begun, err
}

// take reads what a borrower left for go-imap, and then from the connection.
func (h *handover) take(p []byte) (n int, err error) {
	if len(h.loan.left) > 0 {
		n = copy(p, h.loan.left)
		h.loan.left = h.loan.left[n:]
		return n, nil
	}
	if h.in != nil && h.in.Buffered() > 0 {
		return h.in.Read(p[:min(len(p), h.in.Buffered())])
	}
	h.in = nil // 8 kB that an idle mailbox does not need
	return timed{h.wire}.Read(p)
}

// ended sees each response: a tagged one or a continuation is what somebody waited for.
func (h *handover) ended(head []byte) {
	if head[0] != '*' {
		h.rest()
	}
	if hasFold(head, "* BYE") {
		if r, ok := parseResponse(strings.TrimRight(string(head), "\r\n")); ok {
			h.farewell(r.refusal())
		}
	}
	if l := h.ladder.Load(); l != nil {
		l.Record("server", explain.Clean(string(head)))
	}
}

// Write sends what go-imap says.
func (h *handover) Write(p []byte) (int, error) {
	if l := h.ladder.Load(); l != nil {
		l.Record("orbit", explain.Clean(string(p)))
	}
	n, err := h.conn.Write(p)
	if err != nil {
		h.lose(err)
	}
	return n, err
}

// SetReadDeadline does nothing: go-imap knows when a response has begun, not whether one is due.
func (h *handover) SetReadDeadline(time.Time) error { return nil }
