package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

const (
	tcpTime = 5 * time.Second // the next attempt finds a line that has come back sooner than a retransmission
	tlsTime = 10 * time.Second
)

// Proxy chooses the proxy for an address, as http.Transport has it; nil is none.
type Proxy func(*http.Request) (*url.URL, error)

// called is a connection to the server, before the handshake.
type called struct {
	ws      *websocket.Conn
	flush   func() error // after each message
	binding []byte
	hello   hello
}

// callIn opens a WebSocket to a server and hears its hello.
func callIn(ctx context.Context, address, path, fingerprint string, proxy Proxy) (*called, error) {
	ctx, cancel := context.WithTimeout(ctx, tcpTime+tlsTime+handshakeTime)
	defer cancel()
	transport := &http.Transport{
		Proxy:                 proxy,
		DialContext:           (&net.Dialer{Timeout: tcpTime}).DialContext,
		TLSClientConfig:       pinned(fingerprint),
		TLSHandshakeTimeout:   tlsTime,
		ResponseHeaderTimeout: handshakeTime,
		DisableKeepAlives:     true,
	}
	roomy := &roomyTransport{RoundTripper: transport}
	client := &http.Client{Transport: roomy, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server sends the agent elsewhere")
	}}
	ws, response, err := websocket.Dial( //nolint:bodyclose // the library closes it, or has it
		ctx, "https://"+address+path, &websocket.DialOptions{
			HTTPClient: client, Subprotocols: []string{subprotocol},
		})
	if err != nil {
		return nil, explainAnswer(response, err)
	}
	c := &called{ws: ws, flush: roomy.made.flush}
	if err := c.begin(ctx, response); err != nil {
		_ = ws.CloseNow()
		return nil, err
	}
	return c, nil
}

func (c *called) begin(ctx context.Context, response *http.Response) (err error) {
	if c.ws.Subprotocol() != subprotocol {
		return errors.New("what answers is no Orbit of this kind")
	}
	if c.binding, err = exporter(response.TLS); err != nil {
		return err
	}
	if err = hearHandshake(ctx, c.ws, &c.hello); err != nil {
		return fmt.Errorf("hear the server's greeting: %w", err)
	}
	return nil
}

// explainAnswer says what an HTTP answer means that is no WebSocket.
func explainAnswer(response *http.Response, err error) error {
	var failed *url.Error
	if response == nil && errors.As(err, &failed) {
		return failed.Err // what stands before it names only what everybody knows
	}
	if response == nil {
		return err
	}
	switch response.StatusCode {
	case http.StatusServiceUnavailable:
		return errors.New("the server has no room for another sign-in; it is tried again")
	case http.StatusNotFound, http.StatusUpgradeRequired, http.StatusBadRequest:
		return fmt.Errorf("the server does not speak this version of the connector's protocol (%s): update the agent or Orbit", response.Status)
	}
	return fmt.Errorf("the server answers %s: %w", response.Status, err)
}
