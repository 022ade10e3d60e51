package proxy

import (
	"syscall"
	"testing"

	"orbit/internal/mail/dial"
)

// Neither side waits for an acknowledgement before a small packet leaves.
func TestSmallPacketsAreNotHeldBack(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, newBackend(), newUpstream(t, protocol, dial.Implicit, nil).listener())
			c := r.greeted()
			c.talk(signIns[protocol].text, signIns[protocol].ok)
			c.put("NOOP x\r\n") // the relay has begun when this is answered
			c.line()
			relay := r.host().all()[0].relay.Load()
			for _, w := range []*wire{relay.client.wire, relay.server.wire} {
				w.mu.Lock()
				on, err := syscall.GetsockoptInt(w.taken.(*socket).fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
				w.mu.Unlock()
				if err != nil || on == 0 {
					t.Errorf("TCP_NODELAY is %d, %v", on, err)
				}
			}
		})
	}
}
