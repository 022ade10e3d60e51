package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"orbit/internal/mail/dial"
)

// host runs one listener: it opens the port, takes clients in, and lets them go.
type host struct {
	server   *Server
	listener Listener
	ledger   *ledger
	offer    *lesson
	tls      *tls.Config // nil without a certificate
	stop     context.CancelFunc
	closed   chan struct{}  // the port is closed and stays closed
	done     chan struct{}  // the last session has ended too
	sessions sync.WaitGroup // the sessions that live
	refusals chan struct{}  // bounds the clients that are being turned away

	mu        sync.Mutex
	state     State
	reason    string
	since     time.Time
	address   string // the port that is open
	live      map[*session]struct{}
	addresses map[netip.Addr]int
	accounts  map[string]int
}

func newHost(s *Server, l Listener, book *ledger) *host {
	return &host{
		server: s, listener: l, ledger: book, offer: newLesson(l.Protocol), tls: localTLS(l),
		closed: make(chan struct{}), done: make(chan struct{}), refusals: make(chan struct{}, maxRefusals),
		state: Starting, since: time.Now(),
		live: make(map[*session]struct{}), addresses: make(map[netip.Addr]int), accounts: make(map[string]int),
	}
}

// run keeps the port open until ctx ends, then drains.
func (h *host) run(ctx context.Context) {
	defer close(h.done)
	var helpers sync.WaitGroup
	helpers.Go(func() { h.sweep(ctx) })
	helpers.Go(func() { h.study(ctx) })
	for ctx.Err() == nil {
		port, err := h.open(ctx)
		if err == nil {
			h.accept(ctx, port)
			continue
		}
		h.failed(err)
		_ = pause(ctx, h.server.options.Retry)
	}
	close(h.closed)
	helpers.Wait()
	h.drain()
	h.become(Idle, "", "")
}

// open listens; a certificate that can't be read counts as a port that can't be opened.
func (h *host) open(ctx context.Context) (net.Listener, error) {
	if h.listener.LocalSecurity != dial.Plain {
		if _, err := h.tls.GetCertificate(nil); err != nil {
			return nil, err
		}
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", h.listener.LocalAddress)
}

// failed tells the first of equal failures; the others only show that it is still tried.
func (h *host) failed(err error) {
	state, kind := Failed, ListenFailed
	if errors.Is(err, syscall.EADDRINUSE) {
		state, kind = Standby, PortInUse
	}
	if h.become(state, err.Error(), "") {
		h.observe(Event{Kind: kind, Listener: h.listener, Err: err})
	}
}

// become changes the state and reports whether that is news.
func (h *host) become(state State, reason, address string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == state && h.reason == reason {
		return false
	}
	h.state, h.reason, h.address, h.since = state, reason, address, time.Now()
	return true
}

// accept takes clients until ctx ends.
func (h *host) accept(ctx context.Context, port net.Listener) {
	h.become(Running, "", port.Addr().String())
	h.observe(Event{Kind: Listening, Listener: h.listener, Text: port.Addr().String()})
	defer h.observe(Event{Kind: Stopped, Listener: h.listener})
	defer context.AfterFunc(ctx, func() { _ = port.Close() })()
	for {
		conn, err := port.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			_ = port.Close()
			return
		case err != nil: // descriptors have run out, mostly; clients that wait in the queue are served later
			h.ledger.fault(err)
			_ = pause(ctx, 100*time.Millisecond)
		default:
			h.take(ctx, conn)
		}
	}
}

var sessionID atomic.Uint64

// take begins a session, or turns the client away.
func (h *host) take(ctx context.Context, conn net.Conn) {
	s := &session{
		host: h, id: sessionID.Add(1), started: time.Now(), wire: newWire(conn), remote: remoteOf(conn),
	}
	ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx)) // stopping is told to the client first
	if !h.register(s) {
		h.turnAway(ctx, s)
		return
	}
	go s.run(ctx)
}

func (h *host) register(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.live) >= h.listener.Limits.sessions() {
		return false
	}
	h.live[s] = struct{}{}
	h.sessions.Add(1)
	h.ledger.opened()
	return true
}

func remoteOf(conn net.Conn) netip.AddrPort {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		address := tcp.AddrPort()
		return netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
	}
	return netip.AddrPort{}
}

// maxRefusals is how many clients are told at once that there is no room; more are closed without a word.
const maxRefusals = 64

func (h *host) turnAway(ctx context.Context, s *session) {
	e := s.event(TurnedAway)
	e.Err = errSessions
	h.observe(e)
	select {
	case h.refusals <- struct{}{}:
	default:
		s.cancel(nil)
		_ = s.wire.Close()
		return
	}
	h.sessions.Go(func() {
		defer func() {
			s.cancel(nil)
			_ = s.wire.Close()
			<-h.refusals
		}()
		c := h.newClient(s.wire)
		defer releaseReader(c.in)
		if h.listener.LocalSecurity == dial.Implicit && c.handshake(ctx) != nil {
			return
		}
		newFront(c).farewell(errSessions)
	})
}

func (h *host) newClient(w *wire) *client {
	return &client{
		end: end{wire: w, conn: w, in: newReader(w)}, listener: h.listener,
		name: h.server.options.Name, tls: h.tls, offer: h.offer.wait,
	}
}

// admit counts the session for its client's address.
func (h *host) admit(s *session) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	address, most := s.remote.Addr(), h.listener.Limits.PerAddress
	if !address.IsValid() {
		return nil
	}
	if most > 0 && h.addresses[address] >= most {
		return errSessions
	}
	h.addresses[address]++
	s.counted = address
	return nil
}

// enter counts the session for its account.
func (h *host) enter(s *session, account Account) *Refusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.account = account
	most := h.listener.Limits.PerAccount
	if most > 0 && h.accounts[account.Name] >= most {
		s.account = Account{}
		return &Refusal{Reason: Limited}
	}
	h.accounts[account.Name]++
	return nil
}

// exit undoes enter.
func (h *host) exit(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.release(s)
}

func (h *host) release(s *session) {
	if s.account != (Account{}) {
		drop(h.accounts, s.account.Name)
		s.account = Account{}
	}
}

// leave undoes everything that the session has taken.
func (h *host) leave(s *session, e Event) {
	h.mu.Lock()
	delete(h.live, s)
	h.release(s)
	if s.counted.IsValid() {
		drop(h.addresses, s.counted)
	}
	h.mu.Unlock()
	h.ledger.closed(e)
}

func drop[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

func (h *host) observe(e Event) { h.server.observe(e) }
