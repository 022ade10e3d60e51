// Package sandbox is a small real mail provider on loopback, for `orbit demo` and for tests: an identity
// provider, SMTP, IMAP and POP3 servers that take only its tokens, servers for those that still have a
// password, and a page that shows the mail.
//
// It keeps everything in memory, within limits. New opens the listeners, so that every address is known at once;
// Run answers them. The parts are packages of their own: idp, mailbox, mailserver, mailpage.
package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/mailbox"
	"orbit/internal/sandbox/mailpage"
	"orbit/internal/sandbox/mailserver"
)

// Host is where everything listens.
const Host = "127.0.0.1"

// Ports are where the parts listen. A port of zero is chosen by the system, and so is one that is in use.
type Ports struct {
	PasswordSMTP int // AUTH PLAIN and LOGIN, plain or STARTTLS
	PasswordIMAP int
	PasswordPOP3 int

	Submission int // SMTP with STARTTLS; from here on access tokens only
	SMTPS      int // implicit TLS
	IMAP       int // STARTTLS
	IMAPS      int
	POP3       int // STLS
	POP3S      int

	Identity int // http
	Mail     int // http, the page
}

// Options describe a sandbox. The zero value is a complete one on ports that are free.
type Options struct {
	Ports          Ports
	Certificate    *Certificate // made when nil
	Identity       idp.Options  // Issuer is filled in
	Limits         mailbox.Limits
	MaxConnections int // of each listener; 1,000
	Log            *slog.Logger
}

// Sandbox is a provider with open listeners.
type Sandbox struct {
	Ports       Ports
	Certificate Certificate // of the mail servers; a client trusts its CA
	Identity    *idp.Provider
	Endpoints   idp.Endpoints
	Mail        *mailbox.Store
	MailURL     string // the page

	tls      *tls.Config
	services []service
}

// service is one listener with what answers it.
type service struct {
	door  *door
	serve func(net.Listener) error
}

// New opens the listeners. Run must follow, or Close.
func New(ctx context.Context, o Options) (*Sandbox, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 1000
	}
	s := &Sandbox{Mail: mailbox.New(o.Limits), Ports: o.Ports}
	if err := s.readCertificate(o.Certificate); err != nil {
		return nil, err
	}
	if err := s.open(ctx, o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Sandbox) readCertificate(c *Certificate) error {
	if c == nil {
		made, err := NewCertificate()
		if err != nil {
			return err
		}
		c = &made
	}
	pair, err := tls.X509KeyPair([]byte(c.Chain), []byte(c.Key))
	if err != nil {
		return fmt.Errorf("read the certificate of the sandbox: %w", err)
	}
	s.Certificate = *c
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	return nil
}

// open listens, the identity provider first: its address is in everything that it says.
func (s *Sandbox) open(ctx context.Context, o Options) error {
	identity, err := s.listen(ctx, &s.Ports.Identity, o)
	if err != nil {
		return err
	}
	o.Identity.Issuer = "http://" + identity.Addr().String()
	if s.Identity, err = idp.New(o.Identity); err != nil {
		return err
	}
	s.Endpoints = s.Identity.Endpoints()
	s.answer(identity, serveHTTP(s.Identity.Handler()))
	page, err := s.listen(ctx, &s.Ports.Mail, o)
	if err != nil {
		return err
	}
	s.MailURL = "http://" + page.Addr().String() + "/"
	s.answer(page, serveHTTP(mailpage.Handler(s.Mail, s.Identity)))
	return s.openMail(ctx, o)
}

// openMail opens the mail servers.
func (s *Sandbox) openMail(ctx context.Context, o Options) error {
	shared := mailserver.Options{Mail: s.Mail, Identity: s.Identity, TLS: s.tls, Log: o.Log}
	const passwords, tokens = mailserver.Passwords, mailserver.Tokens
	for _, mail := range []struct {
		port    *int
		make    func(mailserver.Options, mailserver.Signs) mailserver.Server
		signs   mailserver.Signs
		fromTLS bool // from the first byte
	}{
		{&s.Ports.PasswordSMTP, mailserver.NewSMTP, passwords, false},
		{&s.Ports.PasswordIMAP, mailserver.NewIMAP, passwords, false},
		{&s.Ports.PasswordPOP3, mailserver.NewPOP3, passwords, false},
		{&s.Ports.Submission, mailserver.NewSMTP, tokens, false},
		{&s.Ports.SMTPS, mailserver.NewSMTP, tokens, true},
		{&s.Ports.IMAP, mailserver.NewIMAP, tokens, false},
		{&s.Ports.IMAPS, mailserver.NewIMAP, tokens, true},
		{&s.Ports.POP3, mailserver.NewPOP3, tokens, false},
		{&s.Ports.POP3S, mailserver.NewPOP3, tokens, true},
	} {
		listener, err := s.listen(ctx, mail.port, o)
		if err != nil {
			return err
		}
		serve := mail.make(shared, mail.signs).Serve
		if mail.fromTLS {
			inner := serve
			serve = func(l net.Listener) error { return inner(tls.NewListener(l, s.tls)) }
		}
		s.answer(listener, serve)
	}
	return nil
}

// listen opens the port that is wanted, or another one when it is in use, and notes which.
func (s *Sandbox) listen(ctx context.Context, port *int, o Options) (*door, error) {
	config := new(net.ListenConfig)
	inner, err := config.Listen(ctx, "tcp", net.JoinHostPort(Host, strconv.Itoa(*port)))
	if err != nil && *port != 0 {
		inner, err = config.Listen(ctx, "tcp", Host+":0")
	}
	if err != nil {
		return nil, fmt.Errorf("open a port for the sandbox: %w", err)
	}
	*port = inner.Addr().(*net.TCPAddr).Port
	d := newDoor(inner, o.MaxConnections)
	s.services = append(s.services, service{door: d})
	return d, nil
}

// answer says what serves a listener.
func (s *Sandbox) answer(d *door, serve func(net.Listener) error) {
	for i := range s.services {
		if s.services[i].door == d {
			s.services[i].serve = serve
		}
	}
}

// Run answers until ctx ends and every connection with it.
func (s *Sandbox) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, each := range s.services {
		group.Go(func() error {
			if err := each.serve(each.door); ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
	}
	group.Go(func() error {
		<-ctx.Done()
		s.Close()
		return nil
	})
	return group.Wait()
}

// Close ends the listeners and their connections, and waits for those.
func (s *Sandbox) Close() {
	for _, each := range s.services {
		each.door.shut()
	}
	for _, each := range s.services {
		each.door.connections.Wait()
	}
}

// Deliver puts a message into a mailbox, as if it had come from elsewhere.
func (s *Sandbox) Deliver(address string, message []byte) error {
	return s.Mail.Deliver(address, mailbox.Message{To: []string{address}, Received: time.Now(), Raw: message})
}

// Address is host:port of one of the Ports.
func (s *Sandbox) Address(port int) string { return net.JoinHostPort(Host, strconv.Itoa(port)) }

const httpTimeout = 30 * time.Second

func serveHTTP(handler http.Handler) func(net.Listener) error {
	server := &http.Server{Handler: handler, ReadTimeout: httpTimeout, WriteTimeout: 2 * httpTimeout, IdleTimeout: httpTimeout}
	return server.Serve
}
