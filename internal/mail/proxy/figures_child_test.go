package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
)

// The figures are those of a process of its own: its processor time and memory are the proxy's alone.

// childVariable makes this test program run as that process.
const childVariable = "ORBIT_PROXY_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		must(runChild())
		return
	}
	os.Exit(m.Run())
}

// runChild serves the listeners that it reads from its input until that ends. It prints their addresses.
func runChild() error {
	var listeners []Listener
	if err := json.NewDecoder(os.Stdin).Decode(&listeners); err != nil {
		return err
	}
	ready := make(chan struct{}, len(listeners))
	server, err := New(Options{Backend: newBackend(), Observer: ObserverFunc(func(e Event) {
		if e.Kind == Listening {
			ready <- struct{}{}
		}
	})})
	if err != nil {
		return err
	}
	server.Apply(listeners)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for range listeners {
			<-ready
		}
		addresses := make(map[string]string)
		for _, s := range server.Status() {
			addresses[s.Listener.Name] = s.Address
		}
		_ = json.NewEncoder(os.Stdout).Encode(addresses)
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return server.Run(ctx)
}

// child is the proxy under measurement.
type child struct {
	pid       int
	addresses map[string]string // by the name of the listener
}

func startChild(t *testing.T, targets map[string]dial.Target) child {
	t.Helper()
	var listeners []Listener
	for name, target := range targets {
		l := Listener{Name: name, Protocol: IMAP, LocalAddress: "127.0.0.1:0", Upstream: target}
		if name == "smtp" {
			l.Protocol = SMTP
		}
		listeners = append(listeners, l)
	}
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(err)
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	must(json.NewEncoder(in).Encode(listeners))
	c := child{pid: cmd.Process.Pid}
	must(json.NewDecoder(out).Decode(&c.addresses))
	return c
}

// processor returns the processor time that the process has used, in milliseconds.
func (c child) processor() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	must(err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return float64(user+system) * 10 // ticks of 10 ms
}

// memory returns the resident memory in kB.
func (c child) memory() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	must(err)
	for line := range strings.Lines(string(status)) {
		if size, found := strings.CutPrefix(line, "VmRSS:"); found {
			kB, _ := strconv.Atoi(strings.Fields(size)[0])
			return float64(kB)
		}
	}
	return 0
}

// serveSink takes mail as fast as it comes, after any sign-in.
func serveSink(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 64<<10)
	_, _ = io.WriteString(conn, "220 sink ESMTP\r\n")
	reply := map[string]string{
		"EHLO": "250-sink\r\n250-PIPELINING\r\n250 AUTH XOAUTH2\r\n", "AUTH": "235 2.7.0 OK\r\n", "MAIL": "250 2.1.0 OK\r\n",
		"RCPT": "250 2.1.5 OK\r\n", "DATA": "354 go\r\n", "QUIT": "221 bye\r\n",
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil || len(line) < 6 {
			return
		}
		verb := line[:4]
		_, _ = io.WriteString(conn, reply[verb])
		if verb == "QUIT" {
			return
		}
		if verb == "DATA" && !skipMail(in, conn) {
			return
		}
	}
}

func skipMail(in *bufio.Reader, conn net.Conn) bool {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return false
		}
		if string(line) == ".\r\n" {
			_, err = io.WriteString(conn, "250 2.0.0 OK\r\n")
			return err == nil
		}
	}
}
