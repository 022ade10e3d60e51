package fetch

import "sync/atomic"

// loan is how somebody else than go-imap reads from the connection for a while. go-imap reads in a goroutine of its own,
// which mostly waits in a read. So it is not interrupted: when it has read something, or is about to, it gives that away
// and waits.
type loan struct {
	asked atomic.Bool
	given chan []byte // what was read already
	back  chan []byte // what go-imap should see first
	left  []byte      // of that; go-imap's goroutine has it
}

func newLoan() loan { return loan{given: make(chan []byte), back: make(chan []byte, 1)} }

// lend gives the connection away and waits for it.
func (l *loan) lend(read []byte) {
	l.given <- append(l.left, read...)
	l.left = <-l.back
}

// borrow returns what was read already. The caller then reads from the connection, and gives it back. False: the
// connection has ended.
func (l *loan) borrow(ended <-chan struct{}) ([]byte, bool) {
	select {
	case read := <-l.given:
		return read, true
	case <-ended:
		l.asked.Store(false)
		return nil, false
	}
}

// giveBack lets go-imap read on. Left is for it.
func (l *loan) giveBack(left []byte) {
	l.asked.Store(false)
	l.back <- left
}
