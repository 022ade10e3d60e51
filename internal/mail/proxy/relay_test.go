package proxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"orbit/internal/mail/dial"
)

// tunnel is a connection that can only wait inside a read, as a network connector's are.
type tunnel struct{ net.Conn }

// echoed signs in and asks the server to send everything back.
func echoed(t *testing.T, local dial.Security, tunnelled bool) (*rig, *peer) {
	t.Helper()
	u := newUpstream(t, IMAP, dial.Implicit, nil)
	b := newBackend()
	if tunnelled {
		b.dial = func(ctx context.Context) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(u.target()))
			return tunnel{conn}, err
		}
	}
	l := u.listener()
	l.LocalSecurity = local
	r := newRig(t, b, l)
	c := r.greeted()
	c.talk(signIns[IMAP].text, signIns[IMAP].ok, "b ECHO\r\n", "b OK")
	return r, c
}

func TestRelayChangesNothing(t *testing.T) {
	t.Parallel()
	for _, local := range []dial.Security{dial.Plain, dial.Implicit} {
		for _, tunnelled := range []bool{false, true} {
			t.Run(fmt.Sprintf("client %q tunnel %t", local, tunnelled), func(t *testing.T) {
				t.Parallel()
				r, c := echoed(t, local, tunnelled)
				const size = 8 << 20
				sent := sha256.New()
				go func() { // in pieces of every size around the buffers'
					source := rand.NewChaCha8([32]byte{1})
					for left := size; left > 0; {
						piece := make([]byte, min(left, 1+rand.IntN(3*bufferSize/2)))
						_, _ = source.Read(piece)
						sent.Write(piece)
						if _, err := c.Write(piece); err != nil {
							t.Errorf("write: %v", err)
							return
						}
						left -= len(piece)
					}
					_ = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
				}()
				heard := sha256.New()
				n, err := io.Copy(heard, c.in) // to the end: the half-close comes back
				if err != nil || n != size || !bytes.Equal(heard.Sum(nil), sent.Sum(nil)) {
					t.Errorf("%d bytes of %d came back, %v", n, size, err)
				}
				_ = c.Close()
				e := r.await(Ended)
				if e.Err != nil || !e.Signed || e.Up < size || e.Down < size {
					t.Errorf("%+v", e)
				}
			})
		}
	}
}

// A8.4: who does not read stops the sender; nothing piles up here.
func TestStalledReaderStopsTheSender(t *testing.T) {
	block := bytes.Repeat([]byte("x"), 64<<10)
	written := make(chan int, 10_000)
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = port.Close() }()
	r, c := echoed(t, dial.Plain, false)
	before := liveHeap()
	go func() {
		for {
			if n, err := c.Write(block); err != nil || n == 0 {
				close(written)
				return
			}
			written <- len(block)
		}
	}()
	total := 0
	for quiet := false; !quiet; { // the pipe fills until the kernel's buffers are full
		select {
		case n := <-written:
			total += n
		case <-time.After(300 * time.Millisecond):
			quiet = true
		}
	}
	carried := r.server.Status()[0].Up
	if grown := liveHeap() - before; grown > 1<<20 {
		t.Errorf("the heap has grown by %d bytes for %d that nobody reads", grown, total)
	}
	if now := r.server.Status()[0].Up; now != carried {
		t.Errorf("still moving: %d after %d", now, carried)
	}
	_ = c.Close()
	r.await(Ended)
}

// liveHeap returns the bytes that are reachable.
func liveHeap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestServerThatFallsSilentForGoodIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for protocol, times := range idleLimits {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, protocol, dial.Implicit, nil)
			r := newRig(t, newBackend(), u.listener())
			c := r.greeted()
			c.talk(signIns[protocol].text, signIns[protocol].ok)
			c.put("NOOP x\r\n")
			c.line()
			h := r.host()
			h.cutSilent(time.Now().Add(times.client - time.Minute))
			c.put("NOOP y\r\n") // still there
			c.line()
			h.cutSilent(time.Now().Add(times.client + time.Minute))
			c.ended()
			if e := r.await(Ended); !errors.Is(e.Err, errIdle) {
				t.Error(e.Err)
			}
		})
	}
}

// SMTP gives a server ten minutes for the reply to a message, a silent client only five.
func TestWhoOwesAnAnswerDecidesThePatience(t *testing.T) {
	t.Parallel()
	var r relay
	start := time.Unix(1000, 0)
	r.down.last.Store(start.UnixNano())
	r.up.last.Store(start.Add(time.Second).UnixNano())
	if silence, serverOwes := r.silent(start.Add(time.Minute)); silence != 59*time.Second || !serverOwes {
		t.Error(silence, serverOwes)
	}
	r.down.last.Store(start.Add(2 * time.Second).UnixNano())
	if silence, serverOwes := r.silent(start.Add(time.Minute)); silence != 58*time.Second || serverOwes {
		t.Error(silence, serverOwes)
	}
	if l := idleLimits[SMTP]; l.client < 5*time.Minute || l.server < 10*time.Minute {
		t.Error("RFC 5321 4.5.3.2")
	}
	if l := idleLimits[IMAP]; l.client < 30*time.Minute {
		t.Error("RFC 9051 5.4")
	}
	if l := idleLimits[POP3]; l.client < 10*time.Minute {
		t.Error("RFC 1939 3")
	}
}

// A side that has said goodbye is not waited for either.
func TestHalfClosedSessionLingersOnlyShortly(t *testing.T) {
	t.Parallel()
	r, c := echoed(t, dial.Plain, false)
	h := r.host()
	relay := h.all()[0].relay.Load()
	relay.down.over.Store(true)
	h.cutSilent(time.Now().Add(lingerTime + time.Second))
	c.ended()
	r.await(Ended)
}

// crypto/tls must go on with a record after a read that would have waited: the relay relies on it.
func TestTLSResumesReadsThatAreNotReady(t *testing.T) {
	t.Parallel()
	near, far := tcpPair(t)
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{makePair().tls}})
	trickle := &trickling{Conn: near}
	client := tls.Client(trickle, clientTLS())
	go func() { _, _ = server.Write([]byte("hello, world")) }()
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	trickle.on = true
	var got []byte
	buf := make([]byte, 100)
	for len(got) < len("hello, world") {
		n, err := client.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil && !errors.Is(err, errNotReady) {
			t.Fatalf("after %q: %v", got, err)
		}
	}
	if string(got) != "hello, world" {
		t.Errorf("got %q", got)
	}
}

// trickling gives one octet, then is not ready, and so on.
type trickling struct {
	net.Conn
	on, ready bool
}

func (c *trickling) Read(p []byte) (int, error) {
	if !c.on {
		return c.Conn.Read(p)
	}
	if c.ready = !c.ready; !c.ready {
		return 0, errNotReady
	}
	return c.Conn.Read(p[:1])
}

func tcpPair(t testing.TB) (near, far net.Conn) {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = port.Close() }()
	if near, err = net.Dial("tcp", port.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = port.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// host returns the one listener that runs.
func (r *rig) host() *host {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return r.server.running["test"]
}
