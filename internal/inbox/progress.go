package inbox

import "orbit/internal/mail/fetch"

// progress knows up to where a chunk is done with, whatever the order in which its messages came.
type progress struct {
	uids []uint32 // ascending
	done map[uint32]bool
}

// newProgress returns nil when no cursor follows.
func newProgress(advance bool) *progress {
	if !advance {
		return nil
	}
	return &progress{done: make(map[uint32]bool)}
}

// expect adds what follows: it is listed in order.
func (p *progress) expect(piece []fetch.Ref) {
	if p == nil {
		return
	}
	for _, ref := range piece {
		p.uids = append(p.uids, uidOf(ref))
	}
}

// after returns up to where all is done with when these letters are stored; 0: nothing to say.
func (p *progress) after(letters []*letter) (upTo uint32) {
	if p == nil {
		return 0
	}
	for _, l := range letters {
		p.done[uidOf(l.ref)] = true
	}
	for len(p.uids) > 0 && p.done[p.uids[0]] {
		upTo = p.uids[0]
		delete(p.done, upTo)
		p.uids = p.uids[1:]
	}
	return upTo
}

// all is where a chunk ends: what did not come has gone from the server.
func (p *progress) all() uint32 {
	if p == nil || len(p.uids) == 0 {
		return 0
	}
	return p.uids[len(p.uids)-1]
}
