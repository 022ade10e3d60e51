package audit

import (
	"context"
	"fmt"
)

// Verdict is what Verify found.
type Verdict struct {
	Entries  int64  // how many entries were walked and found right
	LastID   int64  // the last right entry
	LastHash []byte // its hash; keep a copy elsewhere to notice when the newest entries are removed
	BrokenAt int64  // the first entry that is wrong; 0 when all are right
	Reason   string // what is wrong there
}

// Intact reports whether the whole chain is right.
func (v Verdict) Intact() bool { return v.BrokenAt == 0 }

// verifyBatch keeps memory small on a trail of millions.
const verifyBatch = 1000

// Verify walks the chain from the first entry and stops where it breaks.
func Verify(ctx context.Context, q Querier) (Verdict, error) {
	v := Verdict{LastHash: noHash}
	for {
		links, err := selectAfter(ctx, q, v.LastID, verifyBatch)
		if err != nil {
			return v, fmt.Errorf("verify the audit trail: %w", err)
		}
		if len(links) == 0 {
			return v, nil
		}
		if !v.walk(links) {
			return v, nil
		}
	}
}

// walk goes on over some entries; false when it found the break.
func (v *Verdict) walk(links []link) bool {
	for i := range links {
		l := &links[i]
		v.Reason = ""
		if err := l.canonical(); err != nil {
			v.Reason = err.Error()
		} else {
			v.Reason = l.follow(v.LastHash, v.LastID)
		}
		if v.Reason != "" {
			v.BrokenAt = l.ID
			return false
		}
		v.Entries, v.LastID, v.LastHash = v.Entries+1, l.ID, l.Hash
	}
	return true
}
