package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// posting makes sockets whose lines a loop without a goroutine has gathered, and returns the other ends.
func posting(t *testing.T, l *loop, n int) (sockets []*socket, peers []net.Conn) {
	t.Helper()
	l.gathers = true
	for i := range n {
		near, peer := tcpPair(t)
		fd, err := duplicate(newWire(near).raw)
		if err != nil {
			t.Fatal(err)
		}
		r := &relay{}
		r.open.Store(2)
		r.client.wire, r.server.wire = newWire(near), newWire(near)
		s := &socket{fd: fd, loop: l, relay: r, lane: &r.up}
		s.other = &socket{loop: l, relay: r, lane: &r.down, other: s, dry: true}
		t.Cleanup(s.close)
		if _, err := fmt.Fprintf(s, "line %d for ", i); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(s, "peer %d\n", i); err != nil {
			t.Fatal(err)
		}
		sockets, peers = append(sockets, s), append(peers, peer)
	}
	return sockets, peers
}

// heard reads one line's worth from every peer.
func heard(t *testing.T, peers []net.Conn) {
	t.Helper()
	for i, peer := range peers {
		want := fmt.Sprintf("line %d for peer %d\n", i, i)
		got := make([]byte, len(want))
		_ = peer.SetReadDeadline(time.Now().Add(patient))
		if _, err := io.ReadFull(peer, got); err != nil || string(got) != want {
			t.Errorf("peer %d heard %q, %v", i, got, err)
		}
	}
}

// Each peer hears its own words, in order, whether the kernel takes many writes at once or not.
func TestOutboxDeliversToEach(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, atOnce, 2*atOnce + 1} {
		for _, kernel := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d sockets, kernel %t", n, kernel), func(t *testing.T) {
				t.Parallel()
				l := new(loop)
				if kernel {
					l.outbox.open()
					defer l.outbox.close()
				}
				sockets, peers := posting(t, l, n)
				l.deliver()
				heard(t, peers)
				if slices.ContainsFunc(sockets, func(s *socket) bool { return s.posted || s.kept != nil }) || len(l.again) > 0 {
					t.Error("something is left")
				}
			})
		}
	}
}

// A peer without room and one that is gone do not hinder the others.
func TestOutboxMeetsTroubleOneByOne(t *testing.T) {
	t.Parallel()
	l := new(loop)
	l.outbox.open()
	defer l.outbox.close()
	if l.outbox.context == 0 {
		t.Skip("the kernel gives no context for io_submit")
	}
	sockets, peers := posting(t, l, 4)
	full, gone := sockets[1], sockets[2]
	for block := make([]byte, 1<<20); ; {
		if n, err := writeNow(full.fd, block); n == 0 || err != nil {
			break
		}
	}
	_ = gone.hangUp()
	l.deliver()
	heard(t, []net.Conn{peers[0]})
	if len(full.unsent) == 0 || full.relay.failure.Load() != nil {
		t.Errorf("without room: %d unsent, %v", len(full.unsent), full.relay.failure.Load())
	}
	if gone.relay.failure.Load() == nil || !slices.Contains(l.again, gone.other) {
		t.Error("nobody sees that a peer is gone")
	}
	if rest := sockets[3]; len(rest.unsent) > 0 {
		t.Error("the last waits")
	}
}

// Who is closed in the round in which it spoke is not written to any more: its descriptor may be another's.
func TestOutboxForgetsWhoIsClosed(t *testing.T) {
	t.Parallel()
	l := new(loop)
	l.outbox.open()
	defer l.outbox.close()
	sockets, peers := posting(t, l, 3)
	sockets[1].hurry()
	sockets[1].close()
	sockets[1].fd = -1
	l.deliver()
	heard(t, peers)
}

// Long writes, and the parts of a stream, go out at once.
func TestOutboxTakesOnlyDialogues(t *testing.T) {
	t.Parallel()
	l := new(loop)
	sockets, _ := posting(t, l, 1)
	s := sockets[0]
	if s.mayWait(bytes.Repeat([]byte("x"), maxPosted+1)) {
		t.Error("a long write would wait")
	}
	s.other.lane.stream = streamAfter + 1
	if s.mayWait([]byte("x")) {
		t.Error("a stream would wait")
	}
}
