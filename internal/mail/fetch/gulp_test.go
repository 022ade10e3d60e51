package fetch

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// What arrives comes out the same with and without gulps, and a connection that only waits holds no memory.
func TestGulps(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	defer here.Close()
	text := bytes.Repeat([]byte("0123456789"), gulpSize/4)
	go func() {
		_, _ = there.Write(text)
		_ = there.Close()
	}()
	g := &gulping{Conn: here}
	var got []byte
	p := make([]byte, 1000)
	for i := 0; ; i++ {
		g.many.Store(i%500 > 100)
		n, err := g.Read(p)
		if got = append(got, p[:n]...); errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, text) {
		t.Errorf("%d bytes of %d came out, or others", len(got), len(text))
	}
	g.many.Store(false)
	if _, err := g.Read(p); err == nil || g.room != nil {
		t.Errorf("%v; it holds memory: %v", err, g.room != nil)
	}
}
