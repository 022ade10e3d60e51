package tunnel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"
)

// frame is a yamux frame with a body of zeros.
func frame(kind byte, flags uint16, stream, length uint32) []byte {
	head := []byte{0, kind}
	head = binary.BigEndian.AppendUint16(head, flags)
	head = binary.BigEndian.AppendUint32(head, stream)
	head = binary.BigEndian.AppendUint32(head, length)
	if kind == typeData {
		head = append(head, make([]byte, min(length, maxWindow))...)
	}
	return head
}

func TestTheGuardLetsOnlyThisProtocolThrough(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what     string
		mayOpen  bool
		bytes    []byte
		violates bool
	}{
		{"data", false, frame(typeData, 0, 3, 1000), false},
		{"an end", false, frame(typeWindowUpdate, 4, 3, 0), false},
		{"the server opens", true, frame(typeWindowUpdate, flagSYN, 3, 0), false},
		{"the agent opens", false, frame(typeWindowUpdate, flagSYN, 2, 0), true},
		{"the agent opens with data", false, frame(typeData, flagSYN, 2, 5), true},
		{"the server opens a number of the agent", true, frame(typeWindowUpdate, flagSYN, 4, 0), true},
		{"data of no stream", false, frame(typeData, 0, 0, 5), true},
		{"more than a window", false, frame(typeData, 0, 3, maxWindow+1), true},
		{"a type that does not exist", false, frame(9, 0, 3, 0), true},
		{"another version", false, append([]byte{1}, frame(typeData, 0, 3, 0)[1:]...), true},
		{"pings without end", false, bytes.Repeat(frame(typePing, flagSYN, 0, 7), pingBurst+5), true},
		{"answers to pings", false, bytes.Repeat(frame(typePing, 2, 0, 7), 1000), false},
	} {
		for _, piece := range []int{1, 7, 1 << 20} { // wherever the bytes are cut
			g := guard{mayOpen: c.mayOpen}
			var err error
			for rest := c.bytes; len(rest) > 0 && err == nil; rest = rest[min(piece, len(rest)):] {
				err = g.see(rest[:min(piece, len(rest))])
			}
			if errors.Is(err, errViolation) != c.violates {
				t.Errorf("%s, in pieces of %d: %v", c.what, piece, err)
			}
		}
	}
}

func TestPingsOfANormalPeerPass(t *testing.T) {
	t.Parallel()
	var b bucket
	for at, n := time.Now(), 0; n < 1000; at, n = at.Add(pingEvery), n+1 {
		if !b.take(at) {
			t.Fatalf("ping %d is refused", n)
		}
	}
}

func TestWhatTheOtherSideSaysIsMadeFitForPeople(t *testing.T) {
	t.Parallel()
	a := answer{TakenUp: "a\x1b[2Jb\nc", Failure: &Failure{Text: strings.Repeat("ä", maxText), Rule: "\xff"}, Progress: &Progress{Notes: make([]string, 100)}}.sanitize()
	if a.TakenUp != "a [2Jb c" || len(a.Failure.Text) > maxText || a.Failure.Rule != "\uFFFD" || len(a.Progress.Notes) != maxLines {
		t.Errorf("%+v %+v", a, a.Failure)
	}
}

// FuzzGuard finds whether cutting the bytes elsewhere changes the verdict.
func FuzzGuard(f *testing.F) {
	f.Add(frame(typeData, 0, 3, 10), 5, false)
	f.Add(append(frame(typePing, flagSYN, 0, 1), frame(typeWindowUpdate, flagSYN, 3, 0)...), 1, true)
	f.Fuzz(func(t *testing.T, data []byte, cut int, mayOpen bool) {
		whole, parts := guard{mayOpen: mayOpen}, guard{mayOpen: mayOpen}
		cut = max(0, min(cut, len(data)))
		err := parts.see(data[:cut])
		if err == nil {
			err = parts.see(data[cut:])
		}
		if wholeErr := whole.see(data); (wholeErr == nil) != (err == nil) {
			t.Errorf("in one piece %v, in two %v", wholeErr, err)
		}
	})
}

// FuzzMessage finds whether anything but a message of ours is taken for one, or more is read than it.
func FuzzMessage(f *testing.F) {
	var good bytes.Buffer
	_ = writeMessage(&good, Request{Host: "mail.example.com", Port: 25, Timeout: time.Second})
	f.Add(good.Bytes())
	f.Add([]byte{version, 0xff, 0xff, '{'})
	f.Fuzz(func(t *testing.T, data []byte) {
		reader := bytes.NewReader(append(data, "tunnel"...))
		var r Request
		if readMessage(reader, &r) != nil {
			return
		}
		if used := len(data) + len("tunnel") - reader.Len(); used != 3+int(binary.BigEndian.Uint16(data[1:3])) {
			t.Errorf("%d bytes were read", used)
		}
		if r.check() == nil && strings.ContainsAny(r.Host, "\r\n /@") {
			t.Errorf("the host %q is taken", r.Host)
		}
	})
}
