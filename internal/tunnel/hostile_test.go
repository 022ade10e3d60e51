package tunnel

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"orbit/internal/vault"
)

// script is the other side of a link: it says some bytes, and then nothing until it is closed.
type script struct {
	mu     sync.Mutex
	says   []byte
	closed chan struct{}
	once   sync.Once
}

func newScript(says []byte) *script { return &script{says: says, closed: make(chan struct{})} }

func (s *script) Reader(context.Context) (websocket.MessageType, io.Reader, error) {
	s.mu.Lock()
	says := s.says
	s.says = nil
	s.mu.Unlock()
	if says == nil {
		<-s.closed
		return 0, nil, net.ErrClosed
	}
	return websocket.MessageBinary, bytes.NewReader(says), nil
}

func (s *script) Write(context.Context, websocket.MessageType, []byte) error {
	select {
	case <-s.closed:
		return net.ErrClosed
	default:
		return nil
	}
}

func (s *script) SetReadLimit(int64) {}
func (s *script) CloseNow() error    { s.once.Do(func() { close(s.closed) }); return nil }

// FuzzLink lets the other side say anything, to the side that opens tunnels and to the one that carries them out.
func FuzzLink(f *testing.F) {
	f.Add(frame(typeData, 0, 3, 40), true)
	f.Add(append(frame(typeWindowUpdate, 2, 1, 0), append(frame(typeWindowUpdate, 2, 3, 0), frame(typeData, 0, 3, 3)...)...), true)
	f.Add(append(frame(typeWindowUpdate, flagSYN, 1, 0), append(frame(typeWindowUpdate, flagSYN, 3, 0), frame(typeData, 0, 1, 5)...)...), false)
	f.Fuzz(func(t *testing.T, says []byte, opener bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		var l *link
		var err error
		if opener {
			l, err = newOpener(newScript(says), nil, 10)
		} else {
			l, err = newAcceptor(ctx, newScript(says), nil, 10, "fuzz", func(context.Context, Request, func(Progress)) (Dialled, error) {
				return nil, errors.New("nothing there")
			})
		}
		if err != nil {
			return
		}
		ended := make(chan error, 1)
		go func() { ended <- l.run(ctx) }()
		if opener {
			if conn, err := l.open(ctx, Request{Host: "mail.example.com", Port: 25, Timeout: time.Second}, func(Progress) {}); err == nil {
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}
		}
		if err := <-ended; err == nil {
			t.Error("the link ended without a reason")
		}
	})
}

// caller signs in like an agent and then does what it wants.
func (o *orbit) caller(t *testing.T, token string) *called {
	t.Helper()
	c, err := callIn(t.Context(), o.address, agentPath, o.fingerprint, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.ws.CloseNow() })
	state := newState("")
	signed, err := claim{Key: state.key().Public().(ed25519.PublicKey), Token: token, Name: token}.sign(state.key(), c.binding, c.hello)
	if err != nil {
		t.Fatal(err)
	}
	if err := say(t.Context(), c.ws, signed); err != nil {
		t.Fatal(err)
	}
	var w welcome
	if err := hearHandshake(t.Context(), c.ws, &w); err != nil || w.Refusal != nil {
		t.Fatalf("%v %v", err, w.Refusal)
	}
	return c
}

func TestAHostileAgentIsCutOff(t *testing.T) {
	t.Parallel()
	for what, says := range map[string][]byte{
		"it opens a stream towards Orbit": frame(typeWindowUpdate, flagSYN, 2, 0),
		"it pings without end":            bytes.Repeat(frame(typePing, flagSYN, 0, 1), 1000),
		"it says nonsense":                []byte("GET / HTTP/1.1\r\nHost: inside\r\n\r\n"),
		"it sends more than the window":   append(frame(typeWindowUpdate, 2, 1, 0), bytes.Repeat(frame(typeData, 0, 1, maxWindow), 3)...),
		"it resets what is not there":     append(frame(typeWindowUpdate, 2, 1, 0), append(frame(typeData, 0, 1, 0)[:8], append([]byte{0, 0, 0, 5}, 2, 0, 0, 0, 9)...)...),
		"it says a word of the server":    append(frame(typeWindowUpdate, 2, 1, 0), append(frame(typeData, 0, 1, 0)[:8], append([]byte{0, 0, 0, 5}, 1, 0, 0, 0, 9)...)...),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			o := newOrbit(t, "one", newBook("bad", "good"))
			runAgent(t, agentOptions(t, "good", o))
			c := o.caller(t, "bad")
			until(t, "both are there", o.online(2))
			for len(says) > 0 {
				n := min(len(says), 32<<10)
				if c.ws.Write(t.Context(), websocket.MessageBinary, says[:n]) != nil {
					break
				}
				_ = c.flush()
				says = says[n:]
			}
			if what != "it resets what is not there" { // that is only late
				until(t, "the hostile one is cut off", o.online(1))
			}
			swap(t, o.dial(t, server(t, echo)), "the good one works")
		})
	}
}

func TestStrangersDoNotGetIn(t *testing.T) {
	t.Parallel()
	o := newOrbit(t, "one", newBook("a"))
	runAgent(t, agentOptions(t, "a", o))
	until(t, "the agent connects", o.online(1))
	noise := make([]byte, 2000)
	_, _ = rand.Read(noise)
	for _, says := range [][]byte{noise, []byte("GET / HTTP/1.1\r\n\r\n"), {0x16, 3, 1, 0xff, 0xff}} {
		conn, err := net.Dial("tcp", o.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(says)
		_ = conn.Close()
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: pinned(o.fingerprint), DisableKeepAlives: true}}
	for path, want := range map[string]int{"/": 404, agentPath: http.StatusUpgradeRequired, "/healthz": 404, peerPath: http.StatusUpgradeRequired} {
		response, err := client.Get("https://" + o.address + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}
	if conn, err := tls.Dial("tcp", o.address, old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.2 is accepted")
	}
	swap(t, o.dial(t, server(t, echo)), "the agent works")
}

func TestASignatureIsWorthNothingInAnotherSession(t *testing.T) {
	t.Parallel()
	o := newOrbit(t, "one", newBook("a"))
	calls := make([]*called, 2)
	for i := range calls {
		var err error
		if calls[i], err = callIn(t.Context(), o.address, agentPath, o.fingerprint, nil); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = calls[i].ws.CloseNow() }()
	}
	state := newState("")
	mine := claim{Key: state.key().Public().(ed25519.PublicKey), Token: "a"}
	relayed := calls[1].hello // whoever stands between passes the challenge on
	signed, err := mine.sign(state.key(), calls[0].binding, relayed)
	if err != nil {
		t.Fatal(err)
	}
	if err := say(t.Context(), calls[1].ws, signed); err != nil {
		t.Fatal(err)
	}
	var w welcome
	if err := hearHandshake(t.Context(), calls[1].ws, &w); err != nil || w.Refusal == nil || w.Refusal.Code != BadClaim {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestAnAgentTalksToItsServerOnly(t *testing.T) {
	t.Parallel()
	book := newBook("a")
	o := newOrbit(t, "one", book)
	options := agentOptions(t, "a", o)
	options.Fingerprint = Fingerprint([]byte("another one"))
	a, err := NewAgent(options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.connect(t.Context(), o.address)
	var wrong *WrongFingerprint
	if !errors.As(err, &wrong) {
		t.Errorf("connect: %v", err)
	}
	if book.tokens["a"] != "" {
		t.Error("the token went to another server")
	}
}

func TestProcessesProveThemselvesToEachOther(t *testing.T) {
	t.Parallel()
	book := newBook("a")
	o := newOrbit(t, "one", book)
	runAgent(t, agentOptions(t, "a", o))
	until(t, "the agent connects", o.online(1))
	far := server(t, echo)
	peer := Peer{Process: "one", Addresses: []string{"127.0.0.1:1", o.address}}
	friend := newOrbit(t, "two", book)
	conn, err := friend.DialPeer(t.Context(), peer, far, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	swap(t, conn, "through the other process")
	_ = conn.Close()
	far.Connector = 99
	var broken *LinkError
	if _, err = friend.DialPeer(t.Context(), peer, far, func(Progress) {}); !errors.As(err, &broken) {
		t.Errorf("no agent there: %v", err)
	}
	enemy := newOrbit(t, "three", book, func(b *BrokerOptions) { b.PeerKey = vault.NewSecret("guessed") })
	if _, err = enemy.DialPeer(t.Context(), peer, far, func(Progress) {}); !errors.As(err, &broken) {
		t.Errorf("with another key: %v", err)
	}
	if _, err = friend.DialPeer(t.Context(), Peer{Process: "four", Addresses: peer.Addresses}, far, func(Progress) {}); !errors.As(err, &broken) {
		t.Errorf("another process than meant: %v", err)
	}
}
