package tunnel

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"sync"
)

// roomy collects what a client's WebSocket writes. A client must mask what it sends (RFC 6455 5.3), and the
// library does so in pieces of the size of its buffer, 4 kB; each would be a record of TLS and a system call.
type roomy struct {
	io.ReadWriteCloser
	mu  sync.Mutex
	out *bufio.Writer
}

const (
	maskPiece = 4 << 10
	roomySize = 64 << 10
)

// Write implements io.Writer. A piece of full size is part of a message that goes on, or its last one: then
// flush follows. Everything smaller ends a message.
func (r *roomy) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.out.Write(p)
	if err == nil && len(p) < maskPiece {
		err = r.out.Flush()
	}
	return n, err
}

// flush sends what is left of a message.
func (r *roomy) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Flush()
}

// roomyTransport puts roomy between a WebSocket and its connection.
type roomyTransport struct {
	http.RoundTripper
	made *roomy
}

// RoundTrip implements http.RoundTripper.
func (t *roomyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		return response, err
	}
	body, ok := response.Body.(io.ReadWriteCloser)
	if !ok {
		return response, errors.New("the connection cannot be written to")
	}
	t.made = &roomy{ReadWriteCloser: body, out: bufio.NewWriterSize(body, roomySize)}
	response.Body = t.made
	return response, nil
}
