package connector

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"orbit/internal/mail/ladder"
)

// httpConnect is the gate of HTTP proxies (RFC 9110 9.3.6).
type httpConnect struct{}

const (
	maxAnswer  = 16 << 10 // header of an answer to CONNECT
	maxInterim = 4        // 1xx answers before the real one
)

var errNotHTTP = errors.New("the answer is not HTTP")

// reach connects only: an HTTP proxy looks at the sign-in together with a request.
func (httpConnect) reach(ctx context.Context, h hop) (session, error) {
	signIn, err := h.signIn(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := h.dialConnector(ctx)
	if err != nil {
		return nil, err
	}
	return httpSession{conn, signIn}, nil
}

// httpSession is a proxy that was sent nothing yet.
type httpSession struct {
	conn   net.Conn
	signIn signIn
}

func (s httpSession) close() { _ = s.conn.Close() }

func (s httpSession) request(ctx context.Context, h hop, host string, port int) (net.Conn, error) {
	h.Username = s.signIn.username
	var a answer
	err := converse(ctx, s.conn, askTimeout, func() (err error) {
		if _, err := io.WriteString(s.conn, s.question(host, port)); err != nil {
			return err
		}
		a, err = readAnswer(s.conn)
		return err
	})
	switch {
	case errors.Is(err, errNotHTTP):
		return nil, h.fault(ladder.Connect, h.Named("http_connect_not_http"), err)
	case errors.Is(err, errMalformed):
		return nil, h.fault(ladder.Connect, h.Named("http_connect_malformed"), err)
	case err != nil:
		return nil, h.fault(ladder.Connect, h.Request(err), err)
	}
	ladder.From(ctx).Record("server", a.line)
	if a.status/100 != 2 {
		return nil, h.fault(ladder.Connect, h.Connect(a.status, a.line, a.schemes), errors.New(a.line))
	}
	return s.conn, nil
}

// question is the whole request. The name goes as it is, so it is looked up at the far end.
func (s httpSession) question(host string, port int) string {
	to := net.JoinHostPort(host, strconv.Itoa(port))
	text := "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\nUser-Agent: Orbit\r\n"
	if s.signIn.username != "" {
		text += "Proxy-Authorization: " + s.signIn.basic() + "\r\n"
	}
	return text + "\r\n"
}

// answer is what a proxy said to CONNECT.
type answer struct {
	status  int
	line    string
	schemes []string // of sign-in, from a 407
}

// readAnswer reads exactly the header of the answer, because the server behind may speak at once.
func readAnswer(conn io.Reader) (answer, error) {
	for range maxInterim {
		header, err := readHeader(conn)
		if err != nil {
			return answer{}, err
		}
		a, err := parseAnswer(header)
		if err != nil || a.status/100 != 1 {
			return a, err
		}
	}
	return answer{}, fmt.Errorf("%w: interim answers without end", errMalformed)
}

func parseAnswer(header []byte) (answer, error) {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(header)), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	_ = r.Body.Close() // the reason stands in the status line
	return answer{r.StatusCode, r.Proto + " " + r.Status, schemes(r.Header.Values("Proxy-Authenticate"))}, nil
}

// readHeader reads byte by byte up to the blank line. A peer that speaks another protocol is recognised by its
// first bytes: it may never send a blank line.
func readHeader(conn io.Reader) ([]byte, error) {
	const begins = "HTTP/"
	var header []byte
	var next [1]byte
	for len(header) < maxAnswer {
		if _, err := io.ReadFull(conn, next[:]); err != nil {
			return nil, err
		}
		header = append(header, next[0])
		if n := len(header); n <= len(begins) && string(header) != begins[:n] {
			return nil, errNotHTTP
		}
		if bytes.HasSuffix(header, []byte("\r\n\r\n")) || bytes.HasSuffix(header, []byte("\n\n")) {
			return header, nil
		}
	}
	return nil, fmt.Errorf("%w: a header of more than %d bytes", errMalformed, maxAnswer)
}

// schemes are the first words of challenges: "Basic", "Negotiate".
func schemes(challenges []string) []string {
	var all []string
	for _, c := range challenges {
		scheme, _, _ := strings.Cut(strings.TrimSpace(c), " ")
		if scheme != "" {
			all = append(all, strings.TrimSuffix(scheme, ","))
		}
	}
	return all
}
