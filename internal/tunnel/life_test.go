package tunnel

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http/httpproxy"

	"orbit/internal/vault"
)

func TestTheKeyReplacesTheToken(t *testing.T) {
	t.Parallel()
	o := newOrbit(t, "one", newBook("a"))
	options := agentOptions(t, "a", o)
	first := runAgent(t, options)
	until(t, "the agent connects, and knows it", func() bool {
		state, err := readState(options.State)
		return err == nil && state.Enrolled && o.online(1)()
	})
	first.stop()
	until(t, "it is gone", o.online(0))
	options.Token = vault.Secret{}
	runAgent(t, options)
	until(t, "it comes without a token", o.online(1))
	path := filepath.Join(options.State, stateFile)
	found, err := os.Stat(path)
	if err != nil || found.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", found.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := NewAgent(options); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
	options.State = t.TempDir()
	if _, err := NewAgent(options); err == nil || !strings.Contains(err.Error(), "no token") {
		t.Errorf("neither key nor token: %v", err)
	}
	if _, err := os.Stat(filepath.Join(t.TempDir(), stateFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestARevokedAgentStopsAndComesBackWithANewToken(t *testing.T) {
	t.Parallel()
	book := newBook("a", "b")
	o := newOrbit(t, "one", book)
	options := agentOptions(t, "a", o)
	a := runAgent(t, options)
	until(t, "the agent connects", o.online(1))
	state := a.present()
	book.revoke(state.key().Public().(ed25519PublicKey))
	o.Cut(func(int64) bool { return false }, "revoked")
	var refusal *Refusal
	if err := <-a.ended; !errors.As(err, &refusal) || refusal.Code != Revoked {
		t.Fatalf("it ended with %v", err)
	}
	options.Token = vault.NewSecret("b")
	runAgent(t, options)
	until(t, "it comes back with another key", o.online(1))
}

func TestAnAgentComesBackAfterARestartOfTheServer(t *testing.T) {
	t.Parallel()
	o := newOrbit(t, "one", newBook("a"))
	runAgent(t, agentOptions(t, "a", o))
	until(t, "the agent connects", o.online(1))
	conn := o.dial(t, server(t, echo))
	address := o.address
	o.stop()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the tunnel of the old process ended with %v", err)
	}
	o.serve(t, address)
	started := time.Now()
	until(t, "the agent comes back", o.online(1))
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	swap(t, o.dial(t, server(t, echo)), "and carries")
}

func TestANewAgentProcessTakesOver(t *testing.T) {
	t.Parallel()
	o, far := newOrbit(t, "one", newBook("a")), server(t, echo)
	options := agentOptions(t, "a", o)
	options.Drain = time.Minute
	old := runAgent(t, options)
	until(t, "the old one connects", o.online(1))
	conn := o.dial(t, far)
	options.Version = "new"
	runAgent(t, options)
	until(t, "the new one connects", o.online(2))
	stopped := make(chan struct{})
	go func() { old.stop(); close(stopped) }()
	swap(t, conn, "an open tunnel goes on while the old one drains")
	swap(t, o.dial(t, far), "new tunnels take the new one")
	for _, l := range o.Links() {
		if l.Tunnels != 1 {
			t.Errorf("version %s has %d tunnels", l.Version, l.Tunnels)
		}
	}
	_ = conn.Close()
	select {
	case <-stopped:
	case <-time.After(patience):
		t.Error("the old one does not end")
	}
}

// line is a TCP connection between an agent and a server that can fall silent, as a cut cable does.
type line struct {
	address string
	silent  atomic.Bool
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{address: listener.Addr().String()}
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() { cancel(); _ = listener.Close(); group.Wait() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			context.AfterFunc(ctx, func() { _, _ = in.Close(), out.Close() })
			group.Go(func() { l.copy(out, in) })
			group.Go(func() { l.copy(in, out) })
		}
	}()
	return l
}

func (l *line) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if l.silent.Load() {
			n = 0 // lost on the way
		} else if err != nil {
			_ = to.Close()
		}
		if n > 0 {
			_, _ = to.Write(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

func TestTheSecondaryTakesOverADeadLine(t *testing.T) {
	t.Parallel()
	o, far := newOrbit(t, "one", newBook("p", "s")), server(t, echo)
	cable := newLine(t, o.address)
	primary := agentOptions(t, "p", o)
	primary.Addresses = []string{cable.address}
	runAgent(t, primary)
	secondary := agentOptions(t, "s", o)
	secondary.Secondary = true
	runAgent(t, secondary)
	until(t, "both connect", o.online(2))
	conn := o.dial(t, far)
	swap(t, conn, "through the primary")
	cable.silent.Store(true)
	cut := time.Now()
	through := ""
	next, err := o.Dial(t.Context(), far, func(p Progress) { through = p.Text })
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	swap(t, next, "through the secondary")
	if took := time.Since(cut); took > 15*time.Second || !strings.Contains(through, "agent s (secondary)") {
		t.Errorf("a new tunnel after %s, %s", took, through)
	}
	_ = conn.SetReadDeadline(cut.Add(15 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the tunnel over the dead line ended with %v after %s", err, time.Since(cut))
	}
	cable.silent.Store(false)
	until(t, "the primary comes back", o.online(2))
}

// connectProxy is an HTTP proxy with a password, in front of a server that only it can find.
func connectProxy(t *testing.T, name, to string) (address string, passed *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	passed = &atomic.Int32{}
	var group sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); group.Wait() })
	group.Go(func() { // counted itself, so that none is counted while somebody waits for all
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { defer conn.Close(); proxied(conn, name, to, passed) })
		}
	})
	return listener.Addr().String(), passed
}

func proxied(conn net.Conn, name, to string, passed *atomic.Int32) {
	reader := bufio.NewReader(conn)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("bea:p%ss"))
	switch {
	case request.Header.Get("Proxy-Authorization") != want:
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
		return
	case request.Method != http.MethodConnect || request.Host != name:
		_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		return
	}
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	passed.Add(1)
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(out, reader); _ = out.Close() }()
	_, _ = io.Copy(conn, out)
}

func proxyFrom(address string) Proxy {
	choose := (&httpproxy.Config{HTTPSProxy: address, NoProxy: "direct.test"}).ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }
}

func TestAnAgentPassesAProxyWithAPassword(t *testing.T) {
	t.Parallel()
	o := newOrbit(t, "one", newBook("a"))
	proxy, passed := connectProxy(t, "orbit.test:51445", o.address)
	options := agentOptions(t, "a", o)
	options.Addresses = []string{"orbit.test:51445"} // no resolver knows it: the proxy does
	options.Proxy = proxyFrom("http://bea:p%25ss@" + proxy)
	for _, f := range Examine(t.Context(), options) {
		if !f.Good {
			t.Errorf("%+v", f)
		}
		if strings.Contains(f.Result+f.Remedy, "p%25ss") {
			t.Errorf("the password is shown: %+v", f)
		}
	}
	runAgent(t, options)
	until(t, "the agent connects", o.online(1))
	swap(t, o.dial(t, server(t, echo)), "through the proxy")
	if passed.Load() < 2 { // the doctor and the agent
		t.Error("not through the proxy")
	}
}

func TestTheDoctorNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	o := newOrbit(t, "one", newBook("a"))
	proxy, _ := connectProxy(t, "orbit.test:51445", o.address)
	for what, c := range map[string]struct {
		change func(*AgentOptions)
		bad    string // the finding
		says   string
	}{
		"all is well":        {func(*AgentOptions) {}, "", ""},
		"no key, no token":   {func(a *AgentOptions) { a.Token = vault.Secret{} }, "key", "setup"},
		"another token":      {func(a *AgentOptions) { a.Token = vault.NewSecret("z") }, "sign-in", "token is unknown"},
		"another server":     {func(a *AgentOptions) { a.Fingerprint = strings.Repeat("ab", 32) }, "fingerprint", "expected is abab"},
		"no fingerprint":     {func(a *AgentOptions) { a.Fingerprint = "x" }, "fingerprint", "64 hexadecimal digits"},
		"a closed port":      {func(a *AgentOptions) { a.Addresses = []string{"127.0.0.1:1"} }, "port", "nothing accepts connections"},
		"an unknown name":    {func(a *AgentOptions) { a.Addresses = []string{"no-such-host.invalid:51445"} }, "name", "no-such-host.invalid of Orbit: the name"},
		"a wrong password":   {func(a *AgentOptions) { a.throughProxy("http://bea:wrong@" + proxy) }, "proxy", "wants a sign-in"},
		"another kind there": {func(a *AgentOptions) { a.Addresses = []string{plainServer(t)} }, "TLS", "does not speak TLS"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			options := agentOptions(t, "a", o)
			c.change(&options)
			found := ""
			for _, f := range Examine(t.Context(), options) {
				if !f.Good {
					found += f.What + ": " + f.Result + " " + f.Remedy + "\n"
				}
			}
			if !strings.HasPrefix(found, c.bad) && !strings.Contains(found, "\n"+c.bad) || !strings.Contains(found, c.says) || c.bad == "" && found != "" {
				t.Errorf("found %q", found)
			}
		})
	}
}

func (a *AgentOptions) throughProxy(proxy string) {
	a.Addresses, a.Proxy = []string{"orbit.test:51445"}, proxyFrom(proxy)
}

func plainServer(t *testing.T) string {
	t.Helper()
	r := server(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example.com ESMTP\r\n") })
	return net.JoinHostPort(r.Host, itoa(r.Port))
}
