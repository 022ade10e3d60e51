package proxy

import (
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/mail/dial"
)

// Sessions come and go, half of them broken at some point, and leave nothing behind: no goroutine, no
// descriptor. ORBIT_SOAK=1 makes it ten times as many.
func TestSessionsLeaveNothingBehind(t *testing.T) {
	count := 1000
	if os.Getenv("ORBIT_SOAK") != "" {
		count = 10_000
	}
	u := newUpstream(t, IMAP, dial.Implicit, nil)
	r := newRig(t, newBackend(), u.listener())
	go func() {
		for range r.events { // nobody awaits them
		}
	}()
	r.visit(0) // whatever is made once is made now
	r.settled(t, nil)
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)

	jobs := make(chan int)
	var workers sync.WaitGroup
	for range 20 {
		workers.Go(func() {
			for i := range jobs {
				r.visit(i)
			}
		})
	}
	for i := range count {
		jobs <- i
	}
	close(jobs)
	workers.Wait()
	r.settled(t, func() bool { return runtime.NumGoroutine() <= goroutines && openDescriptors(t) <= descriptors })
	if st := r.server.Status()[0]; st.Accepted != int64(count)+1 || st.SignIns < int64(count)/2 {
		t.Errorf("%+v", st.Counters)
	}
}

// visit is one session. Even numbers end well, odd ones in one of many ways.
func (r *rig) visit(i int) {
	conn, err := net.Dial("tcp", r.address())
	if err != nil {
		r.t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(3 * patient)) // many sessions share few processors
	if i%2 == 0 {
		r.visitWell(conn)
		return
	}
	broken := []string{"", "a LOG", "a LOGIN {4}\r\nus", signIns[IMAP].text, signIns[IMAP].text + "b NOOP\r\nc NO", signIns[IMAP].text + "b ECHO\r\n" + strings.Repeat("x", 200_000)}
	go func() { _, _ = io.WriteString(conn, broken[i/2%len(broken)]) }()
	_, _ = conn.Read(make([]byte, 1+i*37%500))
	if i%4 == 1 {
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset in place of an orderly end
	}
}

func (r *rig) visitWell(conn net.Conn) {
	if _, err := io.WriteString(conn, signIns[IMAP].text+"b NOOP\r\nc LOGOUT\r\n"); err != nil {
		r.t.Error(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(text), "c OK bye\r\n") {
		r.t.Errorf("heard %q, %v", text, err)
	}
}

// settled waits until no session is left and then until done holds.
func (r *rig) settled(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.After(patient)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for r.server.Status()[0].Sessions > 0 || done != nil && !done() {
		select {
		case <-tick.C:
		case <-deadline:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d sessions, %d goroutines, %d descriptors\n%s", r.server.Status()[0].Sessions, runtime.NumGoroutine(),
				openDescriptors(t), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // not on this system
	}
	return len(entries)
}
