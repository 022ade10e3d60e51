// Package audit remembers who did what.
//
// An entry is written in the transaction that makes the change, so there is no change without an entry and
// no entry without its change. Entries are never altered: the table refuses it, and each entry carries the
// hash of the one before, so that Verify finds the place where somebody got around the table. What the
// chain alone cannot show is the removal of the newest entries; for that, compare Verdict.LastHash with a
// copy kept elsewhere.
package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Entry is one thing done, as the feature that did it describes it. Who and when are added by Record.
type Entry struct {
	Action     string // "smtp_account.changed"; the part before the dot is the object
	Object     string // "smtp_account"
	ObjectID   int64
	ObjectName string
	Detail     map[string]any // never secrets; they are masked or refused
}

// Row is an entry as stored.
type Row struct {
	ID           int64
	At           time.Time
	Actor        Actor
	Action       string
	Object       string
	ObjectID     int64
	ObjectName   string
	Detail       map[string]any
	PreviousHash []byte
	Hash         []byte
}

// Longest texts kept in an entry; longer ones come from attackers (a username typed at sign-in) or are
// documents (a certificate), which the trail points to but does not archive.
const (
	maxName = 320
	maxText = 2000
)

// errIsolation guards the chain: a transaction with an older snapshot would not see the newest entry.
var errIsolation = errors.New("audit entries need a transaction of isolation level read committed")

// Record appends an entry, done by the actor in the context. Entries are written one at a time in the whole
// installation, from here to the end of tx: call it last, and never wait for another connection after it.
func Record(ctx context.Context, tx pgx.Tx, e Entry) error {
	if e.Action == "" {
		return errors.New("record an audit entry: it has no action")
	}
	detail, err := encodeDetail(e.Detail)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	end, err := lockChain(ctx, tx)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	l := newLink(ActorFrom(ctx), e, detail, end)
	if err := insert(ctx, tx, l); err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	return nil
}

// newLink puts together what will be stored and hashed.
func newLink(a Actor, e Entry, detail []byte, end chainEnd) link {
	l := link{
		At:           end.now,
		ActorKind:    a.Kind,
		ActorID:      a.ID,
		ActorName:    storable(a.Name, maxName),
		ActorAddress: storable(a.Address, maxName),
		Action:       storable(e.Action, maxName),
		Object:       storable(e.Object, maxName),
		ObjectID:     e.ObjectID,
		ObjectName:   storable(e.ObjectName, maxName),
		Detail:       detail,
		PreviousHash: end.hash,
	}
	l.Hash = l.computeHash()
	return l
}

// storable makes a text fit a PostgreSQL column: valid UTF-8 without NUL, and at most limit bytes. What it
// returns it leaves unchanged, which canonicalJSON builds on.
func storable(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if len(s) <= limit {
		return s
	}
	note := fmt.Sprintf("… (%d bytes)", len(s))
	return strings.ToValidUTF8(s[:limit-len(note)], "") + note // a cut inside a rune leaves a broken end
}
