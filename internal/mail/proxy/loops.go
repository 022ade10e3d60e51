package proxy

import (
	"runtime"
	"sync/atomic"
)

// loops share the sessions out, one loop for each processor that Go has.
type loops struct {
	all  []*loop
	turn atomic.Uint32
}

// newLoops starts as many as there can be; without any, goroutines relay.
func newLoops() *loops {
	ls := new(loops)
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop()
		if err != nil {
			break
		}
		ls.all = append(ls.all, l)
	}
	return ls
}

// next returns the loop for the next session, nil for none.
func (ls *loops) next() *loop {
	if ls == nil || len(ls.all) == 0 {
		return nil
	}
	return ls.all[int(ls.turn.Add(1))%len(ls.all)]
}

// stop ends the loops; no session may be left.
func (ls *loops) stop() {
	for _, l := range ls.all {
		l.stop()
	}
}
