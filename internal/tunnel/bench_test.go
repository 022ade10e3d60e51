package tunnel

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// source sends without end what a client asks it for by one byte: zeros; sink takes everything.
func source(conn net.Conn) {
	zeros := make([]byte, 64<<10)
	for {
		if _, err := conn.Write(zeros); err != nil {
			return
		}
	}
}

func sink(conn net.Conn) { _, _ = io.Copy(struct{ io.Writer }{io.Discard}, conn) }

const chunk = 1 << 20

func BenchmarkDown(b *testing.B) {
	conn := pair(b).dial(b, server(b, source))
	b.SetBytes(chunk)
	buffer := make([]byte, 32<<10)
	for b.Loop() {
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(conn, chunk), buffer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUp(b *testing.B) {
	conn := pair(b).dial(b, server(b, sink))
	b.SetBytes(chunk)
	data := make([]byte, chunk)
	for b.Loop() {
		if _, err := conn.Write(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRoundTrip is a command and its answer; the figure counts what the tunnel adds to a direct connection.
func BenchmarkRoundTrip(b *testing.B) {
	far := server(b, echo)
	through := pair(b).dial(b, far)
	direct, err := plainDial(b.Context(), far, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer direct.Close()
	var tunnelled, straight []time.Duration
	trip := func(conn net.Conn) time.Duration {
		started := time.Now()
		if err := exchange(conn, "a001 NOOP\r\n"); err != nil {
			b.Fatal(err)
		}
		return time.Since(started)
	}
	for b.Loop() {
		straight = append(straight, trip(direct))
		tunnelled = append(tunnelled, trip(through))
	}
	b.ReportMetric(float64((median(tunnelled)-median(straight)).Nanoseconds())/1000, "added-us-p50")
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
