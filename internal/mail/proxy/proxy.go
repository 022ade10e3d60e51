// Package proxy lets mail programs that know only passwords use servers that take only OAuth 2.0.
//
// A Server runs Listeners. On each, a front (imap.go, pop3.go, smtp.go) speaks with the client until it
// gives a user name and a password. The Backend says whose they are and finds an access token; server.go
// signs in upstream with it; from then on relay.go carries bytes both ways and understands none of them.
//
// Three promises hold everything together. Nothing that a client sends before it has signed in reaches a
// server, and its password never does. Everything read before that is bounded. An idle session costs two
// sockets, no goroutine and no buffer.
package proxy

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options is what a Server needs; only Backend is required.
type Options struct {
	Backend  Backend
	Observer Observer                         // none by default
	Name     string                           // of this machine in SMTP's greeting; its host name by default
	Drain    time.Duration                    // for sessions that are busy when a listener stops; 20 seconds
	Retry    time.Duration                    // between attempts to open a port; 1 second
	Delay    func(failures int) time.Duration // before a wrong password is answered; up to 2 seconds
}

func (o Options) withDefaults() Options {
	if o.Observer == nil {
		o.Observer = ObserverFunc(func(Event) {})
	}
	if o.Name == "" {
		o.Name, _ = os.Hostname()
	}
	if !validHello(o.Name) {
		o.Name = "localhost"
	}
	if o.Drain == 0 {
		o.Drain = 20 * time.Second
	}
	if o.Retry == 0 {
		o.Retry = time.Second
	}
	if o.Delay == nil {
		o.Delay = defaultDelay
	}
	return o
}

// Server runs listeners.
type Server struct {
	options   Options
	backend   Backend
	penalties penalties
	hosts     sync.WaitGroup // all that run, those that drain too
	loops     *loops         // while Run runs

	mu      sync.Mutex
	start   func(*host) // while Run runs, else nil
	wanted  []Listener
	running map[string]*host
	ledgers map[string]*ledger
}

// New returns a Server without listeners.
func New(o Options) (*Server, error) {
	if o.Backend == nil {
		return nil, errors.New("the mail proxy needs a backend")
	}
	return &Server{
		options: o.withDefaults(), backend: o.Backend, penalties: penalties{counts: make(map[string]penalty)},
		running: make(map[string]*host), ledgers: make(map[string]*ledger),
	}, nil
}

// Run serves the listeners of Apply until ctx ends and the last session has ended. It is called once.
func (s *Server) Run(ctx context.Context) error {
	s.loops = newLoops()
	defer s.loops.stop()
	s.begin(func(h *host) {
		ctx, stop := context.WithCancel(ctx)
		h.stop = stop
		s.hosts.Go(func() {
			defer stop()
			h.run(ctx)
		})
	})
	<-ctx.Done()
	s.begin(nil)
	s.hosts.Wait()
	return nil
}

func (s *Server) begin(start func(*host)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = start
	s.adjust()
}

// Apply makes these the listeners. One that has not changed is left alone with all its sessions; one that has
// gone or changed closes its port at once and drains.
func (s *Server) Apply(listeners []Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = slices.Clone(listeners)
	s.adjust()
}

// Restart closes a listener's port, drains it, and opens the port anew.
func (s *Server) Restart(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halt(name)
	s.adjust()
}

// adjust brings what runs in line with what is wanted. All ports that have to be closed are closed before
// the first is opened: two listeners may have changed places.
func (s *Server) adjust() {
	if s.start == nil {
		return
	}
	for name, h := range s.running {
		if !slices.Contains(s.wanted, h.listener) {
			s.halt(name)
		}
	}
	for _, l := range s.wanted {
		if s.running[l.Name] == nil {
			s.launch(l)
		}
	}
}

// halt returns when the port is closed; the sessions drain by themselves.
func (s *Server) halt(name string) {
	if h := s.running[name]; h != nil {
		h.stop()
		<-h.closed
		delete(s.running, name)
	}
}

func (s *Server) launch(l Listener) {
	if s.ledgers[l.Name] == nil {
		s.ledgers[l.Name] = newLedger()
	}
	h := newHost(s, l, s.ledgers[l.Name])
	s.running[l.Name] = h
	s.start(h)
}

// Status returns how the listeners are, by name.
func (s *Server) Status() []Status {
	s.mu.Lock()
	hosts := make([]*host, 0, len(s.running))
	for _, h := range s.running {
		hosts = append(hosts, h)
	}
	s.mu.Unlock()
	all := make([]Status, len(hosts))
	for i, h := range hosts {
		all[i] = h.status()
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Listener.Name, b.Listener.Name) })
	return all
}

func (s *Server) observe(e Event) {
	e.At = time.Now()
	s.options.Observer.Observe(e)
}
