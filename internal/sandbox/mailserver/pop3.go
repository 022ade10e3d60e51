package mailserver

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"orbit/internal/sandbox/mailbox"
)

const pop3Timeout = 10 * time.Minute // RFC 1939 3

// NewPOP3 returns a POP3 server.
func NewPOP3(o Options, signs Signs) Server { return &pop3Server{o: o, signs: signs} }

type pop3Server struct {
	o     Options
	signs Signs
}

// Serve answers until the listener is closed, and returns when the last connection has ended.
func (s *pop3Server) Serve(listener net.Listener) error {
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		connections.Go(func() {
			c := &popping{o: s.o, signs: s.signs, words: wordsOf(s.o.Identity.Flavour())}
			c.use(conn)
			defer func() { _ = c.conn.Close() }()
			c.run()
		})
	}
}

// popping is one POP3 connection.
type popping struct {
	o     Options
	signs Signs
	words *words

	conn     net.Conn
	in       *bufio.Reader
	out      *bufio.Writer
	username string // of USER

	box     *mailbox.Box // nil before sign-in
	mails   []mailbox.Message
	deleted map[int]bool
}

// use reads and writes conn from now on; what was read before and not used is dropped (RFC 2595 2.1).
func (c *popping) use(conn net.Conn) {
	c.conn, c.in, c.out = conn, bufio.NewReaderSize(conn, maxLine), bufio.NewWriter(conn)
	_ = conn.SetDeadline(time.Now().Add(pop3Timeout)) // of a closed connection: the next read says so
}

func (c *popping) secure() bool {
	_, ok := c.conn.(*tls.Conn)
	return ok
}

// mayStartTLS reports whether STLS is offered.
func (c *popping) mayStartTLS() bool { return !c.secure() && c.o.TLS != nil && c.box == nil }

// errQuit ends a connection in good order.
var errQuit = errors.New("quit")

func (c *popping) run() {
	c.say("+OK The Orbit sandbox POP3 service is ready.")
	for {
		line, err := c.line()
		if err != nil {
			return
		}
		name, argument, _ := strings.Cut(line, " ")
		err = c.command(strings.ToUpper(name), strings.TrimSpace(argument))
		var said pop3Error
		switch {
		case errors.As(err, &said):
			c.say("-ERR " + string(said))
		case err != nil:
			_ = c.out.Flush()
			return
		}
	}
}

func (c *popping) command(name, argument string) error {
	switch name {
	case "CAPA":
		return c.capa()
	case "QUIT":
		return c.quit()
	}
	if c.box == nil {
		return c.signIn(name, argument)
	}
	return c.transaction(name, argument)
}

func (c *popping) capa() error {
	lines := []string{"+OK", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"}
	if c.mayStartTLS() {
		lines = append(lines, "STLS")
	}
	if c.maySignIn() {
		lines = append(lines, "SASL "+strings.Join(c.signs.mechanisms(), " "))
		if c.signs == Passwords {
			lines = append(lines, "USER")
		}
	}
	c.say(append(lines, ".")...)
	return nil
}

// quit removes what was marked, and only now (RFC 1939 6).
func (c *popping) quit() error {
	if c.box != nil {
		c.removeDeleted()
	}
	c.say("+OK Goodbye.")
	return errQuit
}

// line reads one line; an overlong one ends the connection.
func (c *popping) line() (string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(pop3Timeout)); err != nil {
		return "", err
	}
	line, err := c.in.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err
}

// say writes lines and sends them, unless the client has sent more commands already.
func (c *popping) say(lines ...string) {
	for _, line := range lines {
		_, _ = c.out.WriteString(line + "\r\n") // the next read sees a broken connection
	}
	if c.in.Buffered() == 0 {
		_ = c.out.Flush()
	}
}
