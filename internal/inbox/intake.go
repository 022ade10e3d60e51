package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	"orbit/internal/mail/fetch"
	"orbit/internal/mail/reply"
	"orbit/internal/problem"
)

// What is held in memory at a time. A message of more than smallMail goes to the database in pieces while it arrives.
const (
	smallMail = 256 << 10
	pieceSize = 256 << 10
	maxMemory = 24 << 20 // of text that all visits of a process hold
)

// letter is a message between the server and the database.
type letter struct {
	ref      fetch.Ref
	id       int64 // of its row; 0: not drawn yet
	text     []byte
	pieces   int // of a large message, written already
	complete bool
	hash     []byte
	size     int64
	received time.Time
	loop     string
	head     []byte // of a loop test
	read     reply.Message
	related  string // what it is about
	note     string
	reason   error // why it could not be read; everything else is empty then
	memory   int64 // to be given back
}

// take reads a message from the server. Only a lost connection, a database that does not answer and the end of ctx
// are errors; what is wrong with the message is in the letter.
func (v *visiting) take(ctx context.Context, message *fetch.Message, refused error) (*letter, error) {
	l := &letter{ref: message.Ref, complete: !message.HeaderOnly, reason: refused}
	if l.reason != nil {
		return l, nil //nolint:nilerr // the letter carries it
	}
	if err := v.s.memory.Acquire(ctx, smallMail); err != nil {
		return nil, err
	}
	l.memory = smallMail
	err := v.takeText(ctx, l, message.Body)
	if err != nil {
		v.s.release(l)
		return nil, err
	}
	v.s.weigh(l)
	return l, nil
}

// weigh gives back the memory that a letter does not need.
func (s *Service) weigh(l *letter) {
	if need := int64(cap(l.text)); need < l.memory {
		s.memory.Release(l.memory - need)
		l.memory = need
	}
}

func (s *Service) release(l *letter) {
	s.memory.Release(l.memory)
	s.rooms.giveBack(l.text)
	l.memory, l.text = 0, nil
}

// errEmpty is what a server does that has a message and cannot give it. To store nothing in its place would make all
// such messages one, and take them from the server where no copy is to be kept.
var errEmpty = problem.Refuse("The server announced a text and sent none. The message stays there and is tried again.")

func (v *visiting) takeText(ctx context.Context, l *letter, body io.Reader) error {
	begin := bytes.NewBuffer(v.s.rooms.take(l.ref.Size))
	n, err := begin.ReadFrom(io.LimitReader(body, smallMail))
	if err == nil && n == smallMail {
		return v.takeLarge(ctx, l, io.MultiReader(begin, body))
	}
	l.text = begin.Bytes()
	if err := l.cutShort(err); err != nil {
		return err
	}
	if n == 0 && l.ref.Size > 0 {
		l.reason = errEmpty
		return nil
	}
	v.judgeHeld(ctx, l)
	return nil
}

// cutShort makes of a message that is larger than was announced one that is not complete.
func (l *letter) cutShort(err error) error {
	if errors.Is(err, fetch.ErrTooLarge) {
		l.complete, l.note = false, "It is larger than Orbit reads."
		return nil
	}
	return err
}

// takeLarge reads, judges and stores a message in one go.
func (v *visiting) takeLarge(ctx context.Context, l *letter, body io.Reader) error {
	pieces, err := v.s.beginUpload(ctx)
	if err != nil {
		return err
	}
	l.id = pieces.id
	f := newFingerprint()
	v.judge(ctx, l, f, io.TeeReader(body, io.MultiWriter(f, pieces)))
	if err := l.cutShort(l.reason); err != nil {
		l.reason = nil
		return err
	}
	l.reason = nil
	l.pieces, err = pieces.finish()
	return err
}

// judgeHeld judges a letter whose text is in memory.
func (v *visiting) judgeHeld(ctx context.Context, l *letter) {
	f := newFingerprint()
	_, _ = f.Write(l.text)
	v.judge(ctx, l, f, bytes.NewReader(l.text))
	l.reason = nil // memory does not fail
}

// judge reads the message to its end. A message on which the reader fails is kept and not understood: it must not
// stand in the way of those behind it.
func (v *visiting) judge(ctx context.Context, l *letter, f *fingerprint, text io.Reader) {
	var about origins
	l.read, l.reason = v.understand(ctx, text, &about)
	var failed *unreadable
	if errors.As(l.reason, &failed) {
		l.note, l.reason = failed.Error(), nil
		v.s.log.ErrorContext(ctx, "read a message", "account", v.account.ID, "message", l.ref.ID, "error", failed.reason)
		if _, err := io.Copy(io.Discard, text); err != nil {
			l.reason = err
		}
		l.read = reply.Message{Class: reply.ClassOther}
	}
	if len(l.read.Problems) > 0 {
		l.note = strings.TrimSpace(l.note + " It has " + strings.Join(l.read.Problems, ", ") + ".")
	}
	l.hash, l.size = f.hash(), f.size
	if l.loop = f.loop(); l.loop != "" {
		l.head = bytes.Clone(f.head)
	}
	l.received = l.ref.Received
	if l.received.IsZero() {
		l.received = f.arrived()
	}
	l.related = about.sent[l.read.Original]
}

// unreadable says that the reader itself failed on a message.
type unreadable struct{ reason any }

func (u *unreadable) Error() string { return "Orbit could not read what it says." }

// origins are what the sent messages were that a message names. Most name none.
type origins struct{ sent map[string]string }

func (o *origins) note(id, what string) {
	if o.sent == nil {
		o.sent = map[string]string{}
	}
	o.sent[id] = what
}

// understand reads the message and notes what it is about.
func (v *visiting) understand(ctx context.Context, text io.Reader, about *origins) (m reply.Message, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = &unreadable{reason}
		}
	}()
	return reply.Read(text, reply.Options{
		Sent: func(id string) bool {
			what := v.s.sent(ctx, v.own, id)
			if what != "" {
				about.note(id, what)
			}
			return what != ""
		},
		Own: v.own.has, AuthservID: v.account.AuthservID, Token: v.s.token,
		Excerpt: maxText + maxText/5,
	})
}

// beginUpload prepares for a large message.
func (s *Service) beginUpload(ctx context.Context) (*upload, error) {
	id, err := insertUpload(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	return &upload{id: id, piece: make([]byte, 0, pieceSize), store: func(n int, data []byte) error {
		return insertPiece(ctx, s.pool, id, n, data)
	}}, nil
}

// upload writes a large message to the database, a piece at a time.
type upload struct {
	id     int64
	n      int
	piece  []byte
	store  func(n int, data []byte) error
	failed error
}

// Write keeps its error for finish: whoever reads from a tee takes it for one of the mail server.
func (u *upload) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 && u.failed == nil {
		n := copy(u.piece[len(u.piece):cap(u.piece)], p)
		u.piece, p = u.piece[:len(u.piece)+n], p[n:]
		if len(u.piece) == cap(u.piece) {
			u.flush()
		}
	}
	return written, nil
}

func (u *upload) flush() {
	if u.failed = u.store(u.n, u.piece); u.failed != nil {
		u.failed = fmt.Errorf("store piece %d of message %d: %w", u.n, u.id, u.failed)
	}
	u.n++
	u.piece = u.piece[:0]
}

func (u *upload) finish() (pieces int, err error) {
	if len(u.piece) > 0 && u.failed == nil {
		u.flush()
	}
	return u.n, u.failed
}

// parseDate reads a date of a header; zero when it is none.
func parseDate(text string) time.Time {
	t, err := mail.ParseDate(strings.TrimSpace(text))
	if err != nil {
		return time.Time{}
	}
	return t
}
