package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// link is a row of audit_entry: an entry with its place in the chain.
type link struct {
	ID           int64
	At           time.Time
	ActorKind    Kind
	ActorID      int64
	ActorName    string
	ActorAddress string
	Action       string
	Object       string
	ObjectID     int64
	ObjectName   string
	Detail       []byte // JSON
	PreviousHash []byte
	Hash         []byte
}

// hashVersion begins every hashed encoding, so that a later form can be told from this one.
const hashVersion = "orbit audit entry 1"

// noHash stands before the first entry.
var noHash = make([]byte, sha256.Size)

// computeHash is SHA-256 over every field in a fixed order, texts with their lengths. The id is left out:
// it is given by the table when the entry is written, and the order is in the chain.
func (l *link) computeHash() []byte {
	data := appendText(nil, []byte(hashVersion))
	data = appendText(data, l.PreviousHash)
	data = appendNumber(data, l.At.UnixMicro()) // what a timestamptz keeps, whatever the zone
	data = appendText(data, []byte(l.ActorKind))
	data = appendNumber(data, l.ActorID)
	data = appendText(data, []byte(l.ActorName))
	data = appendText(data, []byte(l.ActorAddress))
	data = appendText(data, []byte(l.Action))
	data = appendText(data, []byte(l.Object))
	data = appendNumber(data, l.ObjectID)
	data = appendText(data, []byte(l.ObjectName))
	data = appendText(data, l.Detail)
	sum := sha256.Sum256(data)
	return sum[:]
}

// follow checks that l stands after the entry with the given hash and was not changed. What it returns
// is empty or a sentence.
func (l *link) follow(previous []byte, previousID int64) string {
	switch {
	case !bytes.Equal(l.PreviousHash, previous) && previousID == 0:
		return fmt.Sprintf("entry %d is not the first one ever written: entries before it were removed", l.ID)
	case !bytes.Equal(l.PreviousHash, previous):
		return fmt.Sprintf("entry %d does not follow entry %d: entries between them were removed, or one of the two was replaced", l.ID, previousID)
	case !bytes.Equal(l.Hash, l.computeHash()):
		return fmt.Sprintf("entry %d was changed after it was written", l.ID)
	}
	return ""
}

// canonical brings a stored detail back to the bytes that were hashed: PostgreSQL keeps the meaning of a
// jsonb, not its spelling.
func (l *link) canonical() error {
	detail, err := canonicalJSON(l.Detail)
	if err != nil {
		return fmt.Errorf("read the detail of audit entry %d: %w", l.ID, err)
	}
	l.Detail = detail
	return nil
}

func (l *link) row() (Row, error) {
	r := Row{
		ID: l.ID, At: l.At.UTC(), Actor: Actor{Kind: l.ActorKind, ID: l.ActorID, Name: l.ActorName, Address: l.ActorAddress},
		Action: l.Action, Object: l.Object, ObjectID: l.ObjectID, ObjectName: l.ObjectName,
		PreviousHash: l.PreviousHash, Hash: l.Hash,
	}
	if err := json.Unmarshal(l.Detail, &r.Detail); err != nil {
		return Row{}, fmt.Errorf("read the detail of audit entry %d: %w", l.ID, err)
	}
	return r, nil
}

func appendText(data, text []byte) []byte {
	data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
	return append(data, text...)
}

func appendNumber(data []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(data, uint64(n))
}
