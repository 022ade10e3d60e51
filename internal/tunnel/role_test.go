package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"orbit/internal/vault"
)

// A test binary also plays other machines: in a namespace of the network, or with a memory of its own.
const (
	roleVariable    = "TUNNEL_TEST_ROLE"
	addressVariable = "TUNNEL_TEST_ADDRESS"
	printVariable   = "TUNNEL_TEST_FINGERPRINT"
	tokenVariable   = "TUNNEL_TEST_TOKEN"
	stateVariable   = "TUNNEL_TEST_STATE"
)

// play is the life of another machine. It ends when its standard input does, so at the latest with the test.
func play(role string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if role != "tun" {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	}
	var err error
	switch role {
	case "agent":
		err = playAgent(ctx)
	case "echo", "source", "sink", "deaf":
		err = playServer(ctx, map[string]func(net.Conn){"echo": echo, "source": source, "sink": sink, "deaf": deaf}[role])
	case "tun":
		err = playTun(os.Getenv(addressVariable))
	default:
		err = errors.New("unknown role " + role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		return 1
	}
	return 0
}

func playAgent(ctx context.Context) error {
	LimitMemory()
	a, err := NewAgent(AgentOptions{
		Addresses: []string{os.Getenv(addressVariable)}, Fingerprint: os.Getenv(printVariable), Token: vault.NewSecret(os.Getenv(tokenVariable)),
		Name: os.Getenv(tokenVariable), Secondary: strings.Contains(os.Getenv(tokenVariable), "secondary"), State: os.Getenv(stateVariable),
		Dial: plainDial, Drain: time.Second, Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
	})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

func playServer(ctx context.Context, serve func(net.Conn)) error {
	listener, err := net.Listen("tcp", os.Getenv(addressVariable))
	if err != nil {
		return err
	}
	fmt.Println("listening", listener.Addr())
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	for {
		conn, err := listener.Accept()
		if err != nil {
			return nil //nolint:nilerr // it was closed
		}
		go func() { defer conn.Close(); serve(conn) }()
	}
}

// deaf is a destination that takes next to nothing and keeps the connection.
func deaf(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetReadBuffer(1 << 10)
	_, _ = io.ReadFull(conn, make([]byte, 1))
	select {}
}

// machine is a running role.
type machine struct {
	cmd *exec.Cmd
	out *bufio.Reader
	in  io.WriteCloser
}

// machine starts a role, in a namespace of the network when one is named.
func newMachine(t testing.TB, namespace, role string, variables ...string) *machine {
	t.Helper()
	args := []string{os.Args[0]}
	if namespace != "" {
		args = append([]string{"ip", "netns", "exec", namespace}, args...)
	}
	m := &machine{cmd: exec.Command(args[0], args[1:]...)}
	m.cmd.Env = append(os.Environ(), append(variables, roleVariable+"="+role)...)
	m.cmd.Stderr = t.Output()
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.out = bufio.NewReaderSize(out, 128<<10)
	if m.in, err = m.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.in.Close(); _ = m.cmd.Wait() })
	return m
}

// address is where a server role listens.
func (m *machine) address(t testing.TB) string {
	t.Helper()
	line, err := m.out.ReadString('\n')
	_, address, found := strings.Cut(strings.TrimSpace(line), "listening ")
	if err != nil || !found {
		t.Fatalf("%q, %v", line, err)
	}
	return address
}

// request is for a tunnel to a server role.
func (m *machine) request(t testing.TB) Request {
	t.Helper()
	host, digits, err := net.SplitHostPort(m.address(t))
	if err != nil {
		t.Fatal(err)
	}
	port := 0
	if _, err := fmt.Sscan(digits, &port); err != nil {
		t.Fatal(err)
	}
	return Request{Host: host, Port: port, Timeout: 10 * time.Second, Connector: 1}
}

// agentMachine is an agent in a process of its own.
func (o *orbit) agentMachine(t testing.TB, namespace, address, token string) *machine {
	t.Helper()
	return newMachine(t, namespace, "agent", addressVariable+"="+address, printVariable+"="+o.Fingerprint(), tokenVariable+"="+token, stateVariable+"="+t.TempDir())
}
