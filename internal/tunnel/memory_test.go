package tunnel

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

// rssAnon is the memory of its own that a process has, in bytes; 0 where the system does not tell.
func rssAnon(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	var kb int64
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "RssAnon:"); found {
			_, _ = fmt.Sscan(rest, &kb)
		}
	}
	return kb << 10
}

const (
	manyTunnels = 1000
	memoryLimit = 100 << 20 // each side
)

// A thousand tunnels, each of which has carried a mail of some size: under 100 MB at the agent and at Orbit.
func TestAThousandTunnelsFitInAHundredMegabytes(t *testing.T) {
	o := newOrbit(t, "one", newBook("agent"))
	agent := o.agentMachine(t, "", o.address, "agent")
	far := newMachine(t, "", "echo", addressVariable+"=127.0.0.1:0").request(t)
	until(t, "the agent connects", o.online(1))
	debug.FreeOSMemory()
	before := rssAnon(os.Getpid())
	if before == 0 {
		t.Skip("this system does not tell the memory of a process")
	}
	mail := bytes.Repeat([]byte("a line of a mail\r\n"), 4000) // 72 kB
	conns := make([]*Conn, manyTunnels)
	var group sync.WaitGroup
	gate := make(chan struct{}, 50)
	for i := range conns {
		group.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			conn, err := o.Dial(t.Context(), far, func(Progress) {})
			if err != nil {
				t.Error(err)
				return
			}
			conns[i] = conn
			go func() { _, _ = conn.Write(mail) }()
			if _, err := io.CopyN(io.Discard, bufio.NewReader(conn), int64(len(mail))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	if n := o.Links()[0].Tunnels; n != manyTunnels {
		t.Errorf("%d tunnels are open", n)
	}
	peak, there := rssAnon(os.Getpid())-before, rssAnon(agent.cmd.Process.Pid)
	debug.FreeOSMemory() // this process has other tests behind it, and what they left counts for the collector's pace
	here := rssAnon(os.Getpid()) - before
	t.Logf("%d tunnels: Orbit holds %d MB more, %d MB before its collector ran; the agent has %d MB in all", manyTunnels, here>>20, peak>>20, there>>20)
	if (here > memoryLimit || there > memoryLimit) && !raceDetector {
		t.Errorf("Orbit takes %d MB, the agent %d MB; the limit is 100 MB each", here>>20, there>>20)
	}
	started := time.Now()
	swap(t, conns[manyTunnels-1], "and they still carry")
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("a round trip takes %s", took)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
}
