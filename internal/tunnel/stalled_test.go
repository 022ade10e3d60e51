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
	"time"
)

// crowd is how many tunnels stand still at once: enough for more than a link holds, and under ORBIT_SOAK as many as the
// promise about memory names.
func crowd() int {
	if os.Getenv("ORBIT_SOAK") != "" {
		return manyTunnels
	}
	return 120
}

// Tunnels that somebody fills and nobody reads: what lies here is bounded, and the link and its other tunnels go on.
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

// The other way round: destinations that take nothing, and a megabyte for each. What lies at the agent is bounded.
func TestDestinationsThatDoNotReadAreBounded(t *testing.T) {
	o := newOrbit(t, "one", newBook("agent"))
	agent := o.agentMachine(t, "", o.address, "agent")
	deaf := newMachine(t, "", "deaf", addressVariable+"=127.0.0.1:0").request(t)
	lively := newMachine(t, "", "echo", addressVariable+"=127.0.0.1:0").request(t)
	until(t, "the agent connects", o.online(1))
	other := o.dial(t, lively)
	conns := o.dialMany(t, deaf)
	mail, most := make([]byte, 1<<20), int64(0)
	var writing sync.WaitGroup
	for _, conn := range conns {
		_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
		writing.Go(func() { _, _ = conn.Write(mail) }) // as far as it goes
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	until(t, "everybody has written", func() bool {
		most = max(most, rssAnon(agent.cmd.Process.Pid))
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	t.Logf("%d tunnels: the agent had %d MB at most", len(conns), most>>20)
	if most > memoryLimit && !raceDetector {
		t.Errorf("the agent takes %d MB; the limit is 100 MB", most>>20)
	}
	swap(t, other, "the others still carry")
	for _, conn := range conns {
		_ = conn.Close()
	}
}

// dialMany opens a crowd of tunnels.
func (o *orbit) dialMany(t *testing.T, far Request) []*Conn {
	t.Helper()
	conns := make([]*Conn, crowd())
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
