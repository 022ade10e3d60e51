package mailserver

import (
	"crypto/tls"
	"encoding/base64"
	"slices"
	"strings"

	gosasl "github.com/emersion/go-sasl"

	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/mailbox"
)

const errPOP3State = pop3Error("Command is not valid in this state.")

// maySignIn reports whether credentials are taken on this connection.
func (c *popping) maySignIn() bool { return c.box == nil && (c.secure() || c.signs == Passwords) }

// signIn is the authorization state (RFC 1939 4).
func (c *popping) signIn(name, argument string) error {
	switch name {
	case "STLS":
		return c.startTLS()
	case "USER":
		return c.user(argument)
	case "PASS":
		return c.pass(argument)
	case "AUTH":
		return c.auth(argument)
	}
	return errPOP3State
}

func (c *popping) startTLS() error {
	if !c.mayStartTLS() {
		return errPOP3State
	}
	c.say("+OK Begin TLS negotiation.")
	_ = c.out.Flush()
	conn := tls.Server(c.conn, c.o.TLS)
	c.use(conn)
	return conn.Handshake()
}

// user takes a name only where a password may follow.
func (c *popping) user(name string) error {
	if c.signs != Passwords {
		return pop3Error(c.words.pop3Basic)
	}
	c.username = name
	c.say("+OK")
	return nil
}

func (c *popping) pass(password string) error {
	if c.signs != Passwords {
		return pop3Error(c.words.pop3Basic)
	}
	if err := c.checkPassword(c.username, password); err != nil {
		return err
	}
	c.say("+OK User successfully logged on.")
	return nil
}

// auth is a SASL exchange (RFC 5034).
func (c *popping) auth(argument string) error {
	mechanism, initial, given := strings.Cut(argument, " ")
	mechanism = strings.ToUpper(mechanism)
	switch {
	case !c.maySignIn():
		return pop3Error("[SYS/PERM] TLS is required to authenticate.")
	case slices.Contains(passwordMechanisms, mechanism) && c.signs != Passwords:
		return pop3Error(c.words.pop3Basic)
	case !slices.Contains(c.signs.mechanisms(), mechanism):
		return pop3Error("Unrecognized authentication mechanism.")
	}
	exchange := checks{
		password: c.checkPassword, token: c.checkToken, flavour: c.o.Identity.Flavour(), malformed: pop3Error("Protocol error."),
	}.mechanism(mechanism)
	var response []byte
	if given {
		var err error
		if response, err = decode(initial); err != nil {
			return err
		}
	}
	return c.exchange(exchange, response)
}

func (c *popping) exchange(server gosasl.Server, response []byte) error {
	for {
		challenge, done, err := server.Next(response)
		if err != nil {
			return err
		}
		if done {
			c.say("+OK User successfully authenticated.")
			return nil
		}
		c.say("+ " + base64.StdEncoding.EncodeToString(challenge))
		_ = c.out.Flush()
		line, err := c.line()
		if err != nil {
			return err
		}
		if line == "*" {
			return pop3Error("Authentication cancelled.")
		}
		if response, err = decode(line); err != nil {
			return err
		}
	}
}

// decode reads a response; "=" is an empty one (RFC 5034 4).
func decode(text string) ([]byte, error) {
	if text == "=" {
		return []byte{}, nil
	}
	response, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, pop3Error("Protocol error: this is not base64.")
	}
	return response, nil
}

func (c *popping) checkPassword(username, password string) error {
	if err := c.o.Identity.CheckPassword(username, password); err != nil {
		return c.words.pop3Refusal(err)
	}
	return c.open(username)
}

func (c *popping) checkToken(username, token string) error {
	if err := c.o.Identity.CheckToken(idp.POP3, username, token); err != nil {
		return c.words.pop3Refusal(err)
	}
	return c.open(username)
}

func (c *popping) open(username string) error {
	box, err := c.o.Mail.Open(username)
	if err != nil {
		return pop3Error("[SYS/TEMP] The mailbox is not available.")
	}
	c.box, c.mails, c.deleted = box, box.List(mailbox.Inbox), make(map[int]bool)
	return nil
}
