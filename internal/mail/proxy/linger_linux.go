package proxy

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// several says that Go has more than one processor, so that one of them may wait for a moment.
var several = runtime.GOMAXPROCS(0) > 1

// lingerFor is how long the loop looks for the next packet of a lone dialogue before it sleeps. To be woken
// costs as much on an idle machine, twice for each command; a client on this machine answers sooner.
const lingerFor = 50 * time.Microsecond

// habits say whether lingering is worth it: apart for what clients send after an answer and for what servers
// send after a question, because one may be next door and the other far away.
type habits struct {
	last  *relay // had the only event, twice in a row, or nil
	sole  *relay // had the only event
	asked bool   // it was the client's
	of    [2]habit
}

// habit backs off: after each miss twice as many occasions pass unused.
type habit struct{ misses, skip int }

const maxMisses = 10

// learn looks at the events of one round.
func (h *habits) learn(ready []*socket) {
	h.last = nil
	if len(ready) != 1 {
		h.sole = nil
		return
	}
	r := ready[0].relay
	if r == h.sole {
		h.last = r
	}
	h.sole, h.asked = r, ready[0].lane == &r.up
}

// linger polls for a moment where that has been worth it lately.
func (l *loop) linger() int {
	h := &l.habits
	if !several || h.last == nil {
		return 0
	}
	habit := &h.of[0]
	if h.asked {
		habit = &h.of[1]
	}
	h.last = nil // once for each event
	if habit.skip > 0 {
		habit.skip--
		return 0
	}
	for start := time.Now(); time.Since(start) < lingerFor; {
		if n := l.poll(); n > 0 {
			habit.misses = 0
			return n
		}
	}
	habit.skip = 1 << habit.misses
	habit.misses = min(habit.misses+1, maxMisses)
	return 0
}

// napping is taken by the one loop that naps. The scheduler is not told of this sleep, so it keeps a processor
// of Go's from others, and there must be another one.
var (
	napping atomic.Bool
	napTime = syscall.Timespec{Nsec: 50_000} // the kernel adds as much
)

// nap lets streams gather for about 0.1 ms. A server that sends small records would otherwise wake us for
// each of them; taken together they cost half.
func nap() {
	if several && napping.CompareAndSwap(false, true) {
		_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&napTime)), 0, 0)
		napping.Store(false)
	}
}
