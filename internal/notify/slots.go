package notify

import (
	"context"
	"sync"
)

// slot is one of the connections that an account may have.
type slot struct {
	account int64
	number  int
}

// slots are those that the senders of this process hold.
type slots struct{ held sync.Map }

// take takes a free connection of an account; number 0: there is none.
func (h *slots) take(ctx context.Context, s *Service, account int64, most int) (slot, error) {
	number, err := takeSlot(ctx, s.pool, s.process, account, most)
	taken := slot{account, number}
	if err == nil && number != 0 {
		h.held.Store(taken, true)
	}
	return taken, err
}

// free gives a connection back. When the database does not take it, sweepOften does so later: the slot is forgotten
// only after the attempt, so that nobody takes it in between.
func (h *slots) free(ctx context.Context, s *Service, taken slot) error {
	defer h.held.Delete(taken)
	return freeSlot(ctx, s.pool, s.process, taken.account, taken.number)
}

func (h *slots) all() (held []slot) {
	h.held.Range(func(key, _ any) bool {
		held = append(held, key.(slot))
		return true
	})
	return held
}
