package tunnel

import (
	"context"
	"crypto/hmac"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/netutil"

	"orbit/internal/vault"
)

const maxConnections = 4096 // agents, and strangers that have not said anything yet

// Serve lets agents and other processes in until ctx ends. Then it lets tunnels finish, and returns when every
// link has ended.
func (b *Broker) Serve(ctx context.Context, listener net.Listener) error {
	var links crew
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+agentPath, b.greet(ctx, &links, b.letAgentIn))
	mux.HandleFunc("GET "+peerPath, b.greet(ctx, &links, b.letPeerIn))
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: handshakeTime, ReadTimeout: handshakeTime, WriteTimeout: handshakeTime,
		IdleTimeout: handshakeTime, MaxHeaderBytes: maxMessage, ErrorLog: log.New(io.Discard, "", 0), // strangers make noise
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/2 has no WebSocket of this kind
	}
	inside := tls.NewListener(netutil.LimitListener(listener, maxConnections), &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{b.o.Certificate}, NextProtos: []string{"http/1.1"},
		SessionTicketsDisabled: true,
	})
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(inside)
	links.dismiss()
	if errors.Is(err, http.ErrServerClosed) || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve network connector agents: %w", err)
}

// visit is a WebSocket at the door.
type visit struct {
	ws      *websocket.Conn
	binding []byte
	hello   hello
	remote  string
}

// admit decides about a visit, within the time for handshakes, and returns the work of its link.
type admit func(ctx context.Context, v visit) (func(context.Context), error)

// greet opens the WebSocket, greets and lets admit decide. Only so many strangers are at the door at once.
func (b *Broker) greet(ctx context.Context, links *crew, decide admit) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case b.door <- struct{}{}:
		default:
			http.Error(w, "too many sign-ins at once", http.StatusServiceUnavailable)
			return
		}
		if !links.join() {
			<-b.door
			return // the server is closed
		}
		defer links.leave()
		work, err := b.receive(ctx, w, r, decide)
		<-b.door
		if err != nil {
			b.o.Log.DebugContext(ctx, "network connector: not let in", "from", r.RemoteAddr, "error", err)
			return
		}
		work(ctx)
	}
}

// receive makes a visit of a request.
func (b *Broker) receive(ctx context.Context, w http.ResponseWriter, r *http.Request, decide admit) (func(context.Context), error) {
	binding, err := exporter(r.TLS)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUpgradeRequired)
		return nil, err
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return nil, err
	}
	shake, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	v := visit{ws: ws, binding: binding, hello: newHello(b.o.Process), remote: r.RemoteAddr}
	var work func(context.Context)
	if ws.Subprotocol() != subprotocol {
		err = errors.New("another protocol")
	} else if err = say(shake, ws, v.hello); err == nil {
		work, err = decide(shake, v)
	}
	if err != nil {
		_ = ws.CloseNow()
	}
	return work, err
}

// letAgentIn verifies who an agent is and asks the registry.
func (b *Broker) letAgentIn(ctx context.Context, v visit) (func(context.Context), error) {
	var signed signedClaim
	if err := hearHandshake(ctx, v.ws, &signed); err != nil {
		return nil, err
	}
	said, err := signed.verify(v.binding, v.hello)
	if err != nil {
		return nil, b.refuse(ctx, v, &Refusal{Code: BadClaim, Text: err.Error()})
	}
	c := Claim{
		Key: said.Key, Token: vault.NewSecret(said.Token), Name: said.Name, Version: said.Version,
		Secondary: said.Secondary, Probe: said.Probe, Remote: v.remote,
	}
	known, err := b.o.Registry.SignIn(ctx, c)
	if err != nil {
		return nil, b.refuse(ctx, v, err)
	}
	if err := say(ctx, v.ws, welcome{Agent: known.ID, Name: known.Name, Connector: known.ConnectorName}); err != nil {
		return nil, err
	}
	if c.Probe {
		_ = v.ws.Close(websocket.StatusNormalClosure, "")
		return func(context.Context) {}, nil
	}
	l, err := newOpener(v.ws, nil, b.o.Limit)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) { b.keep(ctx, &agentLink{link: l, agent: known, claim: c}) }, nil
}

// refuse tells an agent why it is not let in, as far as that is its business.
func (b *Broker) refuse(ctx context.Context, v visit, err error) error {
	var r *Refusal
	if !errors.As(err, &r) {
		b.o.Log.ErrorContext(ctx, "network connector: look an agent up", "error", err)
		r = &Refusal{Code: Later, Text: "Orbit cannot look the agent up at the moment; it is tried again."}
	}
	b.o.Observe(Event{Kind: LinkRefused, Remote: v.remote, Text: "An agent was refused: " + r.Text})
	_ = say(ctx, v.ws, welcome{Refusal: r})
	_ = v.ws.Close(websocket.StatusPolicyViolation, "refused")
	return err
}

// letPeerIn verifies that another process of this Orbit calls, and proves that this is one.
func (b *Broker) letPeerIn(ctx context.Context, v visit) (func(context.Context), error) {
	var p peerProof
	if err := hearHandshake(ctx, v.ws, &p); err != nil {
		return nil, err
	}
	if len(p.Nonce) != nonceSize || !hmac.Equal(p.Code, p.code(askerLabel, b.o.PeerKey, v.binding, v.hello)) {
		return nil, errors.New("a process that does not know the key asked for a tunnel")
	}
	proof := peerProof{Process: p.Process, Nonce: p.Nonce}
	proof.Code = proof.code(giverLabel, b.o.PeerKey, v.binding, v.hello)
	if err := say(ctx, v.ws, proof); err != nil {
		return nil, err
	}
	l, err := newAcceptor(ctx, v.ws, nil, maxPeerTunnels, AnotherProcess, b.give)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) { b.keepPeer(ctx, l) }, nil
}

const maxPeerTunnels = 10 * usualLimit

// give opens a tunnel for another process, through an agent of this one: never through a third process.
func (b *Broker) give(ctx context.Context, r Request, told func(Progress)) (Dialled, error) {
	conn, err := b.Dial(ctx, r, told)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, ErrNoAgent):
		err = &Failure{Code: NoAgent, Text: ErrNoAgent.Error()}
	}
	var broken *LinkError
	if errors.As(err, &broken) {
		err = &Failure{Code: NoAgent, Text: err.Error()}
	}
	return nil, err
}

// keepPeer carries the tunnels of another process.
func (b *Broker) keepPeer(ctx context.Context, l *link) {
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	defer context.AfterFunc(ctx, func() {
		l.drain(running, b.o.Drain)
		stop(errStops)
	})()
	_ = l.run(running)
}

// idlePeer is how long a link between processes stays without a tunnel.
const idlePeer = time.Minute
