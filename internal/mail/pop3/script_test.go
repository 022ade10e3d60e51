package pop3

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// script is a server that says and expects exactly what is written: "S: +OK ready" and "C: STAT". "S- " says
// something without the line's end; "drop" closes the connection.
func script(t testing.TB, lines ...string) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	ended := make(chan error, 1)
	go func() {
		defer server.Close()
		ended <- play(server, lines)
	}()
	t.Cleanup(func() {
		_ = client.Close()
		if err := <-ended; err != nil && !t.Failed() {
			t.Errorf("server: %v", err)
		}
	})
	return socketLike{client}
}

// socketLike is a pipe that takes a deadline like a socket: also when the other end has closed already. A bare
// pipe refuses it, and then whether the reader sees the end or the refusal depends on who is faster.
type socketLike struct{ net.Conn }

func (c socketLike) SetReadDeadline(at time.Time) error  { return taken(c.Conn.SetReadDeadline(at)) }
func (c socketLike) SetWriteDeadline(at time.Time) error { return taken(c.Conn.SetWriteDeadline(at)) }
func (c socketLike) SetDeadline(at time.Time) error      { return taken(c.Conn.SetDeadline(at)) }

func taken(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

func play(server net.Conn, lines []string) error {
	_ = server.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(server)
	for _, line := range lines {
		var err error
		switch text := line[min(3, len(line)):]; {
		case line == "drop":
			return nil
		case line == "wait":
			_, err = io.Copy(io.Discard, in)
		case strings.HasPrefix(line, "S: "):
			_, err = io.WriteString(server, text+"\r\n")
		case strings.HasPrefix(line, "S- "):
			_, err = io.WriteString(server, text)
		case strings.HasPrefix(line, "C: "):
			var got string
			if got, err = in.ReadString('\n'); err == nil && got != text+"\r\n" {
				return fmt.Errorf("got %q, want %q", got, text)
			}
		}
		if errors.Is(err, io.ErrClosedPipe) {
			return nil // the client has had enough
		}
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

// greeted is a client that has read the greeting.
func greeted(t testing.TB, lines ...string) *Client {
	t.Helper()
	return greetedWith(t, Options{}, lines...)
}

func greetedWith(t testing.TB, o Options, lines ...string) *Client {
	t.Helper()
	c := New(script(t, append([]string{"S: +OK ready <1896.697170952@dbc.mtview.ca.us>"}, lines...)...), o)
	if _, err := c.Greeting(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// collect reads a listing.
func collect[T any](seq func(func(T, error) bool)) (all []T, err error) {
	for item, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}

// read reads a whole message.
func read(ctx context.Context, c *Client, limit int64) (string, error) {
	m, err := c.Retrieve(ctx, 1, limit)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(m)
	return string(text), errors.Join(err, m.Close())
}
