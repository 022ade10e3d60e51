package connector

import (
	"bytes"
	"io"
	"testing"
)

// Whatever a peer answers, nothing panics, and what stands behind an answer that opens the connection stays there
// for whoever reads next: mail servers speak first.
func FuzzAnswersOfProxies(f *testing.F) {
	for _, seed := range []string{
		"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x19", "\x05\x00\x00\x03\x02ab\x00\x19", "\x05\x02", "\x05\x00\x00\x09", "HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\n\n",
	} {
		f.Add([]byte(seed))
	}
	const behind = "220 mail.example.com ESMTP\r\n"
	f.Fuzz(func(t *testing.T, said []byte) {
		conn := bytes.NewReader(append(bytes.Clone(said), behind...))
		if reply, err := readSOCKSReply(conn); err == nil && reply == 0 {
			rest(t, conn, behind)
		}
		conn = bytes.NewReader(append(bytes.Clone(said), behind...))
		if a, err := readAnswer(conn); err == nil && a.status/100 == 2 {
			rest(t, conn, behind)
		}
	})
}

// rest checks that a reader has not gone beyond what the proxy itself said. An answer may say that it is longer
// than it is; then it ends in the middle of what follows, and that is as much as it claimed.
func rest(t *testing.T, conn io.Reader, behind string) {
	t.Helper()
	left, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(left, []byte(behind)) && !bytes.HasSuffix([]byte(behind), left) {
		t.Errorf("left over: %q", left)
	}
}
