package tunnel

import (
	"errors"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// A thousand tunnels that somebody fills and nobody reads: what lies here is bounded, and the link and its other
// tunnels go on.
func TestTunnelsThatNobodyReadsAreBounded(t *testing.T) {
	o := newOrbit(t, "one", newBook("agent"))
	o.agentMachine(t, "", o.address, "agent")
	far := newMachine(t, "", "source", addressVariable+"=127.0.0.1:0").request(t)
	lively := newMachine(t, "", "echo", addressVariable+"=127.0.0.1:0").request(t)
	until(t, "the agent connects", o.online(1))
	debug.FreeOSMemory()
	before := rssAnon(os.Getpid())
	other := o.dial(t, lively)
	conns := o.dialMany(t, far)
	var gone *Conn
	until(t, "a tunnel that nobody reads is broken off", func() bool {
		if i := slices.IndexFunc(conns, func(c *Conn) bool { return c.stalled.Load() }); i >= 0 {
			gone = conns[i]
		}
		return gone != nil
	})
	debug.FreeOSMemory()
	here := rssAnon(os.Getpid()) - before
	t.Logf("Orbit holds %d MB more", here>>20)
	if before > 0 && here > memoryLimit && !raceDetector {
		t.Errorf("Orbit takes %d MB; the limit is 100 MB", here>>20)
	}
	if _, err := io.ReadAll(gone); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a tunnel that was broken off: %v", err)
	}
	swap(t, other, "the others still carry")
	if len(o.Links()) != 1 {
		t.Error("the link broke")
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
}

// dialMany opens as many tunnels as the promise about memory names.
func (o *orbit) dialMany(t *testing.T, far Request) []*Conn {
	t.Helper()
	conns := make([]*Conn, manyTunnels)
	var group sync.WaitGroup
	gate := make(chan struct{}, 50)
	for i := range conns {
		group.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			conn, err := o.Dial(t.Context(), far, func(Progress) {})
			if err == nil { // the line may be too full already for an answer in time
				conns[i] = conn
			}
		})
	}
	group.Wait()
	return slices.DeleteFunc(conns, func(c *Conn) bool { return c == nil })
}
